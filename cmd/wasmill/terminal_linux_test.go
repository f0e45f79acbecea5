package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"unsafe"
)

// terminal is a pseudo terminal: what a person would see and type.
type terminal struct {
	person, process *os.File

	mu   sync.Mutex
	seen strings.Builder // guarded by mu
}

func newTerminal(t *testing.T) *terminal {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	var number, unlock int32
	for request, arg := range map[uintptr]*int32{syscall.TIOCSPTLCK: &unlock, syscall.TIOCGPTN: &number} {
		if _, _, e := syscall.Syscall(syscall.SYS_IOCTL, person.Fd(), request, uintptr(unsafe.Pointer(arg))); e != 0 {
			t.Fatal(e)
		}
	}
	process, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	x := &terminal{person: person, process: process}
	read := make(chan struct{})
	go func() {
		defer close(read)
		buf := make([]byte, 1<<12)
		for {
			n, err := person.Read(buf)
			x.mu.Lock()
			x.seen.Write(buf[:n])
			x.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		process.Close()
		<-read
		person.Close()
	})
	return x
}

// text is what was to be seen so far.
func (x *terminal) text() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.seen.String()
}

// until waits for something to be seen.
func (x *terminal) until(t *testing.T, part string) {
	t.Helper()
	if !soon(func() bool { return strings.Contains(x.text(), part) }) {
		t.Fatalf("%q is not in %q", part, x.text())
	}
}

// run runs a command line at the terminal.
func (x *terminal) run(args ...string) chan int {
	ended := make(chan int, 1)
	go func() { ended <- run(context.Background(), args, stdio{x.process, io.Discard, x.process}) }()
	return ended
}

func TestFreshAsksOnATerminal(t *testing.T) {
	for answer, exit := range map[string]int{"n\n": 2, "\n": 2, "y\n": 0} {
		w := newLasting(t)
		w.runs(0)
		x := newTerminal(t)
		ended := x.run("run", "p.yaml", "--fresh")
		x.until(t, "delete ")
		if _, err := x.person.WriteString(answer); err != nil {
			t.Fatal(err)
		}
		if got := <-ended; got != exit {
			t.Errorf("%q: exit %d: %s", answer, got, x.text())
		}
		x.until(t, " of p in file://./ckpt? [y/N] ")
		if exit == 0 {
			x.until(t, "last checkpoint of p: epoch ")
		} else {
			x.until(t, "nothing has run")
		}
		records, err := filepath.Glob("ckpt/p/epochs/*1")
		if err != nil || (len(records) == 0) != (exit == 0) {
			t.Errorf("%q: there are %v, %v", answer, records, err)
		}
	}
}

func TestFreshDoesNotAskWhereJSONIsPrinted(t *testing.T) {
	w := newLasting(t)
	w.runs(0)
	x := newTerminal(t)
	if _, err := x.person.WriteString("y\n"); err != nil {
		t.Fatal(err)
	}
	if exit := <-x.run("run", "p.yaml", "--fresh", "--json"); exit != 2 || strings.Contains(x.text(), "[y/N]") {
		t.Errorf("exit %d: %s", exit, x.text())
	}
}

func TestATerminalShowsWhatARunGoesOnFrom(t *testing.T) {
	w := newLasting(t)
	w.runs(0)
	x := newTerminal(t)
	if exit := <-x.run("run", "p.yaml"); exit != 0 {
		t.Fatalf("exit %d: %s", exit, x.text())
	}
	for _, part := range []string{"nothing new was read since checkpoint ", "goes on from a checkpoint", "done: 0 records read", "last checkpoint of p: epoch ", "the next run goes on from it", "; --fresh reads all of it again"} {
		x.until(t, part) // what it has written arrives in parts
	}
}
