//go:build linux

package wasm

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestAChildThatCompilesHasALowPriority looks at the threads of a child while it
// compiles.
func TestAChildThatCompilesHasALowPriority(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := exec.CommandContext(ctx, exe, "compile", t.TempDir(), "1024", fmt.Sprint(1<<30), time.Minute.String())
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Write(bomb()); err != nil { // longer than a pipe takes: it reads
		t.Fatal(err)
	}
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", c.Process.Pid))
	if err != nil || len(threads) == 0 {
		t.Fatal(threads, err)
	}
	for _, thread := range threads {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/stat", c.Process.Pid, thread.Name()))
		if err != nil {
			t.Fatal(err)
		}
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		if nice := fields[16]; nice != fmt.Sprint(compileNice) { // field 19 of proc_pid_stat(5)
			t.Errorf("thread %s has priority %s", thread.Name(), nice)
		}
	}
	cancel()
	if err := c.Wait(); err == nil {
		t.Error("it compiled the bomb")
	}
}
