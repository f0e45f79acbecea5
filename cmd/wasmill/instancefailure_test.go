package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/wasmill/wasmill/host/instance"
)

// TestInstanceIsResumedAfterItWasKilled is L9, and what a worker does without its keeper.
func TestInstanceIsResumedAfterItWasKilled(t *testing.T) {
	w := newBackground(t)
	w.does(0, "create", "a", "-f", "p.yaml", "--wait")
	w.grows("out.txt", 2)
	kill := func(pid int, s syscall.Signal) {
		t.Helper()
		if err := syscall.Kill(pid, s); err != nil {
			t.Fatal(err)
		}
	}
	first := w.seen("a")
	kill(first.Worker, syscall.SIGKILL)
	w.until("another worker", func() bool { s := w.stored(); return s.Worker != first.Worker && s.Ready && s.PID == first.PID })

	second := w.stored()
	kill(second.Worker, syscall.SIGSTOP) // it cannot end by itself
	kill(second.PID, syscall.SIGKILL)
	w.until("the keeper's end", func() bool { return w.stored().PID == 0 })
	if s := w.stored(); s.State != instance.Failed || !strings.Contains(s.Reason, "its process was gone") || s.Worker != second.Worker {
		t.Errorf("without its keeper it is %+v", s)
	}
	w.does(2, "shutdown", "a")
	text := w.does(3, "resume", "a", "--wait", "--timeout", "300ms") // L7
	if !strings.Contains(text, "instance-timeout") || !strings.Contains(text, "starting") {
		t.Errorf("resume says %s", text)
	}
	if s := w.stored(); s.State != instance.Starting || s.Worker != second.Worker {
		t.Errorf("it is %+v", s)
	}
	if text := w.does(3, "shutdown", "a"); !strings.Contains(text, "a worker that has lost its keeper, has not ended yet") {
		t.Errorf("shutdown says %s", text)
	}
	kill(second.Worker, syscall.SIGCONT)
	w.does(0, "resume", "a", "--wait", "--force") // which waits for it to end by itself
	w.append("in.txt", "four\n")
	w.grows("out.txt", 3)
	if got := w.read("out.txt"); got != "one\ntwo\nthree\nfour\n" {
		t.Errorf("out.txt has %q", got)
	}

	third := w.stored()
	kill(third.PID, syscall.SIGKILL)
	w.until("the end of both", func() bool { s := w.stored(); return s.PID+s.Worker == 0 })
	w.does(0, "delete", "a", "--yes")
}

// TestInstanceGoesOnWhenItsWorkerAloneIsToldToEnd sends each signal that does so to the worker: all
// that it has read goes through, and another one follows, as no command has ended the instance.
func TestInstanceGoesOnWhenItsWorkerAloneIsToldToEnd(t *testing.T) {
	w := newBackground(t)
	w.does(0, "create", "a", "-f", "p.yaml", "--wait")
	for n, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		was := w.stored()
		if err := syscall.Kill(was.Worker, sig); err != nil {
			t.Fatal(err)
		}
		w.until("another one is ready", func() bool {
			now := w.stored()
			if now.PID != was.PID {
				t.Fatalf("it has another keeper: %+v", now)
			}
			return now.Ready && now.Worker != was.Worker
		})
		if log := w.read("home/a/log"); strings.Count(log, "its worker was ended by signal 15 (terminated), which no wasmill shutdown has sent: another one follows") != n+1 {
			t.Errorf("after %v it says %s", sig, log)
		}
		w.append("in.txt", "more\n")
		w.grows("out.txt", 3+n)
	}
	if text := w.does(0, "shutdown", "a"); !strings.Contains(text, "it was shut down, and all that was read is through") || strings.Contains(w.read("home/a/log"), "sources have ended") {
		t.Errorf("shutdown says %s", text)
	}
	if got := w.read("out.txt"); got != "one\ntwo\nthree\nmore\nmore\n" {
		t.Errorf("it has written %q", got)
	}
}

// TestInstanceWhoseWorkerCannotBeStarted says so, and that another one follows, and goes on by itself
// when that is mended.
func TestInstanceWhoseWorkerCannotBeStarted(t *testing.T) {
	w := newBackground(t)
	folder := filepath.Join(w.dir, "work")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	w.Chdir("work")
	w.does(0, "create", "a", "-f", "../p.yaml", "--plugins", "../plugins", "--wait")
	w.Chdir("..")
	if err := os.Rename(folder, folder+".away"); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(w.stored().Worker, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	w.until("it says so", func() bool {
		reason := w.stored().Reason
		return strings.HasPrefix(reason, "its worker cannot be started: the working folder of the instance is gone: stat "+folder) && strings.HasSuffix(reason, "; another one follows")
	})
	if log := w.read("home/a/log"); !strings.Contains(log, `no such file or directory: another one follows","instance":"a","in":"`) {
		t.Errorf("the log has no time: %s", log)
	}
	if err := os.Rename(folder+".away", folder); err != nil {
		t.Fatal(err)
	}
	w.until("it goes on", func() bool { return w.stored().Ready })
}

// TestInstanceWhoseStartTakesTooLong is L7: a sink waits for a reader. It is left as it is, and can be
// shut down, resumed, killed and deleted.
func TestInstanceWhoseStartTakesTooLong(t *testing.T) {
	w := newBackground(t)
	pipe := filepath.Join(w.dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	w.write("p.yaml", strings.Replace(plain, "path: out.txt", "path: pipe", 1))
	text := w.does(3, "create", "a", "-f", "p.yaml", "--wait", "--timeout", "500ms", "--set", "shutdown.grace=50ms")
	if !strings.Contains(text, "instance-timeout") || !strings.Contains(text, "wasmill shutdown a") || !strings.Contains(text, "wasmill delete a --force") {
		t.Errorf("create says %s", text)
	}
	if s := w.seen("a"); s.State != instance.Starting || s.Ready {
		t.Errorf("it is %+v", s)
	}
	w.until("its worker waits for the reader", func() bool { return w.stored().Progress != nil })
	if text := w.does(3, "shutdown", "a"); !strings.Contains(text, "instance-failed") || !strings.Contains(text, "drain-timeout") {
		t.Errorf("shutdown says %s", text)
	}
	if s := w.seen("a"); s.State != instance.Stopped || !strings.Contains(s.Reason, "not all that was read went through") {
		t.Errorf("it is %+v", s)
	}
	reader, err := os.OpenFile(pipe, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	w.does(0, "resume", "a", "--wait")
	w.until("its end", func() bool { return w.stored().State == instance.Stopped })
	if s := w.seen("a"); s.Reason != "its sources have ended" {
		t.Errorf("it is %+v", s)
	}
	got := make([]byte, 64)
	if n, err := reader.Read(got); err != nil || !bytes.HasPrefix([]byte("one\ntwo\nthree\n"), got[:n]) {
		t.Errorf("%q, %v", got[:n], err)
	}
	w.does(0, "delete", "a", "--yes")
}

// TestInstanceThatFailsForGood has a worker whose input is wrong: it is not started again, and says why.
func TestInstanceThatFailsForGood(t *testing.T) {
	w := newBackground(t)
	w.write("p.yaml", strings.Replace(plain, "in.txt", "later.txt", 1))
	text := w.does(3, "create", "a", "-f", "p.yaml", "--wait")
	if !strings.Contains(text, "[input-missing]") || !strings.Contains(text, "wasmill resume a") {
		t.Errorf("create says %s", text)
	}
	if s := w.seen("a"); s.State != instance.Failed || !strings.Contains(s.Reason, "later.txt") {
		t.Errorf("it is %+v", s)
	}
	w.write("later.txt", "now\n")
	w.does(0, "resume", "a", "--wait")
	w.until("its end", func() bool { return w.stored().State == instance.Stopped })
	if got := w.read("out.txt"); got != "now\n" {
		t.Errorf("out.txt has %q", got)
	}
}
