package disk

import (
	"errors"
	"io"
)

// ReadFile returns the bytes of a regular file of at most limit bytes, and its
// Stat as OpenFile does. Errors: fs.ErrNotExist, ErrNotRegular, ErrTooLarge.
func (r *Root) ReadFile(name string, limit int64) (data []byte, stat Stat, err error) {
	var file io.ReadCloser
	err = r.do(OpOpen, name, func(local string) (err error) {
		file, stat, err = r.openBriefly(local)
		return err
	})
	if err != nil {
		return nil, Stat{}, err
	}
	defer func() { _ = file.Close() }()
	if stat.Size > limit {
		return nil, Stat{}, r.fail(OpRead, name, ErrTooLarge)
	}
	data = make([]byte, 0, stat.Size+1) // the one more finds the end without growing
	for end := false; !end; {
		err := r.do(OpRead, name, func(string) error {
			n, err := file.Read(data[len(data):cap(data)])
			data = data[:len(data)+n]
			// All that its Stat promised, and there was room for more.
			end = errors.Is(err, io.EOF) || int64(len(data)) == stat.Size
			if end {
				return nil
			}
			return err
		})
		if err != nil {
			return nil, Stat{}, err
		}
		if int64(len(data)) > limit { // it grew since
			return nil, Stat{}, r.fail(OpRead, name, ErrTooLarge)
		}
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
	}
	return data, stat, nil
}
