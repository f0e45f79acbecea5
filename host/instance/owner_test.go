package instance

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

func TestAnOwnerIsToldFromOthersWithItsNumber(t *testing.T) {
	running := map[int]string{10: "500", 11: "", 12: "700"}
	look := func(pid int) (string, bool) { start, ok := running[pid]; return start, ok }
	for _, c := range []struct {
		name  string
		owner Owner
		lives bool
	}{
		{"the process runs", Owner{10, "500", "b"}, true},
		{"no process has the number", Owner{13, "500", "b"}, false},
		{"another process has the number", Owner{10, "499", "b"}, false},
		{"another process has the number since a boot", Owner{10, "500", "a"}, false},
		{"the system does not tell when it began", Owner{11, "", "b"}, true},
		{"nothing was written", Owner{}, false},
		{"a group of processes", Owner{-10, "500", "b"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.owner.lives("b", look); got != c.lives {
				t.Errorf("it lives: %v", got)
			}
		})
	}
}

// TestOnlyTheOwnerGetsASignal has a process whose number is in a lock with another start.
func TestOnlyTheOwnerGetsASignal(t *testing.T) {
	c := exec.Command("sleep", "60")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer c.Process.Kill()
	start, ok := startOf(c.Process.Pid)
	if !ok || start == "" {
		t.Skip("this system does not tell when a process began")
	}
	right := Owner{c.Process.Pid, start, bootID()}
	for _, other := range []Owner{{right.PID, start + "0", right.Boot}, {right.PID, start, right.Boot + "x"}} {
		if err := other.signal(syscall.SIGKILL); !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("%v: %v", other, err)
		}
	}
	if err := right.signal(syscall.SIGUSR1); err != nil || right.alive() && c.ProcessState != nil {
		t.Error(err)
	}
	err := c.Wait() // its parent has not waited before: what is left of it is not alive
	if state := c.ProcessState.Sys().(syscall.WaitStatus); err == nil || state.Signal() != syscall.SIGUSR1 {
		t.Errorf("it ended with %v: one that was not for it came first", state.Signal())
	}
	if right.alive() {
		t.Error("it lives")
	}
}

func TestALockHasOneOwner(t *testing.T) {
	name := filepath.Join(t.TempDir(), lockFile)
	if _, ok := ownerOf(name); ok {
		t.Error("a lock that is not there has an owner")
	}
	first, err := take(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := take(name); !errors.Is(err, errHeld) {
		t.Errorf("a second: %v", err)
	}
	if o, ok := ownerOf(name); !ok || o != self() {
		t.Errorf("the owner is %v, %v", o, ok)
	}
	first.release()
	if o, ok := ownerOf(name); ok {
		t.Errorf("%v owns what was given back", o)
	}
	again, err := take(name)
	if err != nil {
		t.Fatal(err)
	}
	again.release()
}

// TestALockOfADeadProcessIsFree has the text of one that lived in another boot, and that of
// what was torn by a crash.
func TestALockOfADeadProcessIsFree(t *testing.T) {
	name := filepath.Join(t.TempDir(), lockFile)
	for _, text := range []string{`{"pid": 1, "start": "1", "boot": "before"}`, `{"pid": 1, "st`, ""} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if o, ok := ownerOf(name); ok {
			t.Errorf("%q has the owner %v", text, o)
		}
		l, err := take(name)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		l.release()
	}
}
