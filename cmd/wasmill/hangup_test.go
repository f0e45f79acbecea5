package main

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestAHangupTakesWhatIsDifferent edits a file that is not followed.
func TestAHangupTakesWhatIsDifferent(t *testing.T) {
	w := newWorkshop(t)
	w.write("p.yaml", terminable)
	c, text := w.process("run", "--follow=false", "p.yaml")
	w.grows("out.txt", 0)
	says := func(what string) {
		t.Helper()
		for range 1000 {
			if strings.Contains(text.String(), what) {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Fatalf("it does not say %q: %s", what, text)
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
	w.terminated(c, text)
}
