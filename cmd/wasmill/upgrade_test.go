package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/wasmill/wasmill/host/instance"
	"github.com/wasmill/wasmill/host/stream"
)

// binary is wasmill in another version, as a file.
func (w *background) binary(version string) string {
	w.Helper()
	exe, err := os.Executable()
	if err != nil {
		w.Fatal(err)
	}
	data, err := os.ReadFile(exe)
	if err != nil {
		w.Fatal(err)
	}
	name := filepath.Join(w.dir, "wasmill-"+version)
	if err := os.WriteFile(name, append(data, version...), 0o700); err != nil { // what follows an executable is not run
		w.Fatal(err)
	}
	return name
}

// by runs a command line with a binary, which has to end with a code, and returns what it says.
func (w *background) by(exit int, binary string, args ...string) string {
	w.Helper()
	c := exec.CommandContext(w.Context(), binary, args...)
	var said bytes.Buffer
	c.Stdout, c.Stderr = &said, &said
	_ = c.Run()
	if got := c.ProcessState.ExitCode(); got != exit {
		log, _ := os.ReadFile(filepath.Join(w.dir, "home", "a", "log"))
		w.Fatalf("%s %v: exit %d: %s\n%s", filepath.Base(binary), args, got, &said, log)
	}
	return said.String()
}

// feed appends numbered lines to in.txt until stop, which returns how many there are.
func (w *background) feed() (stop func() int) {
	n, end := 0, make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for {
			for range 20 {
				w.append("in.txt", fmt.Sprintf("line %d\n", n))
				n++
			}
			select {
			case <-end:
				return
			default:
			}
		}
	})
	return func() int { close(end); writer.Wait(); return n }
}

// hasAll waits until out.txt has all that was fed, and fails if a line is lost, doubled or in
// another place.
func (w *background) hasAll(fed int) {
	w.Helper()
	want := w.read("in.txt")
	w.until("all records", func() bool { out, _ := os.ReadFile("out.txt"); return len(out) >= len(want) })
	if got := w.read("out.txt"); got != want {
		w.Errorf("of %d lines %d are there, %d of them once", fed, strings.Count(got, "\n"), len(once(got)))
	}
}

func once(text string) map[string]bool {
	lines := map[string]bool{}
	for line := range strings.Lines(text) {
		lines[line] = true
	}
	return lines
}

// TestInstanceIsUpgradedUnderLoad has three binaries, of which the last one's worker crashes: no
// record is lost or doubled, and the one before goes on.
func TestInstanceIsUpgradedUnderLoad(t *testing.T) {
	w := newBackground(t)
	one, two, bad := w.binary("v1.0.0"), w.binary("v2.0.0"), w.binary("v3.0.0-dies")
	w.by(0, one, "create", "a", "-f", "p.yaml", "--wait")
	stop := w.feed()
	w.grows("out.txt", 2)
	first := w.seen("a")
	if first.Binary.Version != "v1.0.0" || first.Binary.Path != one || first.Binary.SHA256 == "" || first.Upgrade != nil {
		t.Errorf("it runs with %+v", first.Binary)
	}
	if text := w.by(2, one, "upgrade", "a"); !strings.Contains(text, "there is nothing to do") {
		t.Errorf("an upgrade to the same says %s", text)
	}
	if text := w.by(0, two, "upgrade", "a"); !strings.Contains(text, "a is upgraded to v2.0.0 and ready") {
		t.Errorf("the upgrade says %s", text)
	}
	second := w.seen("a")
	if second.Binary.Version != "v2.0.0" || second.PID == first.PID || !second.Ready || second.Version != "v1.0.0" {
		t.Errorf("it is %+v", second)
	}
	w.grows("out.txt", 2)

	text := w.by(3, bad, "upgrade", "a")
	if !strings.Contains(text, "the upgrade to wasmill v3.0.0-dies") || !strings.Contains(text, "worker died") {
		t.Errorf("the upgrade says %s", text)
	}
	back := two + " resume a --home " + filepath.Join(w.dir, "home")
	if !strings.Contains(text, "fix: "+back+" goes on with v2.0.0") {
		t.Errorf("no way back in %s", text)
	}
	if s := w.stored(); s.State != instance.Failed || s.Binary.Version != "v2.0.0" || !strings.Contains(s.Reason, "the upgrade to wasmill v3.0.0-dies") {
		t.Errorf("it is %+v", s)
	}
	for _, wrong := range []string{one, bad} {
		if text := w.by(2, wrong, "resume", "a"); !strings.Contains(text, string(stream.InstanceVersion)) || !strings.Contains(text, "wasmill upgrade a") {
			t.Errorf("resume says %s", text)
		}
	}
	w.by(0, "/bin/sh", "-c", back+" --wait")
	w.hasAll(stop())
	w.by(0, one, "upgrade", "a") // the way back
	if s := w.seen("a"); s.Binary.Version != "v1.0.0" || !s.Ready {
		t.Errorf("it is %+v", s)
	}
	w.append("in.txt", "the last\n")
	w.hasAll(0)
	w.does(0, "delete", "a", "--force", "--yes")
}

// TestInstanceOfADevelopmentBuildIsResumedByTheNext, which the log tells; one that was not ready in
// time is drained and ended.
func TestInstanceOfADevelopmentBuildIsResumedByTheNext(t *testing.T) {
	w := newBackground(t)
	one, two, hangs := w.binary("v0.0.0-20260301120000-0123456789ab"), w.binary("v0.0.0-20260302120000-ba9876543210+dirty"), w.binary("v2.0.0-hangs")
	w.by(0, one, "create", "a", "-f", "p.yaml", "--wait")
	w.grows("out.txt", 2)
	w.by(0, two, "shutdown", "a")
	w.by(0, two, "resume", "a", "--wait")
	if s := w.seen("a"); s.Binary.Path != two {
		t.Errorf("it runs with %+v", s.Binary)
	}
	if text := w.does(0, "logs", "a", "-n", "-1"); !strings.Contains(text, "another binary has the instance than before") {
		t.Errorf("the log is %s", text)
	}
	text := w.by(3, hangs, "upgrade", "a", "--timeout", "300ms")
	for _, want := range []string{"the upgrade to wasmill v2.0.0-hangs", "was not ready within 300ms", "it is stopped", two + " resume a"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
	if s := w.stored(); s.Binary.Path != two || s.PID+s.Worker != 0 || !strings.Contains(s.Reason, two+" resume a") {
		t.Errorf("it is %+v", s)
	}
	if text := w.by(2, hangs, "resume", "a"); !strings.Contains(text, string(stream.InstanceVersion)) {
		t.Errorf("resume by a release says %s", text)
	}
	w.append("in.txt", "four\n")
	w.by(0, two, "resume", "a", "--wait")
	w.hasAll(4)
}
