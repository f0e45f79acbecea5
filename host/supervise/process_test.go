//go:build unix

package supervise

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// TestMain makes the test binary be a worker when a test runs it as such.
func TestMain(m *testing.M) {
	switch os.Getenv("TEST_WORKER") {
	case "":
		os.Exit(m.Run())
	case "panic":
		panic("of a worker")
	case "refuse":
		os.Exit(WorkerCode(2))
	case "fenced":
		os.Exit(WorkerCode(4))
	case "killed":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "supervise":
		_, _ = Run(context.Background(), Options{Start: asWorker("drain", os.Getenv("TEST_READY")), Policy: quick})
	case "drain":
		caught := make(chan os.Signal, 2)
		signal.Notify(caught, syscall.SIGTERM)
		if name := os.Getenv("TEST_READY"); name != "" {
			_ = os.WriteFile(name+".new", []byte(strconv.Itoa(os.Getpid())), 0o600)
			_ = os.Rename(name+".new", name)
		}
		select {
		case <-caught:
		case <-time.After(time.Minute): // it would be left behind
			os.Exit(1)
		}
		if name := os.Getenv("TEST_READY"); name != "" {
			_ = os.Remove(name)
		}
	}
}

var quick = Policy{First: time.Millisecond, Longest: time.Millisecond, Healthy: time.Hour, Most: 9, Window: time.Hour}

// asWorker starts this binary as a worker.
func asWorker(how, ready string) func(context.Context, int) (*exec.Cmd, error) {
	return func(ctx context.Context, _ int) (*exec.Cmd, error) {
		c := exec.CommandContext(ctx, os.Args[0])
		c.Env = append(os.Environ(), "TEST_WORKER="+how, "TEST_READY="+ready)
		return c, nil
	}
}

// TestHowProcessesEnd has processes end in each way, and one that restarts cannot better.
func TestHowProcessesEnd(t *testing.T) {
	ways := []string{"panic", "killed", "refuse", "never"}
	want := []Exit{{Code: stream.ExitInternal, Crash: true}, {Code: 137, Signal: syscall.SIGKILL}, {Code: stream.ExitInput}}
	var got []Exit
	exit, err := Run(t.Context(), Options{
		Start: func(ctx context.Context, attempt int) (*exec.Cmd, error) {
			return asWorker(ways[attempt-1], "")(ctx, attempt)
		},
		Policy: quick,
		Events: Events{Exited: func(e Exit, _ bool, _ time.Duration) { got = append(got, e) }},
	})
	if err != nil || exit != want[2] || !slices.Equal(got, want) {
		t.Errorf("got %v, %v, %v", got, exit, err)
	}
	if exit, err := Run(t.Context(), Options{Start: asWorker("fenced", ""), Policy: quick}); exit.Code != stream.ExitFenced || err != nil {
		t.Errorf("got %v, %v", exit, err)
	}
}

// appears waits until a file is there, or is not.
func appears(t *testing.T, name string, want bool) {
	t.Helper()
	for range 12_000 { // a minute
		if _, err := os.Stat(name); (err == nil) == want {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("%s there: want %v", name, want)
}

func TestTheEndOfTheContextDrainsTheWorker(t *testing.T) {
	ready := filepath.Join(t.TempDir(), "ready")
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan error, 1)
	go func() {
		exit, err := Run(ctx, Options{Start: asWorker("drain", ready), Policy: quick})
		if err == nil && exit != (Exit{}) {
			err = fmt.Errorf("the worker %v", exit)
		}
		over <- err
	}()
	appears(t, ready, true)
	cancel()
	if err := <-over; err != nil {
		t.Error(err)
	}
	appears(t, ready, false)
}

// TestAWorkerEndsWithItsSupervisor kills one that has no chance to say anything.
func TestAWorkerEndsWithItsSupervisor(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("this system does not tell a process that its parent is gone")
	}
	ready := filepath.Join(t.TempDir(), "ready")
	c, err := asWorker("supervise", ready)(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	appears(t, ready, true)
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait()
	appears(t, ready, false) // the worker removes it at SIGTERM
}
