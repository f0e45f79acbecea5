//go:build !linux || !(amd64 || arm64)

package dir

import "os"

// disk writes files.
type disk struct{}

// write writes a file that is empty, and has it on the disk when it returns.
func (*disk) write(f *os.File, data []byte) error {
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.Sync()
}

// sync makes a file, or the names in a folder, durable.
func (*disk) sync(f *os.File) error { return f.Sync() }

func (*disk) close() {}
