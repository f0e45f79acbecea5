package instance

import (
	"context"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/stream"
)

// TestWorkerIsNotReadyByWhatTheOneBeforeSaid has a worker that lost its keeper, which says
// that it is ready, as one does that has ended well, when the next keeper waits for it.
func TestWorkerIsNotReadyByWhatTheOneBeforeSaid(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	i := p.create()
	before, err := take(i.path(workerFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(i.PipelineFile(), []byte("no pipeline"), 0o600); err != nil { // the next worker is never ready
		t.Fatal(err)
	}
	if err := i.Launch(t.Context(), p.env("")); err != nil {
		t.Fatal(err)
	}
	over, end := context.WithTimeout(t.Context(), time.Millisecond)
	defer end()
	said := ""
	if _, err := i.Wait(over, func(missing string) { said = missing }); !strings.Contains(said, "it waits for process ") {
		t.Errorf("it is waited for with %q, %v", said, err)
	}
	putReadiness(i.dir, host.Readiness{Ready: true, Revision: 7})
	before.release()
	var r Record
	if !wait(t.Context(), time.Minute, func() bool {
		r, err = i.Record()
		return err == nil && strings.Contains(r.Reason, "another one follows")
	}) {
		t.Fatalf("its worker does not end: %+v, %v", r, err)
	}
	if r.Revision != 0 {
		t.Errorf("it was taken to be ready: %+v", r)
	}
	if first, _, _ := strings.Cut(r.Reason, "\n"); !strings.Contains(first, "another one follows: ") || !strings.Contains(first, "pipeline.yaml:1:1") {
		t.Errorf("it does not say what is wrong: %s", r.Reason)
	}
	p.goes(i)
}

// TestInstanceHoldsNoFileOfWhoCreatesIt has a pipe that ends when nobody can write to it any
// more. No other test runs meanwhile, whose processes could.
func TestInstanceHoldsNoFileOfWhoCreatesIt(t *testing.T) {
	p := newPlace(t)
	i := p.create()
	var ends [2]int
	if err := syscall.Pipe(ends[:]); err != nil {
		t.Fatal(err)
	}
	if err := syscall.SetNonblock(ends[0], true); err != nil {
		t.Fatal(err)
	}
	reader := os.NewFile(uintptr(ends[0]), "pipe")
	defer reader.Close()
	p.goesOn(i)
	if err := syscall.Close(ends[1]); err != nil {
		t.Fatal(err)
	}
	if err := reader.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := reader.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("it holds the pipe: %v", err)
	}
	p.goes(i)
}

// TestKeeperPassesHangupsOn has a worker that, other than the command, ends by SIGHUP.
func TestKeeperPassesHangupsOn(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	i := p.create()
	p.goesOn(i)
	keeper, ok := ownerOf(i.path(lockFile))
	if !ok || keeper.signal(syscall.SIGHUP) != nil {
		t.Fatal("there is no keeper")
	}
	hung := func() bool { return strings.Contains(read(t, i.LogFile()), "its worker was ended by signal 1 ") }
	if !wait(t.Context(), time.Minute, func() bool { return hung() || !keeper.alive() }) || !hung() {
		t.Errorf("its worker was told nothing: %s", read(t, i.LogFile()))
	}
	p.goes(i)
}

// TestInstanceIsOnesOfManyWhoWantIt creates and resumes it ten times at once.
func TestInstanceIsOnesOfManyWhoWantIt(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	count := func(try func() error) (won int) {
		errs := make([]error, 10)
		var all sync.WaitGroup
		for n := range errs {
			all.Go(func() { errs[n] = try() })
		}
		all.Wait()
		for _, err := range errs {
			switch {
			case err == nil:
				won++
			case stream.CodeOf(err) != stream.InstanceExists && stream.CodeOf(err) != stream.InstanceState:
				t.Error(err)
			}
		}
		return won
	}
	if won := count(func() error { _, err := p.Create(t.Context(), planOf(p.Home)); return err }); won != 1 {
		t.Errorf("%d have created it", won)
	}
	i := p.open()
	if won := count(func() error { return i.Launch(t.Context(), p.env("")) }); won != 1 {
		t.Errorf("%d have resumed it", won)
	}
	p.goesOnWaiting(i)
	p.goes(i)
}
