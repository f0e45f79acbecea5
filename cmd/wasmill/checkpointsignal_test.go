package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/host/control"
)

// terminable is a pipeline without an end, with checkpoints in ckpt.
var terminable = strings.Replace(plain, "{file: {path: in.txt}}", "{generator: {rate: 2000}}", 1) +
	"checkpoint: {storage: file://./ckpt, interval: 50ms, alignTimeout: 100ms}\n"

// terminated ends a process by SIGTERM, which has to exit with 0 in 30 s, with a last
// checkpoint, which it returns.
func (w *workshop) terminated(c *exec.Cmd, text interface{ String() string }) control.CheckpointEntry {
	w.Helper()
	began := time.Now()
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		w.Fatal(err)
	}
	if err := c.Wait(); err != nil || time.Since(began) > 30*time.Second {
		w.Fatalf("%v after %v: %s", err, time.Since(began), text)
	}
	newest := w.kept()[0]
	if newest.State != checkpoint.Complete || newest.Reason != checkpoint.ReasonFinal {
		w.Errorf("the newest checkpoint is %+v", newest)
	}
	return newest
}

// kept returns the checkpoints of the pipeline, the newest first.
func (w *workshop) kept() []control.CheckpointEntry {
	w.Helper()
	var list struct{ Checkpoints []control.CheckpointEntry }
	if exit := w.asJSON(&list, "checkpoint", "list", "p.yaml"); exit != 0 {
		w.Fatalf("exit %d", exit)
	}
	return list.Checkpoints
}

// TestATerminatedRunLeavesNothingToBeDoneAgain is K3: runs that are ended by SIGTERM
// make together what one makes that is not.
func TestATerminatedRunLeavesNothingToBeDoneAgain(t *testing.T) {
	w := newWorkshop(t)
	w.write("p.yaml", terminable)
	lines := 0
	for range 3 {
		c, text := w.process("run", "p.yaml")
		w.grows("out.txt", lines)
		w.terminated(c, text)
		all := strings.Split(strings.TrimSuffix(w.read("out.txt"), "\n"), "\n")
		for i, l := range all {
			if !strings.Contains(l, itoa(i)) || len(l) != 128 {
				t.Fatalf("line %d is %q", i, l)
			}
		}
		lines = len(all)
	}
}

// grows waits until a file has more than so many lines.
func (w *workshop) grows(name string, lines int) {
	w.Helper()
	if !soon(func() bool {
		text, err := os.ReadFile(filepath.Join(w.dir, name))
		return err == nil && strings.Count(string(text), "\n") > lines
	}) {
		w.Fatalf("%s does not grow", name)
	}
}

// TestATerminatedRunTakesAlongWhatDoesNotEnd is K3 with a call that goes on for an hour.
func TestATerminatedRunTakesAlongWhatDoesNotEnd(t *testing.T) {
	w := newWorkshop(t)
	a := abitest.NewGuest()
	a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil, abitest.Loop(), abitest.Br(0), abitest.Op(abitest.End), abitest.Const(8))
	w.write("plugins/spin.wasm", string(a.Bytes()))
	w.write("p.yaml", strings.NewReplacer(
		"plugin: identity", "plugin: spin, limits: {callDeadline: 1h}", "edges:", "edges:\n  - {from: in, to: direct}",
		"  - name: out\n", "  - {name: direct, sink: {file: {path: direct.txt}}}\n  - name: out\n",
	).Replace(terminable))
	c, text := w.process("run", "p.yaml")
	w.grows("direct.txt", 0)
	newest := w.terminated(c, text)
	manifests, err := filepath.Glob(filepath.Join(w.dir, "ckpt/p/gen-*", "*"+itoa(int(newest.Epoch)), "manifest.json"))
	if err != nil || len(manifests) != 1 {
		t.Fatalf("%v, %v", manifests, err)
	}
	if m, err := os.ReadFile(manifests[0]); err != nil || !strings.Contains(string(m), `"in_flight":`) {
		t.Errorf("%v: nothing is in flight in %s", err, m)
	}
}

// TestASecondSignalEndsARunWithCheckpointsAtOnce is the rest of K3. What was in none
// comes again.
func TestASecondSignalEndsARunWithCheckpointsAtOnce(t *testing.T) {
	w := newWorkshop(t)
	// A sink that blocks for ever: a named pipe that nobody reads on.
	pipe := filepath.Join(w.dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(pipe, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	w.write("p.yaml", strings.NewReplacer("rate: 2000", "size: 4096", "path: out.txt", "path: pipe").Replace(terminable))
	c, text := w.process("run", "p.yaml")
	if err := reader.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := reader.Read(make([]byte, 1)); err != nil { // until something came through
		t.Fatalf("%v: %s", err, text)
	}
	done := make(chan error, 1)
	go func() { done <- c.Wait() }()
	for ended := false; !ended; {
		select {
		case <-done:
			ended = true
		case <-time.After(50 * time.Millisecond): // until two have arrived
			_ = c.Process.Signal(syscall.SIGTERM)
		}
	}
	if got := c.ProcessState.ExitCode(); got != 143 {
		t.Errorf("exit %d: %s", got, text)
	}
	for _, c := range w.kept() {
		if c.Reason == checkpoint.ReasonFinal {
			t.Errorf("there is a last checkpoint: %+v", c)
		}
	}
	w.write("p.yaml", strings.Replace(terminable, "path: out.txt", "path: after.txt", 1))
	c, text = w.process("run", "p.yaml", "--allow-dropped-state")
	w.grows("after.txt", 0)
	w.terminated(c, text)
}
