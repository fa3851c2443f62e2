package home

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/index"
)

// A renaming is one call of RenameGroup.
type renaming struct {
	h        *Home
	me       tree
	from, to string
	posts    int
	waiting  []string
}

func (r *renaming) lacksNew(row index.Row) bool {
	return slices.Contains(row.Audience.Groups, r.from) && !slices.Contains(row.Audience.Groups, r.to)
}

func (r *renaming) hasBoth(row index.Row) bool {
	return slices.Contains(row.Audience.Groups, r.from) && slices.Contains(row.Audience.Groups, r.to)
}

// widen puts the new name beside the old one: nobody is in a group of that name
// yet.
func (r *renaming) widen(groups []string) []string { return append(slices.Clone(groups), r.to) }

func (r *renaming) narrow(groups []string) []string {
	return slices.DeleteFunc(slices.Clone(groups), func(g string) bool { return g == r.from })
}

func (r *renaming) replace(groups []string) []string { return r.narrow(r.widen(r.narrow(groups))) }

// pass rewrites the posts that want it, a batch under the lock at a time. When
// there are no more, the rest is done under the same lock, so that no post is
// made in between.
func (r *renaming) pass(ctx context.Context, wants func(index.Row) bool, change func([]string) []string, rest func(*index.Index, []index.Row) error) error {
	for more := true; more; {
		err := r.h.withIndex(ctx, func(x *index.Index) error {
			unlock, err := r.h.lock(ctx)
			if err != nil {
				return err
			}
			defer unlock()
			rows, err := r.rows(ctx, x)
			if err != nil {
				return err
			}
			var todo []index.Row
			for _, row := range rows {
				switch {
				case !wants(row):
				case row.State <= index.Tombstone:
					todo = append(todo, row)
				case row.State == index.Broken: // it would be lost to its readers
					return fmt.Errorf("%s is for the group, and cannot be read: %s", r.h.root.Path(r.me.Path(row.ID.Position)), row.Why)
				}
			}
			more = len(todo) > batch
			written, err := r.rewrite(todo[:min(len(todo), batch)], change)
			if err != nil {
				return err
			}
			if err := putAll(ctx, x, written); err != nil || more {
				return err
			}
			return rest(x, rows)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// rows are all posts of mine as they are now; the lock is held.
func (r *renaming) rows(ctx context.Context, x *index.Index) (rows []index.Row, err error) {
	known, err := r.h.folders(ctx, x, []tree{r.me})
	if err != nil {
		return nil, err
	}
	if err := r.h.scan(ctx, x, r.me, feed.Look{Known: known[r.me.Tree]}, unneeded); err != nil {
		return nil, err
	}
	err = x.View(ctx, func(v *index.View) (err error) {
		rows, err = v.Range(r.me.cert.Fingerprint(), "", last)
		return err
	})
	return rows, err
}

func putAll(ctx context.Context, x *index.Index, rows []index.Row) error {
	if len(rows) == 0 {
		return nil
	}
	return x.Update(context.WithoutCancel(ctx), func(tx *index.Tx) error {
		for _, row := range rows {
			if err := tx.Put(row); err != nil {
				return err
			}
		}
		return nil
	})
}

// renameDir renames the group itself, and before it the group in texts that are
// not served: restore must find it.
func (r *renaming) renameDir(*index.Index, []index.Row) error {
	author := r.me.cert.Fingerprint()
	for _, top := range []string{"trash", "history"} {
		dir := feed.Aside(top, author)
		entries, err := r.h.root.ReadDir(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := r.renameAside(dir + "/" + e.Name); err != nil {
				return err
			}
		}
	}
	return r.h.people.RenameGroup(r.from, r.to)
}

// renameRemoved: of a post whose file was removed by hand, the row alone says
// whom a Tombstone would be for. What waits to be signed is the person's own.
func (r *renaming) renameRemoved(x *index.Index, rows []index.Row) error {
	var removed []index.Row
	for _, row := range rows {
		if row.State <= index.Tombstone || !slices.Contains(row.Audience.Groups, r.from) {
			continue
		}
		if row.State != index.Removed {
			r.waiting = append(r.waiting, r.h.root.Path(r.me.Path(row.ID.Position)))
			continue
		}
		row.Audience.Groups = r.replace(row.Audience.Groups)
		removed = append(removed, row)
	}
	return putAll(context.Background(), x, removed)
}
