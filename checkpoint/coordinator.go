package checkpoint

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// never is a time on the coordinator's clock that does not come.
const never = time.Duration(math.MaxInt64)

// Bounds of the pause before a failed checkpoint is tried again. The next one that
// is due comes in any case.
const (
	firstRetry = 5 * time.Second
	lastRetry  = 5 * time.Minute
	finalRetry = time.Second
)

// Coordinator decides when checkpoints begin, go on and are given up. It is
// stepped with events and has no goroutine, no lock, no clock and no I/O.
//
//	Trigger ─▶ aligning ──all passed, all snapshots──▶ ready ─▶ publishing ─▶ committing ─▶ complete
//	              │                                      │           │             │
//	              └────────────── Abort ◀────────────────┴───────────┘         again, or Fail
//
// Its clock is the sum of the differences of the times it is given, where a time
// before the last one counts as the same. Times of time.Now carry a monotonic
// reading, and Sub uses that, so that setting the machine's clock moves nothing.
//
// Invariants 1 to 3 of the package hold for every sequence of events.
type Coordinator struct {
	vertices map[stream.VertexID]int
	settings Settings
	revision Revision
	choice   Choice
	inputs   Inputs

	last  time.Time     // of the last step
	clock time.Duration // since the first one

	epoch  stream.Epoch // the last one given out
	flying []*flight    // by epoch
	base   time.Duration
	due    time.Duration // base + interval, or earlier
	ended  time.Duration // of the last one; MinPause counts from it
	wanted bool          // a request waits
	dirty  int64

	failures int // in a row, retries aside
	tries    int // that failed in a row, with retries
	retryAt  time.Duration

	stopping bool
	over     bool
	counts   Counts
	lastErr  error
	out      []Action
}

// flight is a checkpoint under way.
type flight struct {
	epoch     stream.Epoch
	reason    Reason
	phase     Phase
	began     time.Duration
	passed    []bool // by vertex
	done      []bool
	barriers  int // not passed yet
	snapshots int // not done yet
	blocked   time.Duration
	unaligned bool
	attempt   int           // to commit
	attemptAt time.Duration // when it began, or the next one begins
	waiting   bool          // for the next attempt
}

// NewCoordinator returns one for the vertices of a pipeline, each of which reports
// every barrier and snapshot, also after its input has ended. The time of the first
// step is that at which the first interval begins.
func NewCoordinator(vertices []stream.VertexID, s Settings, r Revision) (*Coordinator, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	c := &Coordinator{vertices: make(map[stream.VertexID]int, len(vertices)), ended: -never, due: never}
	for i, v := range vertices {
		c.vertices[v] = i
	}
	if len(vertices) == 0 || len(c.vertices) < len(vertices) {
		return nil, fmt.Errorf("BUG: checkpoints of %d vertices with %d names", len(vertices), len(c.vertices))
	}
	c.configure(s, r)
	return c, nil
}

// Step takes an event and returns what to do. The actions are the caller's.
func (c *Coordinator) Step(now time.Time, ev Event) []Action {
	if c.over {
		return nil
	}
	c.out = nil
	if !c.last.IsZero() {
		c.clock += max(0, now.Sub(c.last))
	}
	c.last = now
	ev.step(c)
	c.expire()
	c.publish()
	c.trigger()
	return c.out
}

func (c *Coordinator) do(a Action) { c.out = append(c.out, a) }

// find returns a checkpoint that is under way in one of the phases, or nil.
func (c *Coordinator) find(e stream.Epoch, in ...Phase) *flight {
	for _, f := range c.flying {
		if f.epoch == e && slices.Contains(in, f.phase) {
			return f
		}
	}
	return nil
}

// expire gives up what takes too long.
func (c *Coordinator) expire() {
	for _, f := range slices.Clone(c.flying) {
		if c.over {
			return
		}
		c.expireOne(f)
	}
}

func (c *Coordinator) expireOne(f *flight) {
	s := &c.settings
	switch {
	case f.phase == PhaseCommitting && f.waiting:
		if c.clock >= f.attemptAt {
			c.commit(f)
		}
	case f.phase == PhaseCommitting:
		if s.Timeout > 0 && c.clock-f.attemptAt >= s.Timeout {
			c.commitFailed(f, fmt.Errorf("the sinks did not commit within %v", s.Timeout))
		}
	case s.Timeout > 0 && c.clock-f.began >= s.Timeout:
		c.abort(f, fmt.Errorf("not published within %v, at %v", s.Timeout, f.state()))
	case f.barriers > 0 && !f.unaligned && s.AlignTimeout > 0 && c.clock-f.began >= s.AlignTimeout:
		f.unaligned = true
		c.do(Unalign{f.epoch})
	}
}

// state says what a checkpoint waits for.
func (f *flight) state() string {
	if f.phase == PhaseAligning {
		return fmt.Sprintf("%s (%d barriers and %d snapshots of %d are missing)", f.phase, f.barriers, f.snapshots, len(f.done))
	}
	return string(f.phase)
}

// publish lets the earliest checkpoint go on, one at a time: each manifest builds
// on the one before.
func (c *Coordinator) publish() {
	if c.over || len(c.flying) == 0 || c.flying[0].phase != PhaseReady {
		return
	}
	c.flying[0].phase = PhasePublishing
	c.do(Publish{c.flying[0].epoch})
}

// commit begins an attempt to commit a published checkpoint.
func (c *Coordinator) commit(f *flight) {
	f.waiting = false
	f.attempt++
	f.attemptAt = c.clock
	c.do(CommitSinks{f.epoch, f.attempt})
}

// commitFailed tries again: what is published stays, and its output must appear.
func (c *Coordinator) commitFailed(f *flight, err error) {
	c.counts.CommitsFailed++
	c.lastErr = err
	if c.failed(f, fmt.Errorf("commit epoch %d: %w", f.epoch, err)) {
		return
	}
	f.waiting = true
	f.attemptAt = c.clock + c.backoff()
}

// abort gives up a checkpoint that is not published.
func (c *Coordinator) abort(f *flight, err error) {
	c.remove(f)
	c.counts.Aborted++
	c.lastErr = err
	c.do(Abort{f.epoch, err})
	if !c.failed(f, fmt.Errorf("epoch %d: %w", f.epoch, err)) {
		c.retryAt = c.clock + c.backoff()
	}
}

// failed counts a failure, and says whether it was one too many. A retry does not
// count as long as an interval brings others that do: so TolerableFailures is about
// intervals, however often is tried within one.
func (c *Coordinator) failed(f *flight, err error) bool {
	c.tries++
	if f.reason != ReasonRetry || f.phase == PhaseCommitting || c.choice.Interval == 0 {
		c.failures++
	}
	if c.failures <= c.settings.TolerableFailures {
		return false
	}
	c.fail(&stream.Error{
		Code: stream.CheckpointFailed,
		Why:  fmt.Sprintf("%d checkpoints in a row failed, where %d may", c.failures, c.settings.TolerableFailures),
		Fix:  "see to the cause; checkpoint.tolerableFailures and checkpoint.timeout allow for more",
		Err:  err,
	})
	return true
}

// backoff is the pause after a failure.
func (c *Coordinator) backoff() time.Duration {
	first := firstRetry
	if c.stopping {
		first = finalRetry
	}
	return min(first<<min(max(0, c.tries-1), 10), lastRetry)
}

func (c *Coordinator) remove(f *flight) {
	c.flying = slices.DeleteFunc(c.flying, func(g *flight) bool { return g == f })
	c.ended = c.clock
}

// fail ends everything.
func (c *Coordinator) fail(err error) {
	for _, f := range slices.Clone(c.flying) {
		if f.phase != PhaseCommitting {
			c.counts.Aborted++
			c.do(Abort{f.epoch, err})
		}
		c.remove(f)
	}
	c.lastErr = err
	c.do(Fail{err})
	c.over = true
}
