package statetest

import (
	"context"
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/host/stream"
)

// Plan says how a vertex is driven.
type Plan struct {
	// Fresh returns a vertex that remembers nothing. Each has the same groups.
	Fresh func(t *rapid.T) *Driver
	// Step draws one, which can be done to one vertex after the other.
	Step func(t *rapid.T) func(v *Driver)
	// End does what comes at the end of time.
	End func(v *Driver)
	// Steps is how many there are at most.
	Steps int
	// Loose says that a part that is cut may be another one.
	Loose bool
}

// trial is a run of a plan.
type trial struct {
	*rapid.T
	Plan
	never, now *Driver // the one that never stops, and the one that does
	done       []step
	view       *view // nil: none is open
	kept       []checkpoint
}

// step is one that was done, and what came of it.
type step struct {
	do   func(v *Driver)
	said []string
}

// Survives holds that a vertex that is restored goes on as one that never stopped.
func Survives(t *rapid.T, p Plan) {
	r := &trial{T: t, Plan: p, never: p.Fresh(t), now: p.Fresh(t)}
	for range rapid.IntRange(1, p.Steps).Draw(t, "steps") {
		switch rapid.IntRange(0, 9).Draw(t, "what") {
		case 0, 1:
			r.freeze()
		case 2:
			r.release()
		case 3:
			r.restart()
		case 4:
			if rapid.IntRange(0, 4).Draw(t, "end") == 0 {
				r.end()
			}
		default:
			if r.view != nil {
				r.view.read(rapid.IntRange(0, 5).Draw(t, "parts"))
			}
			r.step(p.Step(t))
		}
	}
	r.restart()
	r.step(p.End)
	if r.view != nil {
		r.view.release(t, false)
	}
}

// step does a step to both.
func (r *trial) step(do func(v *Driver)) {
	do(r.never)
	r.done = append(r.done, step{do, listen(r.never)})
	r.again(r.now, len(r.done)-1)
}

// again does a step to a vertex, which has to say what was said before.
func (r *trial) again(v *Driver, n int) {
	s := r.done[n]
	s.do(v)
	if got := listen(v); !slices.Equal(got, s.said) {
		r.Fatalf("step %d of %d:\n got %q\nwant %q", n, len(r.done), got, s.said)
	}
}

// listen returns what a vertex says, and when it has something to do.
func listen(v *Driver) []string {
	said := slices.Clone(v.heard())
	for g := range v.Groups() {
		if at, ok := v.Due(g, g+1); ok {
			said = append(said, fmt.Sprintf("group %d at %d", g, at))
		}
		if at, ok := v.Alarm(g, g+1); ok {
			said = append(said, fmt.Sprintf("group %d by the clock at %d", g, at))
		}
	}
	return said
}

func (r *trial) freeze() {
	if r.view != nil {
		r.release()
	}
	r.view = newView(r.T, r.now, rapid.IntRange(0, 5).Draw(r.T, "full") == 0, len(r.done))
}

func (r *trial) release() {
	if r.view == nil {
		return
	}
	if rapid.IntRange(0, 5).Draw(r.T, "whole") > 0 {
		r.view.read(1 << 30)
	}
	if v := r.view; v.release(r.T, rapid.IntRange(0, 3).Draw(r.T, "saved") > 0) {
		r.keep(v)
	}
	r.view = nil
}

// keep publishes the checkpoint of a view.
func (r *trial) keep(v *view) {
	var before []Part
	if n := len(r.kept); n > 0 {
		before = r.kept[n-1].parts
	}
	r.kept = append(r.kept, checkpoint{chained(before, v.parts...), v.at})
}

// restart replaces the vertex by a fresh one, which is restored from one of the last
// checkpoints, or none, and does again what was done since.
func (r *trial) restart() {
	if r.view != nil {
		r.view.release(r.T, false) // as the process that had it is gone
		r.view = nil
	}
	r.now = r.Fresh(r.T)
	if rapid.Bool().Draw(r.T, "astray") {
		r.astray()
	}
	r.kept = r.kept[:max(0, len(r.kept)-rapid.SampledFrom([]int{0, 0, 0, 1, 9}).Draw(r.T, "older"))]
	var from checkpoint
	if n := len(r.kept); n > 0 {
		from = r.kept[n-1]
	}
	r.restore(from.parts)
	for n := from.at; n < len(r.done); n++ {
		r.again(r.now, n)
	}
}

// restore restores a vertex that has done nothing.
func (r *trial) restore(parts []Part) {
	if err := Restore(r.now, parts); err != nil {
		r.Fatal(err)
	}
}

// Restore gives a vertex parts, and no reason to keep them.
func Restore(d stream.Durable, parts []Part) error {
	for _, p := range parts {
		data := slices.Clone(p.Data)
		err := d.Restore(p.Table, p.Full, data)
		for i := range data {
			data[i] = 0xEE
		}
		if err != nil {
			return err
		}
	}
	return d.Restored(context.Background())
}

// astray restores something else first, or a part of it, or what is damaged.
func (r *trial) astray() {
	if len(r.kept) == 0 {
		r.now.Reset()
		return
	}
	parts := slices.Clone(rapid.SampledFrom(r.kept).Draw(r.T, "other").parts)
	parts = parts[:rapid.IntRange(0, len(parts)).Draw(r.T, "some")]
	cut := len(parts) > 0 && rapid.Bool().Draw(r.T, "cut")
	if cut {
		p := &parts[rapid.IntRange(0, len(parts)-1).Draw(r.T, "part")]
		p.Data = p.Data[:rapid.IntRange(0, len(p.Data)-1).Draw(r.T, "bytes")]
	}
	switch err := Restore(r.now, parts); {
	case !cut && err != nil:
		r.Fatal(err)
	case cut && stream.CodeOf(err) != stream.StateCorrupt && !(r.Loose && err == nil):
		r.Fatalf("a part that is cut: %v", err)
	}
	r.now.Reset()
}

// end lets both reach the end of time, and go on: one of them after a restart.
func (r *trial) end() {
	r.step(r.End)
	if r.view != nil {
		r.view.release(r.T, false)
	}
	r.view = newView(r.T, r.now, rapid.Bool().Draw(r.T, "full"), len(r.done)+1)
	r.view.read(1 << 30)
	r.view.release(r.T, true)
	r.keep(r.view)
	r.view = nil
	r.never.reopen()
	r.done = append(r.done, step{(*Driver).reopen, listen(r.never)})
	r.now = r.Fresh(r.T)
	r.restore(r.kept[len(r.kept)-1].parts)
	if got, want := listen(r.now), r.done[len(r.done)-1].said; !slices.Equal(got, want) {
		r.Fatalf("after the end of time:\n got %q\nwant %q", got, want)
	}
}
