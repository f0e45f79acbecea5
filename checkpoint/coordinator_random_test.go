package checkpoint

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// FuzzCoordinator lets the bytes decide about what happens, and holds every step
// against what may never be otherwise.
func FuzzCoordinator(f *testing.F) {
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 0))
		data := make([]byte, 400)
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) { newWorldOf(t, data).run() })
}

func TestCoordinatorOverRandomHistories(t *testing.T) {
	var ends [3]int
	triggered := 0
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 1))
		data := make([]byte, 600)
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		w := newWorldOf(t, data)
		w.run()
		ends[w.end]++
		triggered += int(w.epoch)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	t.Logf("%d checkpoints; %d histories went on, %d finished, %d failed", triggered, ends[0], ends[1], ends[2])
	if slices.Min(ends[:]) < 10 || triggered < 10_000 {
		t.Error("the histories are too much alike")
	}
}

// theWorld is the loop around a coordinator, and what the loop knows by itself.
type theWorld struct {
	t        *testing.T
	data     []byte
	c        *Coordinator
	vertices []stream.VertexID
	settings Settings
	revision Revision
	now      time.Time
	clock    time.Duration

	epoch    stream.Epoch
	flights  map[stream.Epoch]*worldFlight
	base     time.Duration // of the interval
	shortest time.Duration // interval since base; 0: none
	ended    time.Duration
	anyEnded bool
	failures int // at least so many in a row; retries aside
	allFail  int
	stopping bool
	end      int // 1 finished, 2 failed
}

type worldFlight struct {
	reason    Reason
	began     time.Duration
	publish   bool // asked for
	published bool
	attempt   int
}

func newWorldOf(t *testing.T, data []byte) *theWorld {
	w := &theWorld{t: t, data: data, vertices: []stream.VertexID{"a", "b"}, now: midnight, revision: 1, flights: make(map[stream.Epoch]*worldFlight)}
	w.settings = Settings{
		Interval: w.duration(), Timeout: time.Minute, MinPause: w.duration() / 4, AlignTimeout: 5 * time.Second,
		MaxInFlight: 1 + w.byte()%3, TolerableFailures: w.byte() % 4, DirtyBytes: 100,
	}
	w.shortest = w.settings.Interval
	c, err := NewCoordinator(w.vertices, w.settings, 1)
	if err != nil {
		t.Fatal(err)
	}
	w.c = c
	w.step(Tick{})
	return w
}

func (w *theWorld) byte() int {
	if len(w.data) == 0 {
		return 0
	}
	b := w.data[0]
	w.data = w.data[1:]
	return int(b)
}

// duration is often short and sometimes none.
func (w *theWorld) duration() time.Duration {
	return []time.Duration{0, 200 * time.Millisecond, time.Second, 2 * time.Second, 10 * time.Second, 10 * time.Second, time.Minute, time.Hour}[w.byte()%8]
}

func (w *theWorld) run() {
	for len(w.data) > 0 {
		w.step(w.event())
	}
}

// any returns an epoch: mostly one under way.
func (w *theWorld) any() stream.Epoch {
	n := w.byte()
	if len(w.flights) == 0 || n > 240 {
		return stream.Epoch(n % 8)
	}
	var all []stream.Epoch
	for e := range w.flights {
		all = append(all, e)
	}
	slices.Sort(all)
	return all[n%len(all)]
}

func (w *theWorld) event() Event {
	switch n := w.byte(); {
	case n < 60:
		d := time.Duration(w.byte()) * 40 * time.Millisecond
		if w.byte() < 10 {
			d = -time.Hour // somebody sets the clock back
		}
		w.now = w.now.Add(d)
		w.clock += max(0, d)
		return Tick{}
	case n < 100:
		e := w.any()
		for _, v := range w.vertices {
			w.step(BarrierPassed{e, v, time.Millisecond})
		}
		return Tick{}
	case n < 140:
		e := w.any()
		w.step(SnapshotDone{e, "a"})
		return SnapshotDone{e, "b"}
	case n < 170:
		return Published{w.any()}
	case n < 200:
		return SinkCommitted{w.any()}
	case n < 210:
		return UploadFailed{w.any(), errors.New("upload")}
	case n < 216:
		return CommitFailed{w.any(), w.byte() % 3, errors.New("commit")}
	case n < 220:
		return SnapshotFailed{w.any(), "a", errors.New("snapshot")}
	case n < 235:
		s := w.settings
		s.Interval = w.duration()
		return ConfigChanged{s, w.revision + Revision(w.byte()%3)}
	case n < 242:
		return Requested{}
	case n < 248:
		return DirtyBytes{int64(w.byte())}
	case n < 252:
		return Restored{Epoch: w.any() + stream.Epoch(w.byte()%4)}
	case w.byte() < 20:
		return Fenced{}
	case w.byte() < 60:
		return Stopping{}
	}
	return Tick{}
}

// step steps the coordinator and holds what it does against the rules.
func (w *theWorld) step(ev Event) {
	over := w.end != 0
	w.before(ev)
	actions := w.c.Step(w.now, ev)
	if over && len(actions) > 0 {
		w.t.Errorf("after the end: %v", actions)
	}
	for _, a := range actions {
		w.act(a)
	}
	if w.end == 0 {
		w.check()
	}
}

// before notes what an event means, if it comes at its time.
func (w *theWorld) before(ev Event) {
	if w.end != 0 {
		return
	}
	switch ev := ev.(type) {
	case Published:
		if f := w.flights[ev.Epoch]; f != nil && f.publish {
			f.published = true
		}
	case SinkCommitted:
		f := w.flights[ev.Epoch]
		if f == nil || f.attempt == 0 {
			return
		}
		delete(w.flights, ev.Epoch)
		w.failures, w.allFail = 0, 0
		w.ended, w.anyEnded = w.clock, true
		if f.reason == ReasonRetry {
			w.base, w.shortest = f.began, w.settings.Interval
		}
	case ConfigChanged:
		if ev.Revision <= w.revision {
			return
		}
		w.revision, w.settings = ev.Revision, ev.Settings
		if w.shortest == 0 || ev.Settings.Interval < w.shortest {
			w.shortest = ev.Settings.Interval
		}
	case Stopping:
		w.stopping = true
	case Restored:
		w.epoch = max(w.epoch, ev.Epoch)
	}
}

func (w *theWorld) act(a Action) {
	switch a := a.(type) {
	case Trigger:
		w.trigger(a)
	case Publish:
		f := w.flights[a.Epoch]
		if f == nil || f.publish {
			w.t.Errorf("publish %d, of %+v", a.Epoch, f)
			return
		}
		for e, other := range w.flights {
			if e < a.Epoch || e != a.Epoch && other.publish {
				w.t.Errorf("publish %d while %d is %+v", a.Epoch, e, other)
			}
		}
		f.publish = true
	case CommitSinks:
		f := w.flights[a.Epoch]
		if f == nil || !f.published || a.Attempt != f.attempt+1 {
			w.t.Errorf("commit %+v, of %+v", a, f)
			return
		}
		f.attempt = a.Attempt
	case Abort:
		f := w.flights[a.Epoch]
		if f == nil || f.published {
			w.t.Errorf("abort %d, of %+v", a.Epoch, f)
			return
		}
		delete(w.flights, a.Epoch)
		w.ended, w.anyEnded = w.clock, true
		w.allFail++
		if f.reason != ReasonRetry {
			w.failures++
		}
	case Fail:
		w.end = 2
		for e, f := range w.flights {
			if !f.published {
				w.t.Errorf("%d is left in the air", e)
			}
		}
	case Finished:
		w.end = 1
		if !w.stopping || len(w.flights) > w.settings.MaxInFlight-1 {
			w.t.Errorf("finished with %d under way", len(w.flights))
		}
	case Applied:
		if a.Revision != w.revision {
			w.t.Errorf("applied revision %d instead of %d", a.Revision, w.revision)
		}
	}
}

func (w *theWorld) trigger(a Trigger) {
	if a.Epoch <= w.epoch {
		w.t.Errorf("epoch %d after %d", a.Epoch, w.epoch)
	}
	w.epoch = a.Epoch
	w.flights[a.Epoch] = &worldFlight{reason: a.Reason, began: w.clock}
	if len(w.flights) > w.settings.MaxInFlight {
		w.t.Errorf("%d under way", len(w.flights))
	}
	if w.stopping != (a.Reason == ReasonFinal) {
		w.t.Errorf("%s while stopping is %v", a.Reason, w.stopping)
	}
	if a.Reason == ReasonInterval && (w.shortest == 0 || w.clock-w.base < w.shortest) {
		w.t.Errorf("epoch %d comes %v after the last, where the interval was never below %v", a.Epoch, w.clock-w.base, w.shortest)
	}
	if a.Reason != ReasonRequest && a.Reason != ReasonFinal && w.anyEnded && w.clock-w.ended < w.settings.MinPause {
		w.t.Errorf("epoch %d comes %v after the end of the last", a.Epoch, w.clock-w.ended)
	}
	if a.Reason == ReasonRetry && w.allFail == 0 {
		w.t.Errorf("epoch %d is tried again after nothing failed", a.Epoch)
	}
	if a.Reason != ReasonRetry {
		w.base, w.shortest = w.clock, a.Choice.Interval
	}
}

// check holds what must have happened by now.
func (w *theWorld) check() {
	room := len(w.flights) < w.settings.MaxInFlight
	paused := w.anyEnded && w.clock-w.ended < w.settings.MinPause
	in := w.c.Status().Choice.Interval
	if !w.stopping && room && !paused && in > 0 && w.clock-w.base >= in {
		w.t.Errorf("%v after the last start none begins, with an interval of %v", w.clock-w.base, in)
	}
	if w.failures > w.settings.TolerableFailures {
		w.t.Errorf("%d failed in a row, and it goes on", w.failures)
	}
	for e, f := range w.flights {
		if !f.published && w.clock-f.began >= w.settings.Timeout {
			w.t.Errorf("%d is %v old", e, w.clock-f.began)
		}
	}
	if got := len(w.c.Status().InFlight); got != len(w.flights) {
		w.t.Errorf("%d under way, the status says %d", len(w.flights), got)
	}
}
