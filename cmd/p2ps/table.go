package main

import (
	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
)

// A listing is a result of several lines: JSON Lines, or in a pipe columns with
// tabs between them, or on a terminal a table.
type listing struct {
	e     *env
	heads []string
	rows  [][]string
}

// list begins a listing; heads are the names of the columns on a terminal. End
// it with end.
func (e *env) list(heads ...string) *listing { return &listing{e: e, heads: heads} }

// add writes one line: v as JSON, or the columns.
func (l *listing) add(v any, columns ...string) error {
	if l.e.json.on || !l.e.out {
		return l.e.line(v, columns)
	}
	l.rows = append(l.rows, cleaned(columns))
	return nil
}

// end draws the table, if it is to be one.
func (l *listing) end() error {
	if len(l.rows) == 0 {
		return l.e.stdout.Flush()
	}
	off := tw.Off
	table := tablewriter.NewTable(l.e.stdout,
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders:  tw.BorderNone,
			Settings: tw.Settings{Lines: tw.LinesNone, Separators: tw.SeparatorsNone},
		})),
		tablewriter.WithHeaderAutoFormat(off),
		tablewriter.WithHeaderAlignment(tw.AlignLeft),
		tablewriter.WithRowAlignment(tw.AlignLeft),
		tablewriter.WithRowAutoWrap(tw.WrapNone),
		tablewriter.WithPadding(tw.Padding{Right: "  ", Overwrite: true}),
	)
	table.Header(l.heads)
	if err := table.Bulk(l.rows); err != nil {
		return err
	}
	if err := table.Render(); err != nil {
		return err
	}
	return l.e.stdout.Flush()
}
