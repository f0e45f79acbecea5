package watch

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// meddler is a context that does something when a read asks whether it has ended.
type meddler struct {
	context.Context
	do func()
}

func (m *meddler) Err() error {
	m.do()
	m.do = func() {}
	return nil
}

func TestAFileThatIsWrittenWhileItIsReadIsTorn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	for name, do := range map[string]func(){
		"nothing happens":        func() {},
		"it grows":               func() { must(t, os.Truncate(path, 10)) },
		"it shrinks":             func() { must(t, os.Truncate(path, 1)) },
		"it is written anew":     func() { write(t, path, "two") },
		"another takes its name": func() { rename(t, path, "two") }, // what was read is whole
	} {
		for _, large := range []bool{false, true} {
			write(t, path, "one")
			old := time.Now().Add(-time.Hour)
			must(t, os.Chtimes(path, old, old))
			target := &New(Options{Targets: []Target{{Path: path, Large: large}}}).o.Targets[0]
			s := target.examine(&meddler{t.Context(), do}, path, sight{}, true)
			whole := name == "nothing happens" || name == "another takes its name"
			if s.state != Present || s.torn == whole || whole && s.hash != hashOf("one") {
				t.Errorf("%s: %+v", name, s)
			}
			if (s.data == nil) != large {
				t.Errorf("large is %v, and the data is %q", large, s.data)
			}
		}
	}
}
