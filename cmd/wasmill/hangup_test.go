package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestAHangupTakesWhatIsDifferent edits a file that is not followed.
func TestAHangupTakesWhatIsDifferent(t *testing.T) {
	w := newWorkshop(t)
	w.write("p.yaml", terminable)
	log, err := os.Create(filepath.Join(w.dir, "log")) // to be read while it is written
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), exe, "run", "--follow=false", "p.yaml")
	c.Dir, c.Stderr = w.dir, log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	w.grows("out.txt", 0)
	says := func(what string) {
		t.Helper()
		if !soon(func() bool { return strings.Contains(w.read("log"), what) }) {
			t.Fatalf("it does not say %q: %s", what, w.read("log"))
		}
	}
	for _, step := range []struct{ file, says string }{
		{strings.Replace(terminable, "50ms", "70ms", 1), `checkpoint.interval: 50ms → 70ms`},
		{terminable + "more: 1\n", `is not a key here`},
	} {
		w.write("p.yaml", step.file)
		if err := c.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		says(step.says)
	}
	w.write("p.yaml", terminable) // for those that read it after the run
	w.terminated(c, logged{w})
}

// logged is the file log, for messages.
type logged struct{ w *workshop }

func (l logged) String() string { return l.w.read("log") }
