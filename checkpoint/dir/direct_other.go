//go:build !linux

package dir

import "os"

// write writes a file from its beginning.
func write(f *os.File, data []byte) error {
	_, err := f.Write(data)
	return err
}
