package wasm

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/wasmill/wasmill/host/stream"
)

// Versions calls one version of a plugin after the other for a vertex: the one that Serve
// was given last. It implements stream.Transform, and the more that Transform does.
//
//	          ┌ serving   gets every call that begins
//	Serve ──▶ ┤
//	          └ retired   has the calls that it began with; closed, with its plugin, as the last of them returns
//
// Serve waits for no call, and no call waits for Serve. Where the vertex wants a canary, some
// of the records that came lately are kept, on which Try tries a version before it serves.
type Versions struct {
	serving atomic.Pointer[version]
	recent  *recent        // nil = there is no canary
	closing sync.WaitGroup // of retired versions

	mu      sync.Mutex
	retired []*version // guarded by mu; not closed yet
	past    Stats      // guarded by mu; of those that are closed
	want    int        // guarded by mu; instances that live ahead of calls, once it is warm
	warm    bool       // guarded by mu
	over    bool       // guarded by mu; none serves any more
	fault   error      // guarded by mu; of closing them
}

// version is a transform and the plugin that is closed with it.
type version struct {
	*Transform
	uses atomic.Int64 // calls under way, and one while it serves; 0 = it is over
}

// NewVersions begins with a version. It owns the transform and its plugin from then on.
func NewVersions(t *Transform) *Versions {
	v := &Versions{past: Stats{Discards: make(map[stream.Code]uint64)}, want: t.vertex.Instances}
	v.serving.Store(serving(t))
	if t.vertex.Canary {
		v.recent = &recent{}
	}
	return v
}

func serving(t *Transform) *version {
	one := &version{Transform: t}
	one.uses.Store(1)
	return one
}

// Serve lets another version serve, which it owns from then on. The side inputs of the one
// before are its own, too. After Close it serves nobody and is closed.
func (v *Versions) Serve(t *Transform) {
	v.mu.Lock()
	old := v.serving.Load()
	if v.over {
		v.fault = errors.Join(v.fault, t.Close(context.Background()), t.plugin.Close(context.Background()))
		v.mu.Unlock()
		return
	}
	for _, s := range old.vertex.sides.load() {
		t.vertex.sides.replace(s.name, s.value)
	}
	t.pool.keep(v.want, v.warm)
	v.retired = append(v.retired, old)
	v.closing.Add(1)
	v.serving.Store(serving(t))
	v.mu.Unlock()
	old.gate.retire()
	v.end(old)
}

// begin takes the version that serves for a call. end follows.
func (v *Versions) begin() *version {
	for {
		one := v.serving.Load()
		if n := one.uses.Load(); n > 0 && one.uses.CompareAndSwap(n, n+1) {
			return one
		}
	}
}

// end gives a version back. The last to do so has it closed, beside what it does.
func (v *Versions) end(one *version) {
	if one.uses.Add(-1) == 0 {
		go v.close(one)
	}
}

// close closes a version that is over.
func (v *Versions) close(one *version) {
	defer v.closing.Done()
	err := errors.Join(one.Transform.Close(context.Background()), one.plugin.Close(context.Background()))
	v.mu.Lock()
	defer v.mu.Unlock()
	v.past.add(one.Stats())
	for i, r := range v.retired {
		if r == one {
			v.retired = append(v.retired[:i], v.retired[i+1:]...)
			break
		}
	}
	if v.fault == nil {
		v.fault = err
	}
}

// call makes a call of the version that serves, and again of the next one if it was held
// back until it did not serve any more.
func (v *Versions) call(make func(*Transform) error) error {
	for {
		one := v.begin()
		err := make(one.Transform)
		v.end(one)
		if err != errRetired {
			return err
		}
	}
}

// Call implements stream.Transform.
func (v *Versions) Call(ctx context.Context, in *stream.Batch, out *stream.Output) error {
	if v.recent != nil {
		v.recent.see(in)
	}
	return v.call(func(t *Transform) error { return t.Call(ctx, in, out) })
}

// Process is Transform.Process.
func (v *Versions) Process(ctx context.Context, s Session, in *stream.Batch, out *stream.Output) error {
	if v.recent != nil {
		v.recent.see(in)
	}
	return v.call(func(t *Transform) error { return t.Process(ctx, s, in, out) })
}

// Merges implements stream.Folder.
func (v *Versions) Merges() bool { return v.serving.Load().Merges() }

// Add implements stream.Folder.
func (v *Versions) Add(ctx context.Context, p *stream.Panes, out *stream.Output) error {
	return v.call(func(t *Transform) error { return t.Add(ctx, p, out) })
}

// Merge implements stream.Folder.
func (v *Versions) Merge(ctx context.Context, p *stream.Panes) error {
	return v.call(func(t *Transform) error { return t.Merge(ctx, p) })
}

// Result implements stream.Folder.
func (v *Versions) Result(ctx context.Context, p *stream.Panes, out *stream.Output) error {
	return v.call(func(t *Transform) error { return t.Result(ctx, p, out) })
}

// SetSide implements stream.Sided.
func (v *Versions) SetSide(name string, value []byte) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.serving.Load().SetSide(name, value)
}

// Resize allows the version that serves so many instances, and wants as many to live ahead
// of calls. With 0 it rests: there is one during a call and none between calls.
func (v *Versions) Resize(instances int) { v.ResizeBetween(instances, instances) }

// ResizeBetween is Resize where calls decide how many of the most live, and least do ahead
// of them.
func (v *Versions) ResizeBetween(least, most int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.want = least
	if v.over {
		return
	}
	p := v.serving.Load().pool
	p.resize(max(1, most))
	p.rest(most == 0)
	p.keep(least, v.warm)
}

// Warm starts the instances that are wanted, from now on whenever some are missing, and does
// not wait for them. Until then calls start them.
func (v *Versions) Warm() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.warm = true; !v.over {
		v.serving.Load().pool.keep(v.want, true)
	}
}

// Ready is how many instances of the version that serves live, of those that are wanted. Those
// that are too many do not count, and one that is being replaced does.
type Ready struct {
	Live, Want int
	Unfit      error // why another one could not be started the last time; nil = it could
}

// Ready may be called at any time.
func (v *Versions) Ready() Ready {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.over {
		return Ready{}
	}
	live, want, unfit := v.serving.Load().pool.ready()
	return Ready{live, want, unfit}
}

// Plugin is the one that serves.
func (v *Versions) Plugin() *Plugin { return v.serving.Load().plugin }

// Stats returns what all versions have done together, and the instances that live.
func (v *Versions) Stats() Stats {
	v.mu.Lock()
	defer v.mu.Unlock()
	s := Stats{Discards: make(map[stream.Code]uint64)}
	if !v.over {
		now := v.serving.Load().Stats()
		s.Suspended = now.Suspended
		s.add(now)
	}
	s.add(v.past)
	for _, one := range v.retired {
		s.add(one.Stats())
	}
	return s
}

// add adds the counters of another version. Closed ones have no instances.
func (s *Stats) add(o Stats) {
	s.Calls, s.Yields, s.Refills = s.Calls+o.Calls, s.Yields+o.Yields, s.Refills+o.Refills
	s.Openings, s.Dropped, s.Instances = s.Openings+o.Openings, s.Dropped+o.Dropped, s.Instances+o.Instances
	for code, n := range o.Discards {
		s.Discards[code] += n
	}
}

// Close implements stream.Transform. It comes after the last call.
func (v *Versions) Close(context.Context) error {
	v.mu.Lock()
	one := v.serving.Load()
	v.retired, v.over = append(v.retired, one), true
	v.closing.Add(1)
	v.mu.Unlock()
	v.end(one)
	v.closing.Wait()
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.fault
}
