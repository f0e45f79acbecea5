package file

import "os"

// Between puts a test between a sink and the disk: step is called before each
// named step, write instead of WriteAt. Both may be nil.
func (s *Sink) Between(step func(name string) error, write func(f *os.File, data []byte, off int64) (int, error)) {
	s.disk = disk{step: step, write: write}
}

// CheckCommit reads a commit and writes it again.
func CheckCommit(text []byte) ([]byte, error) {
	c, err := parseCommit(text)
	if err != nil {
		return nil, err
	}
	return c.append(), nil
}
