package peer

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/wire"
)

// service is the document that says what is spoken here, and the limits.
func (h *handler) service(*http.Request) (*page, error) {
	body, err := ijson.MarshalIndent(map[string]any{
		"p2ps":     1,
		"requests": []string{wire.RequestVersion},
		"kinds":    []string{wire.KindPosts, wire.KindManifest, wire.KindIDs, wire.KindAttachment},
		"limits": map[string]any{
			"request_bytes": wire.MaxRequest, "answer_bytes": wire.MaxAnswer, "page_items": wire.MaxItems, "page_bytes": wire.MaxPage,
			"ids": wire.MaxIDs, "months": wire.MaxMonths, "post_bytes": post.MaxSigned, "part_bytes": wire.PartSize, "clock_seconds": int(wire.ClockSkew.Seconds()),
			"requests_per_second_per_address": h.limits.PerAddress, "requests_per_second_per_key": h.limits.PerKey,
		},
	})
	return newPage(http.StatusOK, typePage, time.Time{}, body), err
}

// publicPage is a public page of posts or of lines.
type publicPage struct {
	Items  []ijson.Value `json:"items,omitzero"`
	Lines  []string      `json:"lines,omitzero"`
	More   bool          `json:"more"`
	Count  *int          `json:"count,omitzero"`
	Digest string        `json:"digest,omitzero"`
}

func (h *handler) posts(r *http.Request) (*page, error) {
	after, err := parameter(r, "after")
	if err != nil {
		return nil, err
	}
	if _, err := wire.ParseAfter(after); err != nil {
		return nil, err
	}
	return h.public(r, wire.Question{Kind: wire.KindPosts, After: after})
}

func (h *handler) lines(r *http.Request) (*page, error) {
	after, err := parameter(r, "after")
	if err != nil {
		return nil, err
	}
	months, err := parameter(r, "months")
	if err != nil {
		return nil, err
	}
	q := wire.Question{Kind: wire.KindManifest, After: after}
	if months != "" {
		q.Months = strings.Split(months, ",")
	}
	if err := q.Check(); err != nil {
		return nil, err
	}
	return h.public(r, q)
}

// parameter is a value of the query, "" if it is not there: once, and not
// empty, since a typing error must not look like the end of a feed (spec S22).
func parameter(r *http.Request, name string) (string, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return "", fmt.Errorf("%w: the query: %w", wire.ErrInvalid, err)
	}
	values, there := query[name]
	if there && (len(values) != 1 || values[0] == "") {
		return "", fmt.Errorf("%w: %s is empty, or there twice", wire.ErrInvalid, name)
	}
	return query.Get(name), nil
}

func (h *handler) public(r *http.Request, q wire.Question) (*page, error) {
	key := q.Kind + "?" + q.After + "&" + strings.Join(q.Months, ",")
	return h.finished(r.Context(), key, func(ctx context.Context) (*page, error) {
		a, err := h.answerer.Public(ctx, q)
		if err != nil {
			return nil, err
		}
		p := publicPage{Items: a.Items, Lines: a.Lines, More: a.More, Count: a.Count, Digest: a.Digest}
		if q.Kind == wire.KindPosts && p.Items == nil {
			p.Items = []ijson.Value{}
		}
		body, err := ijson.Encode(p)
		return newPage(http.StatusOK, typePage, a.Changed, body), err
	})
}

func (h *handler) post(r *http.Request, position string) (*page, error) {
	p, err := post.ParsePosition(position)
	if err != nil {
		return nil, ErrNotFound
	}
	return h.finished(r.Context(), "post/"+position, func(ctx context.Context) (*page, error) {
		data, gone, err := h.answerer.PublicPost(ctx, p)
		status := http.StatusOK
		if gone {
			status = http.StatusGone
		}
		return newPage(status, typePost, changed(data), data), err
	})
}

// changed is when a post says that it last changed.
func changed(data []byte) time.Time {
	var p struct {
		Published string `json:"published"`
		Updated   string `json:"updated"`
	}
	_ = ijson.UnmarshalTrusted(data, &p) // it was verified
	t, err := post.ParseTime(p.Updated)
	if err != nil {
		t, _ = post.ParseTime(p.Published)
	}
	return t
}

func (h *handler) key(r *http.Request, fingerprint string) (*page, error) {
	if _, err := pgp.ParseFingerprint(fingerprint); fingerprint != "" && err != nil || strings.HasSuffix(r.URL.Path, "/") {
		return nil, ErrNotFound
	}
	return h.finished(r.Context(), "key/"+fingerprint, func(ctx context.Context) (*page, error) {
		armored, err := h.answerer.Key(ctx, fingerprint)
		return newPage(http.StatusOK, typeKey, time.Time{}, armored), err
	})
}

// finished gives a page that was made of the public posts as they are now, or
// makes it.
func (h *handler) finished(ctx context.Context, key string, create func(context.Context) (*page, error)) (*page, error) {
	state, err := h.answerer.PublicState(ctx)
	if err != nil {
		return nil, err
	}
	return h.pages.get(ctx, state+" "+key, create)
}
