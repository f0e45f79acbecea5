package wasm

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
)

// Locals of the guests of passing.
const (
	frameLocal = iota
	countLocal
	recordLocal
	entryLocal
	indexLocal
)

// passing is a guest that passes records through, and runs instructions at the start of a
// call and for each record, once its entry is written.
func passing(a *abitest.Asm, first, each []byte) []byte {
	get, set, c, op := abitest.Get, abitest.Set, abitest.Const, abitest.Op
	const header, entries = 0x3fff0, 0x40000
	a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, []byte{abitest.I32, abitest.I32, abitest.I32, abitest.I32},
		first,
		get(frameLocal), abitest.Load(0), set(countLocal), get(frameLocal), abitest.Load(4), set(recordLocal), c(entries), set(entryLocal),
		abitest.Loop(),
		get(entryLocal), get(recordLocal), c(32), abitest.MemoryCopy(), get(entryLocal), get(indexLocal), abitest.Store(32),
		get(entryLocal), abitest.Const64(0), abitest.Store64(36), get(entryLocal), c(0), abitest.Store(44),
		each,
		get(entryLocal), c(abi.OutSize), op(abitest.Add), set(entryLocal), get(recordLocal), c(abi.InSize), op(abitest.Add), set(recordLocal),
		get(indexLocal), c(1), op(abitest.Add), set(indexLocal), get(indexLocal), get(countLocal), op(abitest.LessU), abitest.BrIf(0), op(abitest.End),
		c(header), get(countLocal), abitest.Store(0), c(header), c(entries), abitest.Store(4), c(header))
	return a.Bytes()
}

// on runs instructions for the records whose values begin with a letter up to the one given.
func on(letter byte, body ...[]byte) []byte {
	return slices.Concat(abitest.Get(recordLocal), abitest.Load(16), abitest.Op(0x2d, 0, 0), abitest.Const(int32(letter)+1), abitest.Op(abitest.LessU),
		abitest.If(), slices.Concat(body...), abitest.Op(abitest.End))
}

func passes(each ...[]byte) []byte { return passing(abitest.NewGuest(), nil, slices.Concat(each...)) }

var (
	trapping = abitest.Op(abitest.Unreachable)
	refusing = slices.Concat(abitest.Get(entryLocal), abitest.Const(int32(abi.OutcomeError)), abitest.Store(36))
	later    = slices.Concat(abitest.Get(entryLocal), abitest.Const64(1000), abitest.Store64(0))
	looping  = slices.Concat(abitest.Loop(), abitest.Br(0), abitest.Op(abitest.End))
	lying    = slices.Concat(abitest.Get(entryLocal), abitest.Const(999), abitest.Store(32))
)

// lettered are 60 records, of which 6 have values that begin with a, 7 with a or b.
func lettered() []abitest.Record {
	rs := make([]abitest.Record, 60)
	for k := range rs {
		letter := 'z'
		switch {
		case k%10 == 0:
			letter = 'a'
		case k == 1:
			letter = 'b'
		}
		rs[k] = abitest.Record{Key: fmt.Sprint(k % 5), Value: fmt.Sprintf("%c%d", letter, k), Time: int64(k)}
	}
	return rs
}

// trial lets a first version of a plugin handle records, in calls of at most 16, and
// returns it, with the one to try.
type trial struct {
	old, next []byte
	limits    Limits
	grant     []abi.Capability
	off       bool
}

func (c *trial) try(t *testing.T, e *Engine, records []abitest.Record) (Trial, error) {
	t.Helper()
	if c.limits == (Limits{}) {
		c.limits = DefaultLimits()
	}
	config := Config{Vertex: "v", Grant: c.grant, Canary: !c.off, Events: stream.Events{
		RequestDenied: func(stream.VertexID, string, string) { t.Error("it asked for something") },
		GuestLog:      func(stream.VertexID, stream.GuestLevel, string) { t.Error("it logged something") },
	}}
	v := NewVersions(freshTransform(t, freshPlugin(t, e, c.old, c.limits), config))
	next := freshTransform(t, freshPlugin(t, e, c.next, c.limits), config)
	for chunk := range slices.Chunk(records, 16) {
		out := stream.Output{Batch: (&stream.BatchPool{}).New()}
		s := abitest.NewState()
		s.Begin(chunk)
		_ = v.Process(t.Context(), s, batchOf(chunk), &out) // some fail
	}
	before := v.Stats().Calls
	got, err := v.Try(t.Context(), next)
	if calls := v.Stats().Calls; calls != before || v.Plugin() == next.plugin {
		t.Errorf("the vertex made %d calls for the trial, or it is served", calls-before)
	}
	if err := next.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := v.Close(t.Context()); err != nil {
		t.Error(err)
	}
	return got, err
}

func TestAVersionThatDoesWorseIsRefused(t *testing.T) {
	quick := DefaultLimits()
	quick.CallDeadline = 200 * time.Millisecond
	for _, c := range []struct {
		name string
		trial
		want []string // in the error
	}{
		{"it traps on some records", trial{old: passes(), next: passes(on('a', trapping))}, []string{"the new version of the plugin fails on 6 of 60 recent records", "unreachable", "fix: correct the plugin"}},
		{"it traps on records that were errors", trial{old: passes(on('a', refusing)), next: passes(on('a', trapping))}, []string{"fails on 6 of 60"}},
		{"it breaks the ABI", trial{old: passes(), next: passes(on('b', lying))}, []string{"fails on 7 of 60", "broke the ABI"}},
		{"it runs past its deadline", trial{old: passes(), next: passes(looping), limits: quick}, []string{"ran past its deadline"}},
		{"it traps on several records at once alone", trial{old: passes(), next: passing(abitest.NewGuest(),
			slices.Concat(abitest.Get(0), abitest.Load(0), abitest.Const(1), abitest.Op(abitest.GreaterU), abitest.If(), trapping, abitest.Op(abitest.End)), nil)}, []string{"fails on 60 of 60"}},
		{"more than a tenth more are errors", trial{old: passes(), next: passes(on('b', refusing))}, []string{"reports 7 of 60 recent records as errors, the one that serves 0; the first new one: a0"}},
		{"it finds no state that it wrote", trial{old: passesState(nil), next: passesState(forgetful)}, []string{"fails on 60 of 60"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.try(t, newEngine(t), lettered())
			if got.Records == 0 || c.limits == quick && got.Records > 10 {
				t.Errorf("after %d records", got.Records)
			}
			if stream.CodeOf(err) != stream.PluginCanary || !strings.HasPrefix(err.Error(), "v, plugin abitest: ") {
				t.Fatalf("got %v", err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %v\nwant %s", err, want)
				}
			}
		})
	}
}

// TestASlowMachineIsNoReason has a guest that loops in the second call of each instance, and
// is given a second chance; one that traps is not.
func TestASlowMachineIsNoReason(t *testing.T) {
	quick := DefaultLimits()
	quick.CallDeadline = 100 * time.Millisecond
	second := func(body []byte) []byte {
		a := abitest.NewGuest()
		a.Global()
		used := []byte{0x23, 0, 0x42, 0, 0x52} // global.get, i64.const 0, ne
		return passing(a, slices.Concat(used, abitest.If(), body, abitest.Op(abitest.End), abitest.Const64(1), []byte{0x24, 0}), nil)
	}
	c := trial{old: passes(), next: second(looping), limits: quick}
	if got, err := c.try(t, newEngine(t), lettered()[:18]); err != nil || got.Records != 18 || got.Differ != 0 {
		t.Errorf("got %v, %v", got, err)
	}
	c.next = second(trapping)
	if _, err := c.try(t, newEngine(t), lettered()[:18]); stream.CodeOf(err) != stream.PluginCanary {
		t.Errorf("one that traps: %v", err)
	}
}

// TestARecordIsTriedAgainWithTheStateOfBefore has guests that trap on a key
// they know, or answer otherwise.
func TestARecordIsTriedAgainWithTheStateOfBefore(t *testing.T) {
	known := func(then, each []byte) []byte {
		a := abitest.NewGuestOf(abi.KindProcess, abitest.ImportState)
		a.Data(0x1000, []byte("name"))
		name := slices.Concat(abitest.Get(indexLocal), abitest.Const(0x1000), abitest.Const(4))
		return passing(a, nil, slices.Concat(
			name, abitest.Const(0x3000), abitest.Const(64), abitest.Call(0), abitest.Const(-1), abitest.Op(0x47), abitest.If(), then, abitest.Op(abitest.End),
			name, abitest.Const(0x1000), abitest.Const(4), abitest.Const64(0), abitest.Call(1), each))
	}
	records := lettered()
	for k := range records {
		records[k].Key = fmt.Sprint(k)
	}
	e, sure, unsure := newEngine(t), known(trapping, nil), known(trapping, on('a', refusing))
	for _, c := range []trial{{old: sure, next: unsure}, {old: unsure, next: sure}} {
		if got, err := c.try(t, e, records); err != nil || got.Records != 60 || got.Differ != 6 {
			t.Errorf("got %v, %v", got, err)
		}
	}
	c := trial{old: known(later, nil), next: known(later, on('a', refusing))} // which knows key 0 later
	if got, err := c.try(t, e, lettered()); err != nil || got.Records != 60 || got.Differ != 7 {
		t.Errorf("got %v, %v", got, err)
	}
}

// passesState is a guest of kind process that puts a value for each record, and traps if it
// does not find it there, after other instructions.
func passesState(between []byte) []byte {
	a := abitest.NewGuestOf(abi.KindProcess, abitest.ImportState)
	a.Data(0x1000, []byte("name"))
	name := slices.Concat(abitest.Get(indexLocal), abitest.Const(0x1000), abitest.Const(4))
	list := slices.Concat(name, abitest.Const(0x3000), abitest.Const(64), abitest.Call(3))
	return passing(a, nil, slices.Concat(
		name, abitest.Const(0x1000), abitest.Const(4), abitest.Const64(7), abitest.Call(1), between,
		name, abitest.Const(0x3000), abitest.Const(64), abitest.Call(0), abitest.Const(4), abitest.Op(0x47), abitest.If(), trapping, abitest.Op(abitest.End),
		list, abitest.Op(abitest.Eqz), abitest.If(), trapping, abitest.Op(abitest.End)))
}

var forgetful = slices.Concat(abitest.Get(indexLocal), abitest.Const(0x1000), abitest.Const(4), abitest.Call(2))

// importing is a guest that imports a function and does not call it.
func importing(name string, params, results, each []byte) []byte {
	return passing(abitest.NewGuest(func(a *abitest.Asm) { a.Import(abi.ModuleWasmill, name, params, results) }), nil, each)
}

func TestAVersionThatDoesAsWellIsTaken(t *testing.T) {
	i32, i64 := abitest.I32, abitest.I64
	hour := slices.Concat(abitest.Const64(int64(time.Hour)), abitest.Call(0))
	say := slices.Concat(abitest.Const(1), abitest.Const(0), abitest.Const(4), abitest.Call(0))
	http := importing(abi.ImportHTTPRequest, []byte{i32}, []byte{i64}, on('b', trapping))
	random := func(each []byte) []byte { return importing(abi.ImportRandom, []byte{i32, i32}, nil, each) }
	unmetered := DefaultLimits()
	unmetered.Unmetered = true
	for _, c := range []struct {
		name string
		trial
		want string
	}{
		{"it answers the same", trial{old: passes(), next: passes(on('a'))}, "canary: 60 records, 0 answered differently"},
		{"it answers otherwise", trial{old: passes(), next: passes(on('b', later))}, "canary: 60 records, 7 answered differently"},
		{"a tenth more are errors", trial{old: passes(), next: passes(on('a', refusing))}, "canary: 60 records, 6 answered differently"},
		{"both trap", trial{old: passes(on('b', trapping)), next: passes(on('a', trapping))}, "canary: 60 records, 1 answered differently"},
		{"it keeps state", trial{old: passesState(nil), next: passesState(abitest.Op(0x01))}, "canary: 60 records, 0 answered differently"},
		{"with state, some are errors", trial{old: passesState(nil), next: passesState(on('a', refusing))}, "canary: 60 records, 6 answered differently"},
		{"it sleeps", trial{old: passes(), next: importing(abi.ImportSleep, []byte{i64}, nil, hour), grant: []abi.Capability{abi.CapabilitySleep}}, "canary: 60 records, 0 answered differently"},
		{"it logs", trial{old: passes(), next: importing(abi.ImportLog, []byte{i32, i32, i32}, nil, say), grant: []abi.Capability{abi.CapabilityLog}}, "canary: 60 records, 0 answered differently"},
		{"it asks over HTTP", trial{old: passes(), next: http, grant: []abi.Capability{abi.CapabilityHTTP}}, "canary: not tried: it asks over HTTP"},
		{"it asks for chance", trial{old: passes(), next: random(on('b', refusing)), grant: []abi.Capability{abi.CapabilityRandom}}, "canary: 60 records, 7 answered differently: it asks for the time or for chance, so that errors do not count"},
		{"it is not metered", trial{old: passes(), next: passes(trapping), limits: unmetered}, "canary: not tried: without metering it could not be stopped"},
		{"the canary is off", trial{old: passes(), next: passes(trapping), off: true}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, err := c.try(t, newEngine(t), lettered()); err != nil || got.String() != c.want {
				t.Errorf("got %v, %v, want %s", got, err, c.want)
			}
		})
	}
	c := trial{old: passes(), next: passes(trapping)}
	if got, err := c.try(t, newEngine(t), nil); err != nil || got.String() != "canary: not tried: no record came yet" {
		t.Errorf("without records: %v, %v", got, err)
	}
}

// TestAChanceMayNotTrap tells errors, which may be chance, from traps, which may not.
func TestAChanceMayNotTrap(t *testing.T) {
	c := trial{old: passes(), next: importing(abi.ImportRandom, []byte{abitest.I32, abitest.I32}, nil, on('b', trapping)), grant: []abi.Capability{abi.CapabilityRandom}}
	if _, err := c.try(t, newEngine(t), lettered()); stream.CodeOf(err) != stream.PluginCanary {
		t.Errorf("got %v", err)
	}
}

// TestTwoMoreErrorsAreNoReason leaves a small sample its bad luck.
func TestTwoMoreErrorsAreNoReason(t *testing.T) {
	c := trial{old: passes(), next: passes(on('b', refusing))}
	if got, err := c.try(t, newEngine(t), lettered()[:2]); err != nil || got.Records != 2 || got.Differ != 2 {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := c.try(t, newEngine(t), slices.Concat(lettered()[:2], lettered()[:1])); stream.CodeOf(err) != stream.PluginCanary {
		t.Errorf("three: %v", err)
	}
}

// TestATrialSeesTheSideInputs has a guest that traps without one.
func TestATrialSeesTheSideInputs(t *testing.T) {
	e := newEngine(t)
	reads := func(each ...[]byte) *Plugin {
		a := abitest.NewGuest(abitest.ImportSides)
		a.Data(0x1000, []byte("name"))
		missing := slices.Concat(abitest.Const(0x1000), abitest.Const(4), abitest.Call(0), abitest.Const64(0), abitest.Op(0x53)) // lt_s
		return freshPlugin(t, e, passing(a, slices.Concat(missing, abitest.If(), trapping, abitest.Op(abitest.End)), slices.Concat(each...)), DefaultLimits())
	}
	v := NewVersions(freshTransform(t, reads(), Config{Vertex: "v", Canary: true}))
	v.SetSide("name", []byte("1"))
	if err := callWith(t.Context(), v, "x"); err != nil {
		t.Fatal(err)
	}
	next := freshTransform(t, reads(later), Config{Vertex: "v"})
	if got, err := v.Try(t.Context(), next); err != nil || got.Records != 1 || got.Differ != 1 {
		t.Errorf("got %v, %v", got, err)
	}
	v.Serve(next)
	if err := v.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if got, err := v.Try(t.Context(), next); err != nil || got.Records != 0 {
		t.Errorf("closed: %v, %v", got, err)
	}
}

// TestATrialEndsWithItsContext stops one that would take long.
func TestATrialEndsWithItsContext(t *testing.T) {
	e := newEngine(t)
	v := NewVersions(freshTransform(t, freshPlugin(t, e, passes(), DefaultLimits()), Config{Vertex: "v", Canary: true}))
	if err := callWith(t.Context(), v, "x"); err != nil {
		t.Fatal(err)
	}
	next := freshTransform(t, freshPlugin(t, e, passes(looping), DefaultLimits()), Config{Vertex: "v"})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := v.Try(ctx, next); err != context.DeadlineExceeded {
		t.Errorf("got %v", err)
	}
	v.Serve(next)
	if err := v.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
