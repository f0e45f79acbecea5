package crash_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/checkpoint/storetest"
	"github.com/wasmill/wasmill/host/control/durable"
	"github.com/wasmill/wasmill/host/stream"
)

// workerVariable makes the test binary a worker: the scenario as JSON.
const workerVariable = "TEST_AS_WORKER"

// scenario is what a worker does. It runs in a folder that holds everything that
// outlives it.
type scenario struct {
	Life   int    // of the workers in a folder, from 1
	Seed   uint64 // of what is left to chance
	Keys   int
	PerKey int           // numbers of each key
	Pace   time.Duration // of a batch, about
	Prunes bool          // what is acknowledged is gone for good
	Lasts  bool          // the source is far from its end for some seconds, on a slow machine, too

	Concurrency  int
	Slow         int // every so many numbers one is slow for minutes; 0 = none
	Interval     time.Duration
	AlignTimeout time.Duration
	Retain       int
	Epoch        stream.Epoch // to begin with; 0 = the newest
	Bucket       *bucket      // nil = the store is a folder

	// At the nth time that the worker comes by a step it notes so and gets a signal,
	// SIGKILL if it is 0.
	Step   string
	Nth    int
	Signal syscall.Signal

	// From the nth complete checkpoint on, calls of the store for names with a text suffer
	// a fault, "refuse", "hang" or "lose" the answer, until so many checkpoints failed; 0 =
	// for ever.
	Fault, Of string
	After     int
	Heals     int
}

// total is how many numbers there are in all.
func (s *scenario) total() int { return s.Keys * s.PerKey }

func TestMain(m *testing.M) {
	text := os.Getenv(workerVariable)
	if text == "" {
		os.Exit(m.Run())
	}
	go func() { // the worker ends with the test
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	}()
	var s scenario
	err := json.Unmarshal([]byte(text), &s)
	if err == nil {
		err = newWorker(s).run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(stream.ExitCode(err))
}

// worker is a process that runs the pipeline.
type worker struct {
	scenario
	*ledger
	steps  steps
	store  *watched
	runner *durable.Runner
}

func newWorker(s scenario) *worker {
	l := &ledger{life: s.Life}
	return &worker{scenario: s, ledger: l, steps: steps{step: s.Step, nth: s.Nth, signal: s.Signal}, store: &watched{ledger: l}}
}

// run runs the pipeline until its end, or that of what it reads at SIGTERM.
func (w *worker) run() error {
	if err := w.open(); err != nil {
		return err
	}
	r, err := durable.New(durable.Config{
		Name: pipelineName, Graph: w.graph(), Shapes: w.shapes(), Events: w.events(), Wasmill: "test",
		Start: durable.Start{Epoch: w.Epoch}, Settings: w.settings(time.Minute),
		Open: func(context.Context) (checkpoint.Store, error) { return w.openStore() },
	})
	if err != nil {
		return err
	}
	w.runner = r
	terminate := make(chan os.Signal, 1)
	signal.Notify(terminate, syscall.SIGTERM)
	go func() {
		<-terminate
		r.Drain()
	}()
	return r.Run(context.Background())
}

func (w *worker) settings(timeout time.Duration) checkpoint.Settings {
	return checkpoint.Settings{
		Interval: w.Interval, Timeout: timeout, AlignTimeout: w.AlignTimeout, MaxInFlight: 1, TolerableFailures: 1000,
		Retain: checkpoint.Retention{Count: w.Retain},
	}
}

// configure gives checkpoints another time to be published in.
func (w *worker) configure(timeout time.Duration) {
	if _, err := w.runner.Configure(context.Background(), w.settings(timeout)); err != nil {
		panic(err)
	}
}

// faultyTimeout is how long a checkpoint may take while the store fails.
const faultyTimeout = 60 * time.Millisecond

// events notes what becomes of checkpoints.
func (w *worker) events() stream.Events {
	complete, failures, failing := 0, 0, new(atomic.Bool)
	return stream.Events{
		Restored:          func(r stream.Restoration) { w.note("restored", int(r.Epoch), r.InFlight) },
		CheckpointDamaged: func(e stream.Epoch, _ error) { w.note("damaged", int(e)) },
		CheckpointFailed: func(e stream.Epoch, _ error) {
			w.note("failed", int(e))
			if !failing.Load() {
				return
			}
			w.steps.by("a failed checkpoint")
			if failures++; failures == w.Heals {
				w.store.faults.Heal()
				failing.Store(false)
				go w.configure(time.Minute)
			}
		},
		CheckpointDone: func(r stream.CheckpointReport) {
			if w.note("done", int(r.Epoch)); r.Reason == string(checkpoint.ReasonFinal) {
				w.note("final", int(r.Epoch))
			}
			if complete++; w.Fault != "" && complete == w.After {
				w.note("fault")
				failing.Store(true)
				w.store.faults.Break(storetest.All, w.Of, 0, faults[w.Fault])
				go w.configure(faultyTimeout)
			}
		},
	}
}

var faults = map[string]storetest.Fault{
	"refuse": {Err: storetest.Down},
	"hang":   {Hang: true},
	"lose":   {Lose: errors.New("connection reset by peer")},
}
