package main

import (
	"errors"
	"fmt"
	"io/fs"
	slashed "path"
	"strings"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/media"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/text"
)

// fileLine is a file that a post names, as JSON.
type fileLine struct {
	header
	ID          string `json:"id"` // of the post
	Author      string `json:"author"`
	SHA256      string `json:"sha256"`
	MediaType   string `json:"mediaType"`
	Size        int64  `json:"size"`
	Description string `json:"description,omitempty"`
	Path        string `json:"path"`
}

func fileLineOf(id post.ID, f post.File, path string) fileLine {
	return fileLine{kind("file"), id.String(), string(id.Author), f.SHA256, f.MediaType, f.Size, f.Description, path}
}

func newSave(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "save ID DIR",
		Short: "Save the files of a post into a directory",
		Long: `Save the files of a post into a directory, which is made if it is missing. Those
that are not here yet are fetched from the author of the post, whatever pull was
told to leave out.

Nothing is overwritten: a name that is taken gets a number. The names are those
that the author gave, without what could harm. The path of each file is the only
output.`,
		Example: `  p2ps save m4f7da ~/Pictures
  p2ps save --json m4f7da . | jq -r .path`,
		Args:              arguments(2, 2, "the id of a post and a directory"),
		ValidArgsFunction: e.completePosts(home.AnyPost, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			h, _, err := e.identity()
			if err != nil {
				return err
			}
			id, err := h.Find(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			en, err := h.Show(cmd.Context(), id)
			if err != nil {
				return err
			}
			if len(en.Post.Files()) == 0 {
				e.say("the post names no file")
				return nil
			}
			if e.dryRun {
				return e.wouldSave(en, args[1])
			}
			s := saver{e: e, h: h, en: en}
			if err := s.fetch(cmd); err != nil {
				return err
			}
			return s.all(args[1])
		},
	}
}

func (e *env) wouldSave(en home.Entry, dir string) error {
	for i, f := range en.Post.Files() {
		name := slashed.Join(dir, nameOf(en.Post, f, i))
		if err := e.wouldBe(change{What: "save", Name: name}, "%s would be saved", name); err != nil {
			return err
		}
	}
	return nil
}

// A saver saves the files of one post.
type saver struct {
	e  *env
	h  *home.Home
	en home.Entry
}

// fetch brings what is not here.
func (s *saver) fetch(cmd *cobra.Command) error {
	for _, f := range s.en.Post.Files() {
		if s.h.Holds(f) || s.en.Mine {
			continue
		}
		settings, err := s.e.settings()
		if err != nil {
			return err
		}
		bar := s.e.progress("fetching")
		_, err = s.h.FetchFiles(cmd.Context(), s.en.Post, settings.Timeout)
		bar.end()
		return s.away(err)
	}
	return nil
}

// away says of a friend whom I cannot reach how his files come all the same.
func (s *saver) away(err error) error {
	x, _ := diagnose(err)
	if who, unknown := s.h.People().Find(string(s.en.Post.ID().Author)); x != exitTemporary || unknown != nil || who.Follow {
		return err
	}
	return fail(x, "it comes when "+s.en.Name+" pulls from here while p2ps serve runs", "cannot reach %s: %w", s.en.Name, err)
}

func (s *saver) all(dir string) error {
	into, err := disk.Create(dir, s.e.hook)
	if err != nil {
		return unreadable(err, "name a directory that you may write to")
	}
	defer func() { _ = into.Close() }()
	var without []string
	for i, f := range s.en.Post.Files() {
		name, err := s.one(into, f, nameOf(s.en.Post, f, i))
		if absent(err) {
			without = append(without, fileWord(f))
			continue
		}
		if err != nil {
			return err
		}
		if err := s.e.emit(fileLineOf(s.en.Post.ID(), f, into.Path(name)), into.Path(name)); err != nil {
			return err
		}
	}
	if len(without) > 0 {
		return fail(exitNotFound, "ask the author whether it is still there, and try again", "not to be had: %s", text.Clean(strings.Join(without, ", ")))
	}
	return nil
}

// one saves a file under the first name that is free.
func (s *saver) one(into *disk.Root, f post.File, name string) (string, error) {
	ending := slashed.Ext(name)
	stem := strings.TrimSuffix(name, ending)
	const tries = 1000
	for n := 1; n <= tries; n++ {
		if n > 1 {
			name = fmt.Sprintf("%s-%d%s", stem, n, ending)
		}
		if taken, err := into.Exists(name); err != nil || taken { // a long file is not copied in vain
			if err != nil {
				return "", err
			}
			continue
		}
		err := s.h.SaveFile(f, into, name)
		if errors.Is(err, home.ErrFile) && !s.en.Mine { // it is fetched anew by whoever asks again
			return "", errors.Join(err, s.h.DropFile(f))
		}
		if !errors.Is(err, fs.ErrExist) {
			return name, err
		}
	}
	return "", fmt.Errorf("%s: %w", into.Path(name), fs.ErrExist)
}

// nameOf is the name under which a file is saved: the author's, made safe, or one
// of the post's own.
func nameOf(p *post.Post, f post.File, i int) string {
	if name := media.FileName(f.Name, f.MediaType); name != "" {
		return name
	}
	return media.FileName(fmt.Sprintf("%s-%d", p.ID().Position.Stamp(), i+1), f.MediaType)
}
