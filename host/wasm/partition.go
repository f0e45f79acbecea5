package wasm

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm/meter"
)

// Partitions calls a plugin for a vertex whose state is the memory of its guests:
// there is one for each partition, which gets all of its records. Partitions may be
// used by different goroutines at once, one partition by one at a time; whoever
// hands one on synchronizes that.
//
//	        ┌ live     the guest, if it runs
//	record ─┼ journal  its frames since …
//	        └ shadow   … a copy of all that it remembers was taken
//
// A call that fails takes its guest with it. Another one gets the shadow and the
// frames of the journal, and so remembers all calls but that one. This needs guests
// that do the same for the same frames; those that would not are not taken, or fail
// the vertex when it shows.
type Partitions struct {
	employer
	mute      *vertex // to which replayed guests belong: it tells nobody
	params    [32]byte
	parts     []partition
	instances atomic.Int64
	refills   atomic.Uint64
}

// partition is the state of one guest.
type partition struct {
	index   int
	live    *instance // nil = not started, or to be brought back
	version uint64    // grows with each call that went well; 0 = never started
	shadow  shadow
	journal journal
	cost    time.Duration // of taking the shadow the last time
	fault   error         // of closing a guest
}

// A shadow is taken when replaying the journal would take replayTime, or
// replayCosts as long as taking one does, whichever is more; or the journal is full.
const (
	replayTime  = 100 * time.Millisecond
	replayCosts = 20
)

// repeats lists the capabilities that do the same when a call is made again.
var repeats = []abi.Capability{abi.CapabilityLog}

// Partitions starts the guest of the first of n partitions, so that what is wrong
// with the plugin or its parameters shows before a record moves. The others start
// with their first record. Config.Instances does not count.
func (p *Plugin) Partitions(ctx context.Context, c Config, n int) (*Partitions, error) {
	var err error
	if p.globals, err = p.rememberable(c); err != nil {
		return nil, err
	}
	v, err := p.employ(c)
	if err != nil {
		return nil, err
	}
	silent := c
	silent.Events = stream.Events{}
	t := &Partitions{
		employer: employer{plugin: p, vertex: v, gate: newGate(p.limits.Discards)},
		mute:     &vertex{Config: silent, seed: v.seed, http: v.http},
		params:   hashParams(v.Params), parts: make([]partition, n),
	}
	for k := range t.parts {
		t.parts[k].index = k
	}
	if err := t.revive(ctx, &t.parts[0]); err != nil {
		return nil, errors.Join(err, t.Close(ctx))
	}
	return t, nil
}

// Rememberable returns why the memory of a plugin cannot be the state of a vertex,
// nil if it can.
func (p *Plugin) Rememberable() error {
	_, err := p.rememberable(Config{})
	return err
}

// rememberable refuses plugins whose memory and globals, which it returns, are not
// all of their state, or who would not do the same again.
func (p *Plugin) rememberable(c Config) (globals []string, err error) {
	e := &stream.Error{Code: stream.PluginState, Where: strings.TrimPrefix(fmt.Sprintf("%s, plugin %s", c.Vertex, p.Description.Name), ", ")}
	for _, capability := range slices.Concat(p.Wants, c.Grant) {
		if !slices.Contains(repeats, capability) {
			e.Why = fmt.Sprintf("with state: memory a plugin has to do the same when a call is made again, and one with the capability %s need not", capability)
			e.Fix = "leave that to a plugin in another vertex, before this one; what the time is stands in the frame"
			return nil, e
		}
	}
	switch {
	case p.Description.Kind != abi.KindMap:
		e.Why = fmt.Sprintf("the plugin is of kind %s, whose state the host keeps by key", p.Description.Kind)
		e.Fix = "remove state: memory from the vertex"
	case p.limits.Unmetered:
		e.Why = "with sandbox.metering off the memory of a plugin cannot be its state: its variables are not all seen"
		e.Fix = "remove sandbox.metering from the vertex"
	default:
		globals, pinned, err := p.portable()
		if err != nil || pinned == "" {
			return globals, err
		}
		e.Why = "its memory is not all that the plugin remembers: it " + pinned
		e.Fix = "build it without, as compilers do by default; or keep what it knows in state by key (kind process)"
	}
	return nil, e
}

// portable looks at what meter.Portable does. It reads the file again, which takes
// long and is seldom wanted.
func (p *Plugin) portable() (globals []string, pinned string, err error) {
	data, err := readFile(p.Path, p.limits.PluginBytes)
	if err != nil {
		return nil, "", err
	}
	if hash := sha256.Sum256(data); hex.EncodeToString(hash[:]) != p.Hash {
		return nil, "", Changed(p.Path)
	}
	m, err := decode(p.Path, data)
	if err != nil {
		return nil, "", err
	}
	globals, pinned = meter.Portable(m)
	return globals, pinned, nil
}

// Call gives a partition's guest the records of a batch, as Transform.Call does. If
// it returns an error the partition is as before; if there are Failures, all is done
// but these.
func (t *Partitions) Call(ctx context.Context, part int, in *stream.Batch, out *stream.Output) error {
	probe, err := t.gate.enter(ctx)
	if err != nil {
		return err
	}
	records := in.Len()
	err = t.call(ctx, &t.parts[part], in, out)
	t.settle(ctx, records, probe, err)
	return err
}

func (t *Partitions) call(ctx context.Context, p *partition, in *stream.Batch, out *stream.Output) error {
	t.counters.calls.Add(1)
	if err := t.revive(ctx, p); err != nil {
		return err
	}
	out.Kept = true
	i, frames, began := p.live, len(p.journal.frames), time.Now()
	if err := i.call(ctx, nil, in, out); err != nil {
		t.discarded(ctx, err)
		p.journal.cut(frames)
		if t.drop(ctx, p); ctx.Err() != nil {
			return err
		}
		if gone := t.revive(ctx, p); gone != nil && ctx.Err() == nil {
			return gone
		}
		return err
	}
	p.version++
	p.journal.answered(binary.LittleEndian.Uint32(i.view[uint32(i.stack[0]):]), time.Since(began))
	if j := &p.journal; len(j.data) >= JournalBytes || j.took >= max(replayTime, replayCosts*p.cost) {
		return lost(p.capture())
	}
	return nil
}

// lost makes an error one that fails the vertex.
func lost(err error) error {
	if err == nil {
		return nil
	}
	return &stream.Fatal{Err: err}
}

// capture takes the shadow, so that the journal is not needed.
func (p *partition) capture() error {
	began := time.Now()
	if err := p.shadow.take(p.live, p.version); err != nil {
		return err
	}
	p.journal.reset()
	p.cost = time.Since(began)
	return nil
}

// drop closes the guest of a partition, if there is one. What goes wrong with that
// is told by Close.
func (t *Partitions) drop(ctx context.Context, p *partition) {
	if p.live == nil {
		return
	}
	p.fault = errors.Join(p.fault, p.live.close(context.WithoutCancel(ctx)))
	p.live = nil
	t.instances.Add(-1)
}

// revive makes sure that a partition has a guest, which remembers what it should.
// What is amiss otherwise than by the end of ctx is Fatal.
func (t *Partitions) revive(ctx context.Context, p *partition) error {
	if p.live != nil {
		return nil
	}
	i, err := t.raise(ctx, p)
	if err == nil {
		p.live = i
		t.instances.Add(1)
		i.journal = &p.journal
		if p.version == 0 {
			p.version = 1
		}
		if p.version != p.shadow.version {
			err = p.capture() // so that the next one has nothing to replay
		}
	}
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return lost(err)
}

// raise returns a new guest for a partition.
func (t *Partitions) raise(ctx context.Context, p *partition) (*instance, error) {
	if p.version == 0 {
		return t.start(ctx)
	}
	i, err := t.plugin.instantiateUpTo(ctx, t.mute)
	if err != nil {
		return nil, err
	}
	t.refills.Add(1)
	if err = p.shadow.bringTo(i); err == nil {
		err = p.journal.replay(ctx, i)
	}
	if err != nil {
		return nil, errors.Join(t.changed(err), i.close(context.WithoutCancel(ctx)))
	}
	i.vertex = t.vertex
	return i, nil
}

// changed is the error of a guest that does not do what it did before.
func (t *Partitions) changed(err error) error {
	return &stream.Error{
		Code: stream.GuestReplay, Where: fmt.Sprintf("%s, plugin %s", t.vertex.Vertex, t.plugin.Description.Name),
		Why: "the plugin is not deterministic: after a failed call it was given again what it had handled before, and did not do the same", Err: err,
		Fix: "with state: memory a plugin has to do the same for the same records, or its state cannot be brought back: find what differs",
	}
}

// Stats returns counters. They are read one after the other, while calls go on.
func (t *Partitions) Stats() Stats {
	s := t.stats()
	s.Refills, s.Instances = t.refills.Load(), int(t.instances.Load())
	return s
}

// Close closes all guests. No call may be under way.
func (t *Partitions) Close(ctx context.Context) error {
	defer t.dismiss()
	var errs []error
	for k := range t.parts {
		p := &t.parts[k]
		t.drop(ctx, p)
		p.shadow.free()
		errs = append(errs, p.fault)
	}
	return errors.Join(errs...)
}
