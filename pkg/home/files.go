package home

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/media"
	"github.com/p2ps/p2ps/pkg/peer"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/wire"
)

// ErrFile: the bytes of a file are not those that the post names.
var ErrFile = errors.New("a file is not what the post says")

// Attach copies what a plan shares of src beside the posts, and returns the hash
// under which it lies there. When it returns it is durable: the post that names
// it comes after. The file of the person is only read.
func (h *Home) Attach(plan *media.Plan, src io.ReaderAt) (sha string, err error) {
	temp, err := h.root.Temp(feed.Attachments, 0o600)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	n, err := io.CopyBuffer(struct{ io.Writer }{io.MultiWriter(temp, sum)}, plan.Reader(src), make([]byte, 256<<10))
	if err == nil && n != plan.Size() {
		err = fmt.Errorf("it changed while it was read: %w", io.ErrUnexpectedEOF)
	}
	if err != nil {
		temp.Discard()
		return "", err
	}
	sha = hex.EncodeToString(sum.Sum(nil))
	h.attached.Store(sha, true)
	return sha, temp.Commit(feed.Attachment(sha)) // over one that is there, which may be damaged
}

// stillAttached demands, under the lock, that the files of a post that were just
// copied for it are there: RemoveUnnamed cannot know of a post that is being
// written. Once it is written it does.
func (h *Home) stillAttached(p *post.Post) error {
	for _, f := range p.Files() {
		if _, copied := h.attached.Load(f.SHA256); copied && !h.Holds(f) {
			return fmt.Errorf("%s was removed while the post was written: %w", h.FilePath(f), fs.ErrNotExist)
		}
	}
	return nil
}

// OpenFile opens a file that a post names, if it is here and has its size; the
// bytes are not looked at. fs.ErrNotExist if not.
func (h *Home) OpenFile(f post.File) (*disk.File, error) {
	if !wire.IsSHA256(f.SHA256) {
		return nil, fs.ErrNotExist
	}
	file, stat, err := h.root.OpenFile(feed.Attachment(f.SHA256))
	if err == nil && stat.Size != f.Size {
		_ = file.Close()
		return nil, fmt.Errorf("%w: %s has %d bytes, not %d", ErrFile, h.root.Path(feed.Attachment(f.SHA256)), stat.Size, f.Size)
	}
	return file, err
}

// FilePath is where a file lies, or would lie.
func (h *Home) FilePath(f post.File) string { return h.root.Path(feed.Attachment(f.SHA256)) }

// SaveFile copies a file into a directory that the person chose, under a name
// that must be free there: fs.ErrExist if not. The hash is looked at before the
// file has that name: ErrFile.
func (h *Home) SaveFile(f post.File, into *disk.Root, name string) error {
	file, err := h.OpenFile(f)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	temp, err := into.Temp(".", 0o644)
	if err != nil {
		return err
	}
	sum := sha256.New()
	if _, err := io.CopyBuffer(struct{ io.Writer }{io.MultiWriter(temp, sum)}, struct{ io.Reader }{file}, make([]byte, 256<<10)); err != nil {
		temp.Discard()
		return err
	}
	if !isHash(sum, f.SHA256) {
		temp.Discard()
		return fmt.Errorf("%w: %s", ErrFile, h.FilePath(f))
	}
	return temp.CommitNew(name)
}

func isHash(sum hash.Hash, want string) bool { return hex.EncodeToString(sum.Sum(nil)) == want }

// answerFile gives a part of a file: if the reader may see the post now, and it
// names the file. Whatever is not so, not_found is all that is told. It is looked
// up by the post; what files there are is looked at only once he may have it.
func (h *Home) answerFile(v *index.View, me tree, g post.Grants, q wire.Question, a *wire.Answer) error {
	none := func() error {
		a.Kind, a.Code = wire.KindError, wire.CodeNotFound
		return nil
	}
	if q.File == nil {
		return none()
	}
	row, ok, err := v.Row(q.File.ID)
	if err != nil {
		return err
	}
	if !ok || q.File.ID.Author != me.cert.Fingerprint() || !offered(row, g, a.Time) {
		return none()
	}
	p, err := h.reopen(me, row)
	if err != nil {
		return err
	}
	for _, f := range p.Files() {
		if f.SHA256 == q.File.SHA256 {
			if a.Part, err = h.part(f, q.File.Offset, q.Limit); err != nil {
				h.opt.Log.Warn("a file that a post names cannot be given", "post", row.ID.Position, "error", err)
				return none()
			}
			return nil
		}
	}
	return none()
}

// part opens some bytes of a file, at most limit; 0 is the usual limit.
func (h *Home) part(f post.File, offset int64, limit int) (*wire.Part, error) {
	file, err := h.OpenFile(f)
	if err != nil {
		return nil, err
	}
	if offset > f.Size {
		_ = file.Close()
		return nil, fmt.Errorf("it has %d bytes, asked was from %d: %w", f.Size, offset, io.EOF)
	}
	length := cmp.Or(h.opt.Part, wire.PartSize)
	if limit > 0 {
		length = min(length, limit)
	}
	return &wire.Part{Size: f.Size, Offset: offset, Length: min(f.Size-offset, int64(length)), File: file}, nil
}

// sealPart seals a part of a file while it is read. One that cannot be read is
// told as any other failure.
func (h *Home) sealPart(p wire.Party, a wire.Answer, request *wire.Request) ([]byte, error) {
	defer func() { _ = a.Part.File.Close() }()
	sealed, err := h.sealer.SealPart(h.served.sealRoom(), p, a, request.Re, request.TakesGCM())
	if err != nil {
		h.opt.Log.Error("a part of a file could not be given", "from", request.From, "error", err)
		return h.sealer.SealAnswer(p, wire.Answer{Kind: wire.KindError, Code: wire.CodeBusy, Time: a.Time}, request.Re)
	}
	return sealed, nil
}

func (s *served) sealRoom() []byte {
	if used, ok := s.sealed.Get().(*[]byte); ok {
		return *used
	}
	return nil
}

// Sent takes back the memory of an answer that was sent: parts of files are sealed
// into it again.
func (h *Home) Sent(answer []byte) {
	if cap(answer) > wire.MaxAnswer {
		h.served.sealed.Put(&answer)
	}
}

// PublicFile is a file that a public post names, as everybody may have it; the
// first such post says what it is. peer.ErrNotFound else.
func (h *Home) PublicFile(ctx context.Context, sha string) (out peer.File, err error) {
	if !wire.IsSHA256(sha) {
		return out, peer.ErrNotFound
	}
	me, err := h.mine()
	if err != nil {
		return out, err
	}
	for range moments {
		err = h.withIndex(ctx, func(x *index.Index) error {
			if err := h.catchUp(ctx, x, me, errors.Is(err, errMoved), false); err != nil {
				return err
			}
			return x.View(ctx, func(v *index.View) (err error) {
				out, err = h.publicFile(v, me, sha, h.opt.Now())
				return err
			})
		})
		if !errors.Is(err, errMoved) {
			return out, err
		}
	}
	return out, peer.ErrNotFound
}

func (h *Home) publicFile(v *index.View, me tree, sha string, now time.Time) (peer.File, error) {
	rows, err := v.Naming(me.cert.Fingerprint(), sha)
	if err != nil {
		return peer.File{}, err
	}
	for _, row := range rows {
		if !offered(row, post.Grants{}, now) {
			continue
		}
		p, err := h.reopen(me, row)
		if err != nil {
			return peer.File{}, err
		}
		for _, f := range p.Files() {
			if f.SHA256 != sha {
				continue
			}
			file, err := h.OpenFile(f)
			if err != nil {
				h.opt.Log.Warn("a file that a post names cannot be given", "post", row.ID.Position, "error", err)
				return peer.File{}, peer.ErrNotFound
			}
			return peer.File{Content: file, Size: f.Size, Type: f.MediaType, Name: media.FileName(f.Name, f.MediaType), SHA256: sha, Changed: p.Published()}, nil
		}
	}
	return peer.File{}, peer.ErrNotFound
}
