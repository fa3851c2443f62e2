//go:build unix

package disk

import "fmt"

// Private returns ErrExposed, with the command that helps, if anybody but the
// owner may read or write a file or directory.
func (r *Root) Private(name string) error {
	info, err := r.Lstat(name)
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o077 == 0 {
		return nil
	}
	mode := "600"
	if info.IsDir() {
		mode = "700"
	}
	return fmt.Errorf("%s: %w: run chmod %s %s", r.Path(name), ErrExposed, mode, shellWord(r.Path(name)))
}
