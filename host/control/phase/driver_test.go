package phase

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/host/pipeline"
)

// fake is a pipeline that drains a record each second, and its checkpoints.
type fake struct {
	mu     sync.Mutex // guards the rest
	said   []string
	paused time.Time // zero = it is read
	holds  int
	looks  int
	report func(error)
}

func (f *fake) note(what string) { f.said = append(f.said, what) }

func (f *fake) Pause() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.note("pause")
	f.paused = time.Now()
}

func (f *fake) Resume() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.note("resume")
	f.paused = time.Time{}
}

func (f *fake) Left() []pipeline.Left {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.looks++
	if f.paused.IsZero() {
		return []pipeline.Left{{Vertex: "in", Moving: true, Unacked: f.holds}}
	}
	return []pipeline.Left{{Vertex: "in", Paused: true, Unacked: max(0, f.holds-int(time.Since(f.paused)/time.Second))}}
}

func (f *fake) Checkpoint(report func(error)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.note("checkpoint")
	f.report = report
}

// answer reports the last checkpoint.
func (f *fake) answer(err error) {
	f.mu.Lock()
	report := f.report
	f.mu.Unlock()
	report(err)
}

// looked returns how often somebody looked at what is left.
func (f *fake) looked() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.looks
}

func (f *fake) expect(t *testing.T, want ...string) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if !slices.Equal(f.said, want) {
		t.Errorf("it was told %v, want %v", f.said, want)
	}
}

func TestADriverSaysWhatTheMachineSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{holds: 10}
		var changes []string
		d := New(f, f, Desired{Running, time.Minute}, func(s Status) { changes = append(changes, fmt.Sprintf("%s %v", s.Actual, s.Drained)) })
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); d.Run(ctx) }()
		time.Sleep(59 * time.Minute)
		if n := f.looked(); n > 1 {
			t.Errorf("it looked %d times at a pipeline that runs", n)
		}
		f.expect(t)
		began := time.Now()
		d.Set(Desired{Paused, time.Minute})
		if s := d.Status(); s.Desired != Paused {
			t.Errorf("at once the status is %+v", s)
		}
		synctest.Wait()
		f.expect(t, "pause")
		if s := d.Status(); s.Actual != StatePausing || !s.Since.Equal(began) {
			t.Errorf("then it is %+v", s)
		}
		time.Sleep(11 * time.Second)
		f.expect(t, "pause", "checkpoint")
		f.answer(errors.New("503"))
		synctest.Wait()
		if s := d.Status(); s.Actual != StateCheckpointing || len(s.Reasons) != 1 || s.Reasons[0].Why != "503" {
			t.Errorf("after a failure it is %+v", s)
		}
		f.answer(nil)
		synctest.Wait()
		if s := d.Status(); s.Actual != StatePaused || !s.Drained || s.Reasons != nil {
			t.Errorf("in the end it is %+v", s)
		}
		looks := f.looked()
		time.Sleep(time.Hour)
		if n := f.looked() - looks; n < 1 || n > 3700 {
			t.Errorf("it looked %d times in a pause of an hour", n)
		}
		d.Set(Desired{Running, time.Minute})
		time.Sleep(time.Second)
		f.expect(t, "pause", "checkpoint", "resume")
		cancel()
		<-ended
		d.Set(Desired{Paused, time.Minute})
		f.answer(nil)
		if s := d.Status(); s.Desired != Running || s.Actual != StateRunning {
			t.Errorf("after the run it is %+v", s)
		}
		if got := fmt.Sprint(changes); got != "[running false pausing false checkpointing false paused true resuming false running false]" {
			t.Errorf("changes %s", got)
		}
	})
}

func TestADriverTellsAPipelineBeforeItRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{holds: 3}
		d := New(f, nil, Desired{Paused, 2 * time.Second}, nil)
		f.expect(t, "pause")
		d.Set(Desired{Running, time.Second})
		d.Set(Desired{Paused, time.Second})
		if s := d.Status(); s.Desired != Paused || s.Actual != StatePausing {
			t.Errorf("before the run it is %+v", s)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); d.Run(ctx) }()
		time.Sleep(1500 * time.Millisecond)
		if s := d.Status(); s.Actual != StatePaused || s.Drained || len(s.Reasons) != 1 || s.Reasons[0].String() != "in: not acknowledged 2" {
			t.Errorf("at the deadline it is %+v", s)
		}
		time.Sleep(2 * time.Second)
		if s := d.Status(); s.Actual != StatePaused || !s.Drained {
			t.Errorf("later it is %+v", s)
		}
		f.expect(t, "pause", "resume", "pause")
		cancel()
		<-ended
	})
}

func TestAPipelineThatIsFedFromManySidesIsAsTheLastSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		d := New(f, nil, Desired{Running, time.Second}, nil)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go d.Run(ctx)
		var all sync.WaitGroup
		for g := range 8 {
			all.Go(func() {
				for i := range 50 {
					d.Set(Desired{[]Phase{Running, Paused}[(g+i)%2], time.Second})
					_ = d.Status()
					time.Sleep(time.Duration(g+1) * time.Millisecond)
				}
			})
		}
		all.Wait()
		d.Set(Desired{Paused, time.Second})
		time.Sleep(5 * time.Second)
		if s := d.Status(); s.Actual != StatePaused || !s.Drained {
			t.Errorf("it is %+v", s)
		}
		cancel()
		synctest.Wait()
	})
}
