package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// contained has a shell script run as the first process of new namespaces, whose root is
// read-only but for the folder of the workshop.
func (w *workshop) contained(script string) *exec.Cmd {
	w.Helper()
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		w.Skip("no unshare")
	}
	flags := []string{"--pid", "--fork", "--mount", "--mount-proc", "--kill-child"}
	if out, err := exec.Command(unshare, append(flags, "true")...).CombinedOutput(); err != nil {
		flags = append(flags, "--map-root-user")
		if mapped, err := exec.Command(unshare, append(flags, "true")...).CombinedOutput(); err != nil {
			w.Skipf("no namespaces: %s%s", out, mapped)
		}
	}
	setup := fmt.Sprintf("set -e; mount --make-rprivate /; mount --bind '%s' '%s'; mount -o remount,bind,ro /; cd '%s'; ! touch /written 2>/dev/null; ", w.dir, w.dir, w.dir)
	if out, err := exec.Command(unshare, append(flags, "sh", "-c", setup)...).CombinedOutput(); err != nil {
		w.Skipf("no read-only root: %v: %s", err, out)
	}
	c := exec.CommandContext(w.Context(), unshare, append(flags, "sh", "-c", setup+script)...)
	c.Dir = w.dir
	return c
}

// TestTheFirstProcessOfAContainer is one without an init: SIGTERM drains it, nothing is
// written outside of its folders, and it takes in those whose parents are gone.
func TestTheFirstProcessOfAContainer(t *testing.T) {
	for _, how := range []string{"", "--supervise"} {
		t.Run("run "+how, func(t *testing.T) {
			w := newWorkshop(t)
			w.write("p.yaml", terminable)
			exe, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			orphan := filepath.Join(w.dir, "orphan")
			if err := syscall.Mkfifo(orphan, 0o600); err != nil {
				t.Fatal(err)
			}
			// The orphan is started before exec, and has another process as parent. It lives until
			// this test has opened what it reads.
			c := w.contained(fmt.Sprintf("(cat orphan & echo) >/dev/null; export TMPDIR=/nowhere HOME=/nowhere; exec '%s' run %s p.yaml --set admin.listen=unix:admin.sock 2>log", exe, how))
			var text bytes.Buffer
			c.Stderr = &text
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			w.grows("out.txt", 0)
			first := w.firstOf(c.Process.Pid)
			if n := w.children(first, "cat"); n != 1 {
				t.Fatalf("it has %d orphans", n)
			}
			end, err := os.OpenFile(orphan, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			end.Close()
			n := 1 // it is there until it is taken in, also when it has ended
			for looks := 0; n > 0 && looks < 1000; looks++ {
				time.Sleep(10 * time.Millisecond)
				n = w.children(first, "cat")
			}
			if n != 0 {
				t.Errorf("%d have ended and are not taken in", n)
			}
			if err := syscall.Kill(first, syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if err := c.Wait(); err != nil {
				t.Errorf("%v: %s%s", err, text.String(), w.read("log"))
			}
			if !strings.Contains(w.read("log"), "draining") {
				t.Errorf("it did not drain: %s", w.read("log"))
			}
		})
	}
}

// TestACacheThatNobodyCanWriteToIsDoneWithout: a folder of an image, or a volume that is
// mounted read-only.
func TestACacheThatNobodyCanWriteToIsDoneWithout(t *testing.T) {
	w := newWorkshop(t)
	w.write("p.yaml", plain)
	w.write("kept/wasm/there", "")
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := w.contained(fmt.Sprintf("mount --bind kept kept; mount -o remount,bind,ro kept; exec '%s' run p.yaml --follow=false --set cache.dir=kept --set admin.listen=unix:admin.sock 2>&1", exe))
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if !strings.Contains(string(out), "compiled plugins are not kept") || !strings.Contains(string(out), "mounted read-only") {
		t.Errorf("it does not say so: %s", out)
	}
	if got := w.read("out.txt"); got != w.read("in.txt") {
		t.Errorf("it wrote %q", got)
	}
}

// firstOf is the process that unshare has started.
func (w *workshop) firstOf(unshare int) (pid int) {
	w.Helper()
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", unshare, unshare))
	if err != nil {
		w.Skip(err)
	}
	if _, err := fmt.Sscan(string(children), &pid); err != nil {
		w.Fatal(err)
	}
	return pid
}

// children counts those of a process that run a command, also those that have ended and were not
// waited for.
func (w *workshop) children(parent int, command string) (n int) {
	w.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		w.Fatal(err)
	}
	for _, name := range stats {
		text, _ := os.ReadFile(name)
		before, after, ok := bytes.Cut(text, []byte("("+command+") "))
		var state string
		var of int
		if _, err := fmt.Sscan(string(after), &state, &of); ok && len(before) > 0 && err == nil && of == parent {
			n++
		}
	}
	return n
}
