package crash_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/wasmill/wasmill/host/stream"
)

// TestAStoppedProcessIsFenced is K4: a process that stands still while another takes
// over does no harm when it goes on, wherever it stood.
func TestAStoppedProcessIsFenced(t *testing.T) {
	for _, step := range []string{
		"in a call", "after a prepare", "mid upload", "the manifest before the record", "the record before the sinks",
		"before a commit", "after a commit", "mid collection",
	} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.two, w.PerKey = true, 200
			w.Step, w.Nth, w.Signal = step, 3, syscall.SIGSTOP
			old := w.start()
			old.halts(step)
			w.Step = "after a commit" // before so many that those of the old one are collected
			young := w.start()
			young.halts(w.Step)

			before, kept := w.files(), w.verified()
			old.signal(syscall.SIGCONT)
			if code := old.exit(); code != stream.ExitFenced || !strings.Contains(old.said.String(), string(stream.CheckpointFenced)) {
				t.Errorf("exit %d: %s", code, old.said.String())
			}
			w.untouched(before)
			if now := w.verified(); !slices.Equal(now, kept) {
				t.Errorf("checkpoints %v can be restored, it was %v", now, kept)
			}
			young.signal(syscall.SIGCONT)
			young.completes()
			w.check(true)
		})
	}
}

// files reads everything that is stored and shown, but for what is half written.
func (w *world) files() map[string][]byte {
	w.Helper()
	all := make(map[string][]byte)
	for _, folder := range []string{storeName, outName} {
		err := filepath.WalkDir(filepath.Join(w.dir, folder), func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && strings.HasPrefix(d.Name(), "."):
				return fs.SkipDir
			case d.Type().IsRegular():
				all[path], err = os.ReadFile(path)
			}
			return err
		})
		if err != nil {
			w.Fatal(err)
		}
	}
	return all
}

// untouched makes sure that all that was there is as it was, but for what never was
// published or is not kept, and for the sink without transactions; and that nothing is
// published or shown. A mark may come of what was published and committed before.
func (w *world) untouched(before map[string][]byte) {
	w.Helper()
	after := w.files()
	for path, was := range before {
		is, there := after[path]
		gone := !there && strings.Contains(path, storeName+"/"+pipelineName+"/")
		if !gone && !bytes.Equal(is, was) && filepath.Base(path) != againName {
			w.Errorf("%s was changed: it has %d bytes, and had %d", path, len(is), len(was))
		}
	}
	for path := range after {
		_, there := before[path]
		if folder := filepath.Base(filepath.Dir(path)); !there && (folder == "epochs" || folder == outName) {
			w.Errorf("%s is new", path)
		}
	}
}

// verified returns the newest checkpoints, as many as are kept, that are whole.
func (w *world) verified() (epochs []stream.Epoch) {
	w.Helper()
	r, done := w.reader()
	defer done()
	for _, c := range w.checkpoints() {
		report, err := r.Verify(w.Context(), c.Epoch)
		if err != nil {
			w.Fatal(err)
		}
		if len(report.Problems) == 0 && len(epochs) < w.Retain {
			epochs = append(epochs, c.Epoch)
		}
	}
	return epochs
}
