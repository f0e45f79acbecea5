package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
)

// TestWhatIsStuckDoesNotKeepTheProcess is B2: a run that does not drain within
// shutdown.grace ends with an error that names what is stuck.
func TestWhatIsStuckDoesNotKeepTheProcess(t *testing.T) {
	const stuck = "[drain-timeout]"
	endless := strings.NewReplacer("{file: {path: in.txt}}", "{generator: {size: 4096}}")
	ends := func(t *testing.T, w *workshop, pipeline string, until func(), says ...string) {
		w.write("p.yaml", pipeline)
		c, text := w.process("run", "p.yaml", "--quiet", "--set", "shutdown.grace=50ms")
		until()
		if err := c.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait()
		if got := c.ProcessState.ExitCode(); got != 3 {
			t.Errorf("exit %d: %s", got, text)
		}
		for _, s := range append(says, stuck, "not through after 50ms") {
			if !strings.Contains(text.String(), s) {
				t.Errorf("%q is not in %s", s, text)
			}
		}
	}
	t.Run("a sink in a system call that does not return", func(t *testing.T) {
		w := newWorkshop(t)
		pipe := filepath.Join(w.dir, "pipe")
		if err := syscall.Mkfifo(pipe, 0o600); err != nil {
			t.Fatal(err)
		}
		reader, err := os.OpenFile(pipe, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer reader.Close()
		ends(t, w, strings.Replace(endless.Replace(plain), "path: out.txt", "path: pipe", 1), func() {
			if _, err := reader.Read(make([]byte, 1)); err != nil { // until something came through
				t.Fatal(err)
			}
		}, "out holds ", "records in processing", "the oldest in flight for ")
	})
	t.Run("a guest that does not return", func(t *testing.T) {
		w := newWorkshop(t)
		a := abitest.NewGuest()
		a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil, abitest.Loop(), abitest.Br(0), abitest.Op(abitest.End), abitest.Const(8))
		w.write("plugins/spin.wasm", string(a.Bytes()))
		text := strings.Replace(endless.Replace(plain), "plugin: identity", "plugin: spin, limits: {callDeadline: 1h}", 1)
		ends(t, w, strings.Replace(text, "edges:", "edges:\n  - {from: in, to: out}", 1), func() { w.waitFor("out.txt") }, "f holds ")
	})
}
