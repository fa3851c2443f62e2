package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/ijson"
)

func newShow(e *env) *cobra.Command {
	var raw, signature, history, readers, images bool
	var protocol string
	cmd := &cobra.Command{
		Use:   "show ID...",
		Short: "Show posts whole",
		Long: `Show posts whole. An id may be given by its end, four characters or more, that
no other post has.

With --history each text that the post had is a line, oldest first, with its
revision and when it was written at the end.

The files that a post names are told by kind, size and description. With
--images the pictures among them are drawn, on a terminal that can: kitty,
iTerm2 or sixel. Only then is a picture decoded, and none that is too great.

With --raw the canonical bytes that are signed are written as they are, with
--signature the binary signature over them, so that any OpenPGP program can
check the post:

    p2ps show --raw ID > post; p2ps show --signature ID > post.sig
    gpg --verify post.sig post

--readers lists the friends who would get a post of yours if they asked now,
found out by the code that answers them. Who has it already is not known: that
an answer was sent proves neither that it came nor that it was read.`,
		Example: `  p2ps show m4f7da
  p2ps show --history m4f7da
  p2ps show --raw m4f7da | jq .`,
		Args:              arguments(1, -1, "the id of a post"),
		ValidArgsFunction: e.completePosts(home.AnyPost, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (raw || signature) && (len(args) != 1 || raw == signature || history || readers) {
				return usage("p2ps show --raw ID, or p2ps show --signature ID", "--raw and --signature are for one post, and alone")
			}
			if (raw || signature) && e.json.on {
				return usage("leave out --json", "--raw and --signature are bytes as they are, not JSON Lines")
			}
			if signature && e.out {
				return usage("redirect it: p2ps show --signature ID > post.sig", "a signature is binary, nothing for a terminal")
			}
			images = images || protocol != ""
			if images && (raw || signature || e.json.on) {
				return usage("leave out --images", "--images draws, and --raw, --signature and --json do not")
			}
			way, err := e.drawing(protocol)
			if err != nil {
				return err
			}
			h, _, err := e.identity()
			if err != nil {
				return err
			}
			for _, arg := range args {
				id, err := h.Find(cmd.Context(), arg)
				if err != nil {
					return err
				}
				en, err := h.Show(cmd.Context(), id)
				if err != nil {
					return err
				}
				switch {
				case raw:
					err = e.showRaw(en.Post.Signed())
				case signature:
					_, err = e.stdout.Write(en.Post.Signature())
				default:
					if err = e.showOne(cmd.Context(), h, en, history, readers); err == nil && images {
						err = e.showImages(h, en.Post, way)
					}
				}
				if err != nil {
					return err
				}
			}
			return e.stdout.Flush()
		},
	}
	fs := cmd.Flags()
	fs.BoolVar(&raw, "raw", false, "the canonical signed bytes")
	fs.BoolVar(&signature, "signature", false, "the binary OpenPGP signature over them")
	fs.BoolVar(&history, "history", false, "the earlier texts too, oldest first")
	fs.BoolVar(&images, "images", false, "draw the pictures, on a terminal that can")
	fs.StringVar(&protocol, "protocol", "", "draw them in this `WAY`, whatever the terminal: kitty, iterm2 or sixel")
	completeFlag(cmd, "protocol", cobra.FixedCompletions([]string{"kitty", "iterm2", "sixel"}, only))
	fs.BoolVar(&readers, "readers", false, "of a post of yours: the friends who would get it now")
	return cmd
}

// showRaw writes the signed bytes as they are; on a terminal, which would obey
// some of what may be in them, escaped.
func (e *env) showRaw(signed []byte) error {
	if !e.out {
		_, err := e.stdout.Write(signed)
		return err
	}
	escaped, err := ijson.Marshal(ijson.Value(signed))
	if err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	e.say("what a terminal would obey is escaped: not byte for byte what is signed; redirect it for that")
	_, err = e.stdout.Write(append(escaped, '\n'))
	return err
}

func (e *env) showOne(ctx context.Context, h *home.Home, en home.Entry, history, readers bool) error {
	entries := []home.Entry{en}
	if history {
		was, err := h.History(en)
		if err != nil {
			return err
		}
		entries = append(was, en)
	}
	if err := e.showEntries(entries, history); err != nil || !readers {
		return err
	}
	if !en.Mine {
		return fail(exitUsage, "leave out --readers", "%w: only its author knows who may read it", home.ErrNotMine)
	}
	friends, err := h.WhoGets(ctx, en.Post.ID())
	if err != nil {
		return err
	}
	out := e.list("Reader", "Trust", "Fingerprint")
	for _, f := range friends {
		if err := out.add(friendLineOf(f), f.Name, string(f.Trust), string(f.Fingerprint)); err != nil {
			return err
		}
	}
	if err := out.end(); err != nil {
		return err
	}
	if en.Post.Public() {
		e.say("and everybody: it is public")
	}
	return nil
}
