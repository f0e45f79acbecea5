package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
)

// TestInstanceKeepsToItsBinary replaces the file of the binary, as packages of distributions do, and
// kills the worker: the next one is of the old binary, until the new one is told to take over.
func TestInstanceKeepsToItsBinary(t *testing.T) {
	w := newBackground(t)
	one, next := w.binary("v1.0.0"), w.binary("next")
	w.by(0, one, "create", "a", "-f", "p.yaml", "--wait")
	was := w.stored()
	if err := os.Rename(next, one); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(was.Worker, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	w.until("another worker", func() bool { s := w.stored(); return s.Worker != was.Worker && s.Ready })
	runs := func() string {
		link, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", w.stored().Worker))
		if err != nil {
			t.Fatal(err)
		}
		return link
	}
	if got := runs(); got != one+" (deleted)" {
		t.Errorf("the worker is %s", got)
	}
	if text := w.by(0, one, "upgrade", "a"); !strings.Contains(text, "a is upgraded to") {
		t.Errorf("the upgrade says %s", text)
	}
	if got := runs(); got != one {
		t.Errorf("upgraded, the worker is %s", got)
	}
}
