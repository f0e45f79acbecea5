package trust

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// everybody is the permission of all users to write.
const everybody fs.FileMode = 0o002

// readFile reads a small regular file that has none of some permissions.
func readFile(path string, limit int64, denied fs.FileMode) ([]byte, error) {
	info, err := os.Stat(path) // before it is opened: opening a pipe would wait
	if err == nil && !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		if pe, ok := errors.AsType[*fs.PathError](err); ok {
			err = pe.Err
		}
		return nil, fmt.Errorf("it cannot be read: %w", err)
	}
	defer f.Close()
	if info, err = f.Stat(); err == nil && info.Mode().Perm()&denied != 0 {
		return nil, fmt.Errorf("others may use it (mode %04o): chmod %s", info.Mode().Perm(), remedy(denied))
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("it cannot be read: %w", err)
	case int64(len(data)) > limit:
		return nil, fmt.Errorf("it has more than %d bytes", limit)
	}
	return data, nil
}

func remedy(denied fs.FileMode) string {
	if denied == everybody {
		return "o-w"
	}
	return "go="
}
