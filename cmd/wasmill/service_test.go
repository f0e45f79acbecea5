package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestAServiceTellsItsManager runs the process as systemd does, with a watchdog.
func TestAServiceTellsItsManager(t *testing.T) {
	w := newWorkshop(t)
	w.write("p.yaml", terminable)
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(w.dir, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	heard := ""
	hears := func(what string) {
		t.Helper()
		text := make([]byte, 4096)
		for is := regexp.MustCompile("(?m)^" + what); ; {
			n, err := l.Read(text)
			if err != nil {
				t.Fatalf("it does not say %s: %v; it said %s", what, err, heard)
			}
			if heard += string(text[:n]) + "\n"; is.Match(text[:n]) {
				return
			}
		}
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(w.dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	c := exec.CommandContext(t.Context(), exe, "run", "--follow=false", "p.yaml")
	c.Dir, c.Stderr = w.dir, log
	c.Env = append(os.Environ(), "NOTIFY_SOCKET="+filepath.Join(w.dir, "notify"), "WATCHDOG_USEC=200000")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	hears("READY=1$")
	if !strings.Contains(heard, "STATUS=1 of 1 pipeline ready\n") {
		t.Errorf("it said %s", heard)
	}
	hears("WATCHDOG=1$")
	w.write("p.yaml", strings.Replace(terminable, "50ms", "70ms", 1))
	if err := c.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	hears(`RELOADING=1\nMONOTONIC_USEC=\d+`)
	hears("READY=1$")
	if !strings.Contains(w.read("log"), "checkpoint.interval: 50ms → 70ms") {
		t.Errorf("it was ready again before that was in force: %s", w.read("log"))
	}
	hears("WATCHDOG=1$")
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	hears("STOPPING=1$")
	if err := c.Wait(); err != nil {
		t.Errorf("%v: %s", err, w.read("log"))
	}
}
