package main

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/term"
)

// resize makes the terminal one of another size.
func (x *terminal) resize(t *testing.T, rows, columns uint16) {
	t.Helper()
	size := [4]uint16{rows, columns}
	if _, _, e := syscall.Syscall(syscall.SYS_IOCTL, x.person.Fd(), syscall.TIOCSWINSZ, uintptr(unsafe.Pointer(&size))); e != 0 {
		t.Fatal(e)
	}
}

func (x *terminal) types(t *testing.T, keys string) {
	t.Helper()
	if _, err := x.person.WriteString(keys); err != nil {
		t.Fatal(err)
	}
}

func TestTopOnATerminal(t *testing.T) {
	w := newWorkshop(t)
	at := w.serves("--set", "admin.listen=127.0.0.1:0")
	x := newTerminal(t)
	x.resize(t, 24, 80)
	before, err := term.GetState(int(x.process.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.types(t, "q\n") }) // for whoever still reads
	ended := make(chan int, 1)
	go func() {
		ended <- run(context.Background(), []string{"top", "--interval", "100ms", "--admin", at}, stdio{x.process, x.process, x.process})
	}()
	x.until(t, enterScreen)
	x.until(t, "VERTEX           ROLE")
	x.types(t, "s")
	x.until(t, "sort: in/s")
	x.types(t, " ")
	x.until(t, "FROZEN")
	x.resize(t, 10, 40)
	x.until(t, "\r\nVERTEX          OUT/S QUEUE          LAG")
	x.types(t, "q")
	if exit := <-ended; exit != 0 {
		t.Errorf("exit %d: %s", exit, x.text())
	}
	x.until(t, leaveScreen)
	after, err := term.GetState(int(x.process.Fd()))
	if err != nil || *after != *before {
		t.Errorf("the terminal is not as it was: %v", err)
	}
}

// TestTopLeavesTheScreenAtASignal interrupts a process of its own.
func TestTopLeavesTheScreenAtASignal(t *testing.T) {
	w := newWorkshop(t)
	at := w.serves("--set", "admin.listen=127.0.0.1:0")
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		x := newTerminal(t)
		c := exec.Command(exe, "top", "--admin", at)
		c.Stdin, c.Stdout, c.Stderr = x.process, x.process, x.process
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		x.until(t, "q quit")
		if err := c.Process.Signal(sig); err != nil {
			t.Error(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- c.Wait() }()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("%v: %v", sig, err)
			}
		case <-time.After(time.Minute):
			t.Fatalf("%v does not end it", sig)
		}
		x.until(t, leaveScreen)
		if !strings.HasSuffix(x.text(), leaveScreen) {
			t.Errorf("%v: behind the screen is %q", sig, x.text()[strings.LastIndex(x.text(), leaveScreen):])
		}
	}
}
