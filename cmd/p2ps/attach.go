package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/spf13/pflag"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/media"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/text"
)

// attachments are the flags with which files go with a post.
type attachments struct {
	files, alts         []string
	noAlt, keepMetadata bool
}

func (a *attachments) register(fs *pflag.FlagSet) {
	fs.StringArrayVar(&a.files, "attach", nil, "share `FILE` with it (repeatable)")
	fs.StringArrayVar(&a.alts, "alt", nil, "what is to be seen or heard in the file, the first `TEXT` for the first --attach and so on")
	fs.BoolVar(&a.noAlt, "no-alt", false, "share pictures without a description")
	fs.BoolVar(&a.keepMetadata, "keep-metadata", false, "share pictures with all that they tell of place, time and device")
}

func (a *attachments) given() bool { return len(a.files) > 0 }

func (a *attachments) check() error {
	switch {
	case len(a.alts) > len(a.files):
		return usage("give each --alt after the --attach that it describes", "there are more --alt than --attach")
	case !a.given() && (a.noAlt || a.keepMetadata):
		return usage("name the file with --attach FILE", "--no-alt and --keep-metadata are for what --attach shares")
	case len(a.files) > post.MaxFiles:
		return usage("make several posts of it", "a post takes at most %d files", post.MaxFiles)
	}
	for _, alt := range a.alts {
		if !utf8.ValidString(alt) || strings.ContainsRune(alt, 0x7F) {
			return usage("write it anew", "a description is not UTF-8, or holds the character U+007F (DEL), which no post may")
		}
	}
	return nil
}

// A shared file is one that was looked at, and is still open.
type shared struct {
	name string
	file *os.File
	plan *media.Plan
	post.File
}

// look opens and looks at all files, before any is copied. The caller closes
// those that it gets, whatever the error.
func (e *env) look(a attachments) (list []shared, err error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	for i, name := range a.files {
		file, err := openNamed(name, "is the name right?")
		if err != nil {
			return list, err
		}
		s := shared{name: name, file: file}
		list = append(list, s)
		info, err := file.Stat()
		if err == nil && !info.Mode().IsRegular() {
			return list, fail(exitError, "name a plain file: no pipe or device", "%s: it is no plain file", text.Clean(name))
		}
		if err != nil {
			return list, err
		}
		if s.plan, err = media.Look(file, info.Size(), a.keepMetadata); err != nil {
			return list, fail(exitError, "repair it, or share it as it is with --keep-metadata", "%s: %w", text.Clean(name), err)
		}
		s.File = post.File{Kind: media.Kind(s.plan.MediaType), MediaType: s.plan.MediaType, Size: s.plan.Size(), Width: s.plan.Width, Height: s.plan.Height,
			Name: media.FileName(filepath.Base(name), s.plan.MediaType)}
		if i < len(a.alts) {
			s.Description = strings.TrimSpace(a.alts[i])
		}
		if s.Kind == "Image" && s.Description == "" && !a.noAlt {
			return list, usage("say what is to be seen in it with --alt TEXT, for those who cannot see it; or give --no-alt", "%s is a picture without a description", text.Clean(name))
		}
		list[i] = s
	}
	return list, nil
}

func closeAll(list []shared) {
	for _, s := range list {
		_ = s.file.Close() // it was only read
	}
}

// attach copies the files beside the posts, and names them in the draft.
func (e *env) attach(h *home.Home, d *post.Draft, list []shared, keep bool) error {
	files, err := e.copyFiles(h, list, keep)
	if err != nil || len(files) == 0 {
		return err
	}
	return d.Attach(files...)
}

// copyFiles copies files beside the posts; in a trial none. What was left out of
// them, and what cannot be told of them, is said.
func (e *env) copyFiles(h *home.Home, list []shared, keep bool) (files []post.File, err error) {
	for _, s := range list {
		e.sayOf(s, keep)
		if e.dryRun {
			continue
		}
		if s.SHA256, err = h.Attach(s.plan, s.file); err != nil {
			return nil, err
		}
		files = append(files, s.File)
	}
	return files, nil
}

func (e *env) sayOf(s shared, keep bool) {
	name := text.Clean(filepath.Base(s.name))
	switch {
	case keep:
		e.say("%s: shared as it is, with all that it tells of place, time and device", name)
	case len(s.plan.Removed) > 0:
		e.say("%s: left out %s", name, text.Clean(strings.Join(s.plan.Removed, ", ")))
	case !s.plan.Cleaned && !strings.HasPrefix(s.MediaType, "text/"):
		e.say("%s: p2ps cannot clean %s: what it tells of place, time, device or people stays in it", name, s.MediaType)
	}
}

// fileWords says in words what files a post names: for each its kind, its size
// and its description.
func fileWords(p *post.Post) []string {
	var words []string
	for _, f := range p.Files() {
		words = append(words, fileWord(f))
	}
	return words
}

func fileWord(f post.File) string {
	words := []string{strings.ToLower(f.Kind)}
	if f.Kind == "Document" {
		words[0] = "file"
	}
	if f.Width > 0 && f.Height > 0 {
		words = append(words, fmt.Sprintf("%d × %d", f.Width, f.Height))
	}
	words = append(words, text.Size(f.Size))
	said := f.Description
	if said == "" {
		said = f.Name
	}
	if said == "" {
		said = f.MediaType
	}
	return "[" + strings.Join(words, ", ") + "] " + said
}
