package pipeline

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

var crashes = flag.Uint64("crashes", 20, "how many random graphs to crash and restore")

// TestWhatIsRestoredGoesOnAsIfNothingHadHappened runs graphs of any shape with
// checkpoints at any moment, some overtaking and some abandoned, gives vertices more, fewer
// or no calls at once, pauses and kills them at any moment, and goes on from the last complete checkpoint, several times and each time
// with another concurrency: transactional sinks show each result once, others at
// least once, and those of a key in order. Then it goes on from any complete
// checkpoint, of which it tries ten. Run one again by its name: -run 'Restored.*/seed_17$'.
func TestWhatIsRestoredGoesOnAsIfNothingHadHappened(t *testing.T) {
	for seed := range *crashes {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newCrash(rand.New(rand.NewPCG(seed, 4)))
				w.T = t
				w.run()
				if t.Failed() {
					t.Log(w)
				}
			})
		})
	}
}

// crash is a random graph and what is to come of it.
type crash struct {
	*testing.T
	rng      *rand.Rand
	tags     *stream.TagTable
	vertices []crashVertex
	edges    []Edge
	want     map[stream.VertexID]map[string]int // by sink and value
}

// checkpoint is a complete one, with the outside world at that moment.
type checkpoint struct {
	epoch    stream.Epoch
	restored map[stream.VertexID]Restored
	parts    map[stream.VertexID][][]byte
	outsides map[stream.VertexID]*outside
}

// life is one run of a pipeline.
type life struct {
	*crash
	rng      *rand.Rand
	outsides map[stream.VertexID]*outside
	brokers  map[stream.VertexID]*broker
	mortal   bool
	pace     int
	from     *checkpoint   // nil = from the beginning
	complete []*checkpoint // since

	adjusting  sync.Mutex
	draws      *rand.Rand // guarded by adjusting
	transforms []Vertex   // as they began

	p         *Pipeline
	epoch     stream.Epoch // the last
	open      bool         // its checkpoint is under way
	last      bool         // it is the last
	mu        sync.Mutex
	snapshots map[stream.Epoch]map[stream.VertexID]Snapshot // guarded by mu
	came      chan struct{}
}

func (w *crash) newLife(from *checkpoint, mortal bool) *life {
	l := &life{
		crash: w, rng: rand.New(rand.NewPCG(w.rng.Uint64(), 5)), pace: 1 + w.rng.IntN(10), outsides: map[stream.VertexID]*outside{}, brokers: map[stream.VertexID]*broker{},
		mortal: mortal, from: from, draws: rand.New(rand.NewPCG(w.rng.Uint64(), 6)), snapshots: map[stream.Epoch]map[stream.VertexID]Snapshot{}, came: make(chan struct{}, 1),
	}
	for _, v := range w.vertices {
		l.outsides[v.name], l.brokers[v.name] = newOutside(), &broker{}
		if from != nil {
			l.outsides[v.name] = from.outsides[v.name].fork()
		}
	}
	return l
}

func (w *crash) run() {
	brokers, outsides := map[stream.VertexID]*broker{}, map[stream.VertexID]*outside{}
	for _, v := range w.vertices {
		brokers[v.name], outsides[v.name] = &broker{prunes: v.prunes}, newOutside()
	}
	var all []*checkpoint
	for n := 0; ; n++ {
		l := w.newLife(nil, n < 3)
		l.brokers, l.outsides = brokers, outsides
		if len(all) > 0 {
			l.from = all[len(all)-1]
		}
		ended := l.run()
		all = append(all, l.complete...)
		if w.Failed() {
			w.Logf("in life %d, from %v", n, l.from)
			return
		}
		if ended {
			l.check()
			break
		}
	}
	w.rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, c := range all[:min(len(all), 10)] {
		l := w.newLife(c, false)
		if l.run(); !w.Failed() {
			l.check()
		}
		if w.Failed() {
			w.Logf("from checkpoint %d", c.epoch)
			return
		}
	}
}

// run runs the pipeline until it is killed, or has come to its end.
func (l *life) run() (ended bool) {
	g := l.build()
	restored := map[stream.VertexID]Restored{}
	if l.from != nil {
		l.epoch = l.from.epoch
		restored = l.from.copyInputs()
		for _, v := range g.Vertices {
			for _, part := range l.from.parts[v.Name] {
				if err := v.Transform.(stream.Durable).Restore("cells", true, part); err != nil {
					l.Fatal(err)
				}
			}
		}
	}
	l.p = mustNew(l, g, Hooks{Snapshot: l.snapshot})
	ctx, cancel := context.WithCancelCause(l.Context())
	defer cancel(nil)
	done := make(chan error, 1)
	go func() { done <- l.p.Run(ctx, given(restored)) }()
	for began := time.Now(); ; {
		select {
		case err := <-done:
			if ended = err == nil; !ended && !errors.Is(err, errStop) {
				l.Errorf("got %v", err)
			}
			l.discard()
			return ended && l.last && !l.stopped()
		case <-l.came:
			if l.collect(ctx) {
				cancel(errStop)
			}
		case <-time.After(time.Duration(l.rng.IntN(1000)) * time.Microsecond):
			if time.Since(began) > time.Minute {
				l.Fatalf("epoch %d does not end: %+v", l.epoch, l.p.Stats())
			}
			l.disturb(cancel)
		}
	}
}

// stopped says that sources were stopped before their end.
func (l *life) stopped() bool { return l.p.Phase() != PhaseFailed && l.p.progress.draining.Load() }

func (l *life) disturb(cancel context.CancelCauseFunc) {
	ended := false
	select {
	case <-l.p.Ended():
		ended = true
	default:
	}
	if n := len(l.transforms); n > 0 && l.rng.IntN(4) == 0 {
		l.adjust(l.transforms[l.rng.IntN(n)], false)
	}
	switch k := l.rng.IntN(100); {
	case l.last:
		if k < 5 && l.stopped() { // otherwise it is the end, and nothing comes of what is left
			go l.p.Overtake(l.epoch)
		}
	case !l.open && (ended && k < 40 || k < l.pace):
		l.epoch++
		l.open, l.last = true, ended && k < 20
		l.p.Inject(&stream.Barrier{Epoch: l.epoch, Full: l.rng.IntN(3) == 0, Last: l.last && !(l.stopped() && k%2 == 0)})
	case l.open && k < 30:
		go l.p.Overtake(l.epoch)
	case l.open && k < 33:
		l.p.Abandon(l.epoch)
		l.open = false
	case l.mortal && k == 40:
		cancel(errStop)
	case l.mortal && k == 41:
		l.p.Drain()
	case k == 42:
		l.p.Pause()
		if !l.open && l.rng.IntN(2) == 0 {
			l.drained()
		}
	case 43 <= k && k < 53:
		l.p.Resume()
	}
}

// adjust lets a vertex make more or fewer calls at once than it did, or was made for: some
// if it is to be woken.
func (l *life) adjust(v Vertex, some bool) {
	l.adjusting.Lock()
	defer l.adjusting.Unlock()
	v.Concurrency = []int{0, 1, 2, 5, 16, 64, 200}[l.draws.IntN(7)]
	if some {
		v.Concurrency++
	}
	if !l.p.Adjust(&v) {
		l.Errorf("%s cannot make %d calls at once", v.Name, v.Concurrency)
	}
}

// drained waits until a pause is drained, after which nothing moves.
func (l *life) drained() {
	for began := time.Now(); !l.p.Drained(); time.Sleep(time.Duration(l.rng.IntN(100)) * time.Microsecond) {
		if l.p.progress.ended.Load() {
			return
		}
		if time.Since(began) > 10*time.Second {
			l.Errorf("a pause does not drain: %+v", l.p.Left())
			return
		}
	}
	before := l.taken()
	time.Sleep(time.Second)
	if after := l.taken(); after != before {
		l.Errorf("vertices took %s, and when it was drained %s", after, before)
	}
}

// taken is how many records vertices have taken.
func (l *life) taken() string {
	var all []uint64
	for _, s := range l.p.Stats() {
		all = append(all, s.RecordsIn)
	}
	return fmt.Sprint(all)
}

// snapshot gathers what vertices give.
func (l *life) snapshot(v stream.VertexID, b *stream.Barrier, s Snapshot) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.snapshots[b.Epoch] == nil {
		l.snapshots[b.Epoch] = map[stream.VertexID]Snapshot{}
	}
	if _, twice := l.snapshots[b.Epoch][v]; twice {
		l.Errorf("%s gives two snapshots for epoch %d", v, b.Epoch)
	}
	l.snapshots[b.Epoch][v] = s
	select {
	case l.came <- struct{}{}:
	default:
	}
}

// collect publishes the checkpoint under way if it is complete. It returns true if
// the process dies right after that.
func (l *life) collect(ctx context.Context) (dies bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for epoch, snapshots := range l.snapshots {
		switch {
		case epoch < l.epoch || !l.open:
			l.release(epoch, false)
		case len(snapshots) == len(l.vertices):
			l.open = false
			c := l.publish(epoch, snapshots)
			l.release(epoch, true)
			if l.mortal && l.rng.IntN(8) == 0 {
				return true
			}
			for v, r := range c.restored {
				for _, commit := range r.Commits {
					if err := l.p.Commit(ctx, v, commit); err != nil {
						l.Error(err)
					}
				}
			}
			l.p.Committed(epoch)
			if l.last {
				l.p.Finish()
			}
		}
	}
	return false
}

func (l *life) publish(epoch stream.Epoch, snapshots map[stream.VertexID]Snapshot) *checkpoint {
	c := &checkpoint{epoch: epoch, restored: map[stream.VertexID]Restored{}, parts: map[stream.VertexID][][]byte{}, outsides: map[stream.VertexID]*outside{}}
	before := l.from
	if len(l.complete) > 0 {
		before = l.complete[len(l.complete)-1]
	}
	for v, s := range snapshots {
		c.restored[v] = Restored{s.Position, s.High, s.Watermark, s.Inputs, s.Commits}
		c.outsides[v] = l.outsides[v].fork()
		if s.Frozen == nil {
			continue
		}
		if before != nil {
			c.parts[v] = slices.Clone(before.parts[v])
		}
		_ = s.Frozen.Parts(func(_ string, _, _ int, _ bool, _ int, data []byte) error {
			c.parts[v] = append(c.parts[v], slices.Clone(data))
			return nil
		})
	}
	l.complete = append(l.complete, c)
	return c
}

// copyInputs returns what is to be restored, for a pipeline that owns it.
func (c *checkpoint) copyInputs() map[stream.VertexID]Restored {
	out := map[stream.VertexID]Restored{}
	for v, r := range c.restored {
		var inputs []*stream.Batch
		for _, b := range r.Inputs {
			own := &stream.Batch{}
			own.AppendAll(b)
			inputs = append(inputs, own)
		}
		r.Inputs = inputs
		out[v] = r
	}
	return out
}

func (l *life) release(epoch stream.Epoch, saved bool) {
	for _, s := range l.snapshots[epoch] {
		if s.Frozen != nil {
			s.Frozen.Release(saved)
		}
	}
	delete(l.snapshots, epoch)
}

// discard releases what is left when the pipeline is gone.
func (l *life) discard() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for epoch := range l.snapshots {
		l.release(epoch, false)
	}
}

// check compares what the outside got with the model.
func (l *life) check() {
	for _, v := range l.vertices {
		if v.kind < isSink {
			continue
		}
		got, shown := map[string]int{}, l.outsides[v.name].shown
		for _, value := range shown {
			got[value]++
		}
		for value, n := range l.want[v.name] {
			if got[value] < n || v.kind == isHidingSink && got[value] > n {
				l.Errorf("%s got %s %d times, not %d", v.name, value, got[value], n)
			}
			delete(got, value)
		}
		for value, n := range got {
			l.Errorf("%s got %s %d times, which is of nothing", v.name, value, n)
		}
		if v.kind == isHidingSink {
			l.checkOrder(v.name, shown)
		}
	}
}

// checkOrder looks at the results of each source along each path that keeps the order
// of keys.
func (l *life) checkOrder(sink stream.VertexID, shown []string) {
	last := map[string]int{}
	for _, value := range shown {
		head, path, _ := strings.Cut(value, "/")
		number, err := strconv.Atoi(head)
		if err != nil || strings.Contains(path, "!") || slices.ContainsFunc(l.vertices, func(v crashVertex) bool {
			return v.order == OrderNone && strings.Contains(path, string(v.name)+".")
		}) {
			continue
		}
		flow := fmt.Sprint(number/perSource, " ", number%perSource%keysPerSource, " ", path)
		if before, ok := last[flow]; ok && before >= number {
			l.Errorf("%s got %s after %d", sink, value, before)
		}
		last[flow] = number
	}
}
