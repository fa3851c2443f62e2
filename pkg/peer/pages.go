package peer

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Limits of the making of public pages, which anybody can ask for.
const (
	pageQueue = 64 // pages that wait to be made
	pageAge   = time.Second
	pageBytes = 16 << 20 // of the pages that are kept
)

// A page is a finished public page. What it says depends on public posts alone,
// and so does changed, when it last did; zero if that is not known.
type page struct {
	status  int
	kind    string
	changed time.Time
	body    []byte
	tag     string // its ETag
}

func newPage(status int, kind string, changed time.Time, body []byte) *page {
	return &page{status, kind, changed, body, fmt.Sprintf(`"%x"`, sha256.Sum256(body))}
}

// pages makes public pages: few at once, so that processors are left for
// friends, and each once for all who ask for it at the same time. While every
// maker is busy, a page made within a second is given again; else it is made
// anew, so that what was withdrawn is gone at once. What failed, a 404 too, is
// never given again.
type pages struct {
	makers, queue chan struct{}
	now           func() time.Time

	mu     sync.Mutex
	making map[string]*making
	kept   map[string]*page
	order  []keptPage // the oldest first
	bytes  int
}

type keptPage struct {
	key   string
	until time.Time
	size  int
}

// making is a page under way. page and err are there when done is closed.
type making struct {
	done chan struct{}
	page *page
	err  error
	left bool // who began it went away
}

func newPages(makers int) *pages {
	return &pages{
		makers: make(chan struct{}, makers), queue: make(chan struct{}, makers+pageQueue), now: time.Now,
		making: map[string]*making{}, kept: map[string]*page{},
	}
}

// get gives the page of a key, made by create if there is none to be given
// again; errBusy if too many wait already.
func (p *pages) get(ctx context.Context, key string, create func(context.Context) (*page, error)) (*page, error) {
	for {
		one, m, mine := p.find(key)
		switch {
		case one != nil:
			return one, nil
		case mine:
			p.create(ctx, key, m, create)
			return m.page, m.err
		}
		select {
		case <-m.done:
			if !m.left {
				return m.page, m.err
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// find gives the page that is kept, if no maker is free, or the making of it,
// which is mine if I began it by this. What is made anew is not kept meanwhile.
func (p *pages) find(key string) (one *page, m *making, mine bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget(0)
	if one = p.kept[key]; one != nil && len(p.makers) == cap(p.makers) {
		return one, nil, false
	}
	if m = p.making[key]; m != nil {
		return nil, m, false
	}
	if i := slices.IndexFunc(p.order, func(k keptPage) bool { return k.key == key }); i >= 0 {
		p.drop(i)
		p.order = slices.Delete(p.order, i, i+1)
	}
	m = &making{done: make(chan struct{}), left: true}
	p.making[key] = m
	return nil, m, true
}

func (p *pages) create(ctx context.Context, key string, m *making, create func(context.Context) (*page, error)) {
	defer func() { // after a panic too
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.making, key)
		if m.page != nil {
			p.keep(key, m.page)
		}
		close(m.done)
	}()
	one, err := p.inTurn(ctx, create)
	m.left = err != nil && ctx.Err() != nil
	if m.err = err; err == nil {
		m.page = one
	}
}

func (p *pages) inTurn(ctx context.Context, create func(context.Context) (*page, error)) (*page, error) {
	select {
	case p.queue <- struct{}{}:
		defer func() { <-p.queue }()
	default:
		return nil, errBusy
	}
	select {
	case p.makers <- struct{}{}:
		defer func() { <-p.makers }()
		return create(ctx)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pages) keep(key string, one *page) {
	size := len(key) + len(one.body) + 512 // and what else it takes
	if size > pageBytes {
		return
	}
	p.forget(size)
	p.kept[key] = one
	p.order = append(p.order, keptPage{key, p.now().Add(pageAge), size})
	p.bytes += size
}

// forget drops what is too old, and the oldest until there is room.
func (p *pages) forget(room int) {
	n := 0
	for ; n < len(p.order) && (p.bytes+room > pageBytes || !p.now().Before(p.order[n].until)); n++ {
		p.drop(n)
	}
	p.order = p.order[n:]
}

// drop takes the page at a place of the order out of what is kept.
func (p *pages) drop(i int) {
	p.bytes -= p.order[i].size
	delete(p.kept, p.order[i].key)
}
