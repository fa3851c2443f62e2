package main

import (
	"bytes"
	"strings"

	"github.com/mdp/qrterminal/v3"
	"github.com/spf13/cobra"
	"rsc.io/qr"

	"github.com/p2ps/p2ps/pkg/text"
)

// How a QR code is shown. Without a word: as half blocks on a terminal, not at
// all in a pipe.
const (
	qrAnsi = "ansi"
	qrFull = "full"
	qrNone = "none"
	qrFile = "png:"
)

// addQR adds the flag --qr.
func addQR(cmd *cobra.Command, how *string) {
	cmd.Flags().StringVar(how, "qr", "", "show the QR code as `HOW`: ansi (half blocks), full, png:FILE or none (default: ansi on a terminal)")
	completeFlag(cmd, "qr", cobra.FixedCompletions([]string{qrAnsi, qrFull, qrFile, qrNone}, cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveNoSpace))
}

// checkQR says early that a --qr is none.
func checkQR(how string) error {
	switch {
	case how == "", how == qrAnsi, how == qrFull, how == qrNone:
		return nil
	case strings.HasPrefix(how, qrFile) && len(how) > len(qrFile):
		return nil
	}
	return usage("write ansi, full, png:FILE or none", "--qr: %q is no way to show a QR code", text.Clean(how))
}

// showQR shows what as a QR code. Where the window has no room for it the words
// that were printed before must do, and that is said.
func (e *env) showQR(what, how string) error {
	if how == "" && e.out && e.getenv("TERM") != "dumb" {
		how = qrAnsi
	}
	if how == "" || how == qrNone || e.json.on && !strings.HasPrefix(how, qrFile) {
		return nil
	}
	if name, ok := strings.CutPrefix(how, qrFile); ok {
		return e.writeQR(name, what)
	}
	width, height := e.window()
	lines, err := drawQR(what, how == qrFull, width, height-1) // the last line is the shell's
	if err != nil {
		return err
	}
	if lines == nil {
		e.say("the window is too small for the QR code: make it larger, or --qr png:FILE")
		return nil
	}
	_, err = e.stdout.Write([]byte(strings.Join(lines, "\n") + "\n"))
	if err != nil {
		return err
	}
	return e.stdout.Flush()
}

// writeQR writes a QR code as an image.
func (e *env) writeQR(name, what string) error {
	code, err := qr.Encode(what, qr.L)
	if err != nil {
		return usage("a QR code holds 2,953 bytes at most", "what is to be shown is too long for a QR code: %w", err)
	}
	if _, err := e.writeKey(name, code.PNG()); err != nil {
		return err
	}
	e.say("the QR code is in %s", name)
	return nil
}

// Black on white, whatever colors the window has: else a light theme inverts
// the code, and most readers find nothing.
const (
	blackOnWhite = "\x1b[30;107m"
	plainAgain   = "\x1b[0m"
)

// drawQR draws a code with as much white around it as there is room for, up to
// the four modules of the standard; nil if there is not even room for one.
func drawQR(what string, full bool, width, height int) ([]string, error) {
	for _, quiet := range []int{4, 3, 2, 1} {
		lines, cells, err := blocksQR(what, full, quiet)
		if err != nil {
			return nil, err
		}
		if cells <= width && len(lines) <= height {
			return lines, nil
		}
	}
	return nil, nil
}

// blocksQR draws a code in blocks, and says how many cells a line has.
func blocksQR(what string, full bool, quiet int) (lines []string, cells int, err error) {
	code, err := qr.Encode(what, qr.L)
	if err != nil {
		return nil, 0, usage("show it as text, or write it to a file", "what is to be shown is too long for a QR code: %w", err)
	}
	const black, upper, lower, white = "█", "▀", "▄", " "
	c := qrterminal.Config{Level: qr.L, HalfBlocks: !full, QuietZone: quiet, BlackChar: black, BlackWhiteChar: upper, WhiteBlackChar: lower, WhiteChar: white}
	cells = code.Size + 2*quiet
	if full {
		c.BlackChar, c.WhiteChar = black+black, white+white
		cells *= 2
	}
	var drawn bytes.Buffer
	c.Writer = &drawn
	qrterminal.GenerateWithConfig(what, c)
	for line := range strings.Lines(drawn.String()) {
		line = strings.TrimSuffix(line, "\n")
		// Where a border has half a line it is drawn for dark windows: here all of
		// it is white.
		if strings.Trim(line, upper) == "" || strings.Trim(line, lower) == "" {
			line = strings.Repeat(white, cells)
		}
		lines = append(lines, blackOnWhite+line+plainAgain)
	}
	return lines, cells, nil
}
