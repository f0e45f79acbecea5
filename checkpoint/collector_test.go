package checkpoint

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

func collect(t *testing.T, w *Writer, r Retention) Collected {
	t.Helper()
	out, err := (&Collector{Writer: w}).Run(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestRetentionKeepsTheNewestAndTheYoung(t *testing.T) {
	s := newMemory()
	w := claim(t, s)
	for e := range stream.Epoch(10) {
		s.now = midnight.Add(time.Duration(e) * time.Minute)
		write(t, w, e+1, snapshot("a", full("x", 0, 1, "1")))
	}
	for _, c := range []struct {
		r    Retention
		want []stream.Epoch
	}{
		{Retention{Count: 3, MinAge: 5 * time.Minute}, []stream.Epoch{10, 9, 8, 7, 6}},
		{Retention{Count: 3}, []stream.Epoch{10, 9, 8}},
		{Retention{}, []stream.Epoch{10}},
	} {
		if out := collect(t, w, c.r); !slices.Equal(out.Kept, c.want) {
			t.Errorf("%+v keeps %v", c.r, out.Kept)
		}
		if got := len(s.names("/epochs/")); got != len(c.want) {
			t.Errorf("%+v leaves %d", c.r, got)
		}
	}
	if got := s.names("p/"); len(got) != 3 {
		t.Errorf("%v", got)
	}
}

func TestWhatAKeptCheckpointNeedsOfOlderOnesStays(t *testing.T) {
	s := newMemory()
	w := claim(t, s)
	old := string(noise(1, 10_000))
	write(t, w, 1, snapshot("a", full("x", 0, 1, old)))
	for e := range stream.Epoch(5) {
		write(t, w, e+2, snapshot("a"))
	}
	collect(t, w, Retention{Count: 1})
	if _, got, err := restore(t.Context(), s); err != nil || got["a/x"][0] != old {
		t.Fatal(err)
	}
	write(t, w, 7, snapshot("a", full("x", 0, 1, "new")))
	s.now = s.now.Add(time.Hour)
	write(t, w, 8, snapshot("a"))
	collect(t, w, Retention{Count: 1})
	if got := s.names("/gen-"); len(got) != 1 {
		t.Errorf("%v", got)
	}
}

func TestADamagedCheckpointDoesNotCountAsKept(t *testing.T) {
	s := newMemory()
	w := three(t, s)
	s.change("p/"+dataOf(1, 3, 0), nil)
	w.Continue(nil)
	out := collect(t, w, Retention{Count: 1})
	if !slices.Equal(out.Kept, []stream.Epoch{3, 2}) {
		t.Errorf("%v", out.Kept)
	}
	if _, got, err := restore(t.Context(), s); err != nil || got["a/x"][0] != "2" {
		t.Errorf("%v, %v", got, err)
	}
	// What is left of it is kept for people, until newer ones are there.
	if len(s.names(folderOf(1, 3))) != 1 {
		t.Errorf("%v", s.names(""))
	}
}

func TestNothingIsDeletedWhenSomethingCannotBeKnown(t *testing.T) {
	newer, err := record{Format: 2, Epoch: 3}.encode()
	if err != nil {
		t.Fatal(err)
	}
	for name, prepare := range map[string]func(t *testing.T, s *memory, w *Writer){
		"the list fails":          func(_ *testing.T, s *memory, _ *Writer) { s.faults(failing("list", "")) },
		"a record fails":          func(_ *testing.T, s *memory, _ *Writer) { s.faults(failing("get", "p/epochs/")) },
		"a manifest fails":        func(_ *testing.T, s *memory, _ *Writer) { s.faults(failing("get", "p/gen-")) },
		"the probes fail":         func(_ *testing.T, s *memory, _ *Writer) { s.faults(failing("list", "probe/")) },
		"a newer format":          func(_ *testing.T, s *memory, _ *Writer) { s.change("p/epochs/"+digits(3), newer) },
		"a newer generation":      func(t *testing.T, s *memory, _ *Writer) { claim(t, s) },
		"nothing can be restored": func(_ *testing.T, s *memory, w *Writer) { breakAll(s); w.Continue(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newMemory()
				w := three(t, s)
				prepare(t, s, w)
				before := s.names("")
				out, err := (&Collector{Writer: w}).Run(t.Context(), Retention{Count: 1})
				if err == nil || out.Deleted != 0 {
					t.Errorf("%+v, %v", out, err)
				}
				if after := s.names(""); !slices.Equal(before, after) {
					t.Errorf("left: %v", after)
				}
			})
		})
	}
}

func failing(op, prefix string) func(string, string) verdict {
	return func(o, name string) verdict {
		if o == op && strings.HasPrefix(name, prefix) {
			return refuse
		}
		return pass
	}
}

func breakAll(s *memory) {
	for _, name := range s.names(manifestName) {
		s.change(name, []byte("{"))
	}
}

func TestACrashInTheMiddleLeavesNoCheckpointWithoutItsObjects(t *testing.T) {
	for n := 0; ; n++ {
		s := newMemory()
		w := three(t, s)
		deleted := 0
		s.faults(func(op, _ string) verdict {
			if op == "delete" {
				if deleted++; deleted > n {
					return refuse
				}
			}
			return pass
		})
		ctx, cancel := context.WithCancel(t.Context())
		s.before = func(op, _ string) {
			if op == "delete" && deleted > n {
				cancel()
			}
		}
		_, err := (&Collector{Writer: w}).Run(ctx, Retention{Count: 1})
		s.faults(nil)
		s.before = nil
		all, listErr := (&Reader{Store: s, Pipeline: "p"}).List(t.Context())
		if listErr != nil {
			t.Fatal(listErr)
		}
		for _, e := range all {
			if e.State == Damaged {
				t.Fatalf("after %d objects: epoch %d: %v", n, e.Epoch, e.Err)
			}
		}
		cancel()
		if err == nil {
			if n < 6 {
				t.Errorf("only %d objects were deleted", n)
			}
			break
		}
		s.now = s.now.Add(2 * time.Hour)
		write(t, w, 4, snapshot("a"))
		collect(t, w, Retention{Count: 1})
		if got := s.names("p/"); len(got) != 4 { // a claim, a record, a manifest, data of epoch 3
			t.Fatalf("the next run after %d objects leaves %v", n, got)
		}
	}
}

func TestLeftoversGoAfterTheGrace(t *testing.T) {
	s := newMemory()
	old := claim(t, s)
	write(t, old, 1, snapshot("a", full("x", 0, 1, string(noise(1, 10_000)))))
	leave := func(name string) {
		if err := s.Put(t.Context(), name, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	leave("p/" + dataOf(1, 2, 0))
	w := claim(t, s)
	w.Continue(old.Parent())
	leave("p/" + dataOf(2, 2, 0)) // given up
	write(t, w, 3, snapshot("a"))
	leave("p/" + dataOf(2, 4, 0)) // under way
	leave("probe/ABC")
	leave("probe/generations/" + digits(1)) // of a pipeline called probe
	leave("p/README")
	leave("p2/" + dataOf(1, 1, 0))
	if out := collect(t, w, Retention{Count: 1}); out.Deleted != 2 {
		t.Errorf("%+v", out) // epoch 1
	}
	s.now = s.now.Add(DefaultGrace)
	leave("p/README")
	before := s.names("")
	s.now = s.now.Add(time.Second)
	if err := w.MarkCommitted(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	collect(t, w, Retention{Count: 1})
	gone := slices.DeleteFunc(before, func(n string) bool { return slices.Contains(s.names(""), n) })
	want := []string{"p/" + dataOf(1, 2, 0), "p/" + dataOf(2, 2, 0), "probe/ABC"}
	if !slices.Equal(gone, want) {
		t.Errorf("gone: %v", gone)
	}
}

var histories = flag.Uint64("histories", 12, "how many random histories to run")

// publishedState is a checkpoint as it must be found.
type publishedState struct {
	tables   tables
	manifest *Manifest
}

// history is a random life of a pipeline over many processes, and a model of it.
type history struct {
	t         *testing.T
	r         *rand.Rand
	s         *memory
	w         *Writer
	c         *Collector
	next      stream.Epoch
	state     tables                          // of the parent
	published map[stream.Epoch]publishedState // by the records in the store
	retention Retention
	count     int // of checkpoints
	most      int // objects
}

// One history runs for 10,000 checkpoints, others for as many as make them
// different. Run one again by its name: -run 'Histories/seed_17$'.
func TestRetentionOverRandomHistories(t *testing.T) {
	for seed := range *histories {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			total := 300
			if seed == 0 {
				total = 10_000
			}
			synctest.Test(t, func(t *testing.T) { liveHistory(t, seed, total) })
		})
	}
}

func liveHistory(t *testing.T, seed uint64, total int) {
	h := &history{
		t: t, r: rand.New(rand.NewPCG(seed, 0)), s: newMemory(), next: 1, state: make(tables),
		published: make(map[stream.Epoch]publishedState), retention: Retention{Count: 3},
	}
	h.start()
	for h.count < total && !t.Failed() {
		h.step()
	}
	h.end()
	t.Logf("%d checkpoints, generation %d, at most %d objects", h.count, h.w.Generation(), h.most)
	if h.most > 250 {
		t.Errorf("there were %d objects at once", h.most)
	}
}

func (h *history) chance(percent int) bool { return h.r.IntN(100) < percent }

func (h *history) step() {
	h.s.now = h.s.now.Add(time.Duration(h.r.IntN(int(10 * time.Minute))))
	if h.chance(2) {
		h.retention = Retention{Count: 1 + h.r.IntN(3), MinAge: time.Duration(h.r.IntN(2)) * 20 * time.Minute}
	}
	h.failAt(7)
	h.write()
	h.s.faults(nil)
	if h.chance(70) {
		h.failAt(5)
		h.collect()
		h.s.faults(nil)
	}
	if h.chance(4) {
		h.start()
	}
	h.most = max(h.most, len(h.s.objects))
}

// failAt lets all requests fail, with some probability, from one of the next on:
// without effect, or without an answer.
func (h *history) failAt(percent int) {
	if !h.chance(percent) {
		return
	}
	left, how := h.r.IntN(15), refuse
	if h.chance(50) {
		how = lose
	}
	h.s.faults(func(op, name string) verdict {
		if left--; left >= 0 {
			return pass
		}
		if op == "get" || op == "list" {
			return refuse
		}
		return how
	})
}

// write tries a checkpoint of some random parts.
func (h *history) write() {
	e := h.next
	h.next++
	after := make(tables)
	for k, v := range h.state {
		after[k] = slices.Clone(v)
	}
	var all []Snapshot
	for _, v := range []stream.VertexID{"a", "b"} {
		s := Snapshot{Vertex: v}
		parts := h.r.IntN(3)
		compact := h.w.Parent() == nil || h.w.Parent().Vertex(v) == nil || len(h.w.Parent().Vertex(v).Parts) > 5
		if compact {
			s.Parts = append(s.Parts, full("x", 0, 8, h.text(e)))
		}
		for range parts {
			from := h.r.IntN(8)
			s.Parts = append(s.Parts, Part{Table: "x", From: from, To: from + 1 + h.r.IntN(8-from), Full: h.chance(30), Data: []byte(h.text(e))})
		}
		for _, p := range s.Parts {
			_ = after.take(RestoredPart{Vertex: v, Epoch: e, Part: p})
		}
		n := h.r.IntN(len(s.Parts) + 1)
		s.Parts, s.Stream = s.Parts[:n], streamOf(s.Parts[n:])
		all = append(all, s)
	}
	_, err := h.w.Write(h.t.Context(), e, Info{}, all)
	fault := h.s.fault
	h.s.faults(nil)
	if _, ok := h.s.objects[layout("p").record(e)]; ok {
		m, err := readManifest(h.t.Context(), h.s, "p", e) // known to the writer or not
		if err != nil {
			h.t.Fatal(err)
		}
		h.published[e] = publishedState{after, m}
	}
	if err == nil {
		h.count++
		h.state = after
		if h.chance(90) {
			_ = h.w.MarkCommitted(h.t.Context(), e)
		}
		return
	}
	h.s.faults(fault)
	_ = h.w.Discard(h.t.Context(), e)
}

// text is data that is more often in an object than in the manifest.
func (h *history) text(e stream.Epoch) string {
	return fmt.Sprintf("%d:%s;", e, strings.Repeat("x", h.r.IntN(8)))
}

// collect runs the retention, in the middle of which a checkpoint may be written.
func (h *history) collect() {
	parent := h.w.Parent()
	if at := h.r.IntN(30); h.chance(50) {
		h.s.before = func(string, string) {
			if at--; at == 0 {
				h.s.before = nil
				h.write()
			}
		}
	}
	_, err := h.c.Run(h.t.Context(), h.retention)
	h.s.before = nil
	h.s.faults(nil)
	if err != nil && !errors.Is(err, errAway) {
		h.t.Errorf("collect: %v", err)
	}
	inv, err := takeInventory(h.t.Context(), h.s, "p")
	if err != nil {
		h.t.Fatal(err)
	}
	for _, e := range h.newest(max(1, h.retention.Count)) {
		m := h.published[e].manifest
		if _, ok := inv.records[e]; !ok || inv.bytes["p/"+m.Name()] == 0 || inv.present(m) != nil {
			h.t.Errorf("epoch %d: record %v, manifest %d bytes, %v", e, ok, inv.bytes["p/"+m.Name()], inv.present(m))
		}
	}
	for _, m := range []*Manifest{parent, h.w.Parent()} {
		if m != nil && inv.present(m) != nil {
			h.t.Errorf("the parent %d: %v", m.Epoch, inv.present(m))
		}
	}
	for e := range h.published {
		if _, ok := inv.records[e]; !ok {
			delete(h.published, e)
		}
	}
}

// newest returns so many of the published epochs.
func (h *history) newest(n int) []stream.Epoch {
	all := slices.Sorted(maps.Keys(h.published))
	return all[max(0, len(all)-n):]
}

// start is a new process after a crash, which goes on from the newest checkpoint or
// from an older one.
func (h *history) start() {
	h.w = claim(h.t, h.s)
	h.w.small = 6
	h.c = &Collector{Writer: h.w}
	r := &Reader{Store: h.s, Pipeline: "p", Concurrency: 2}
	h.state = make(tables)
	begin := func(*Manifest) (func(RestoredPart) error, error) { return h.state.take, nil }
	newest := h.newest(1)
	out, err := r.Restore(h.t.Context(), begin)
	if kept := h.newest(3); h.chance(20) && len(kept) > 0 {
		newest = []stream.Epoch{kept[h.r.IntN(len(kept))]}
		h.state = make(tables)
		out, err = r.RestoreEpoch(h.t.Context(), newest[0], begin)
	}
	if err != nil {
		h.t.Fatal(err)
	}
	if len(newest) == 0 {
		if out.Manifest != nil {
			h.t.Fatalf("restored %d, which was never published", out.Manifest.Epoch)
		}
		return
	}
	if want := h.published[newest[0]].tables; out.Manifest == nil || out.Manifest.Epoch != newest[0] || !maps.EqualFunc(want, h.state, slices.Equal) {
		h.t.Fatalf("restored %+v as %v instead of epoch %d as %v", out.Manifest, h.state, newest[0], want)
	}
	h.w.Continue(out.Manifest)
	h.next = out.Highest + 1
}

// end restores every checkpoint that is left, and finds that nothing else is.
func (h *history) end() {
	h.s.now = h.s.now.Add(2 * AssumedMTBF)
	h.start()
	h.write()
	h.retention = Retention{Count: 3}
	h.collect()
	all, err := (&Reader{Store: h.s, Pipeline: "p"}).List(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	for _, e := range all {
		if e.State == Orphaned || e.State == Damaged {
			h.t.Errorf("epoch %d of generation %d is %s: %v", e.Epoch, e.Generation, e.State, e.Err)
		}
		got := make(tables)
		_, err := (&Reader{Store: h.s, Pipeline: "p"}).RestoreEpoch(h.t.Context(), e.Epoch, func(*Manifest) (func(RestoredPart) error, error) { return got.take, nil })
		if err != nil || !maps.EqualFunc(got, h.published[e.Epoch].tables, slices.Equal) {
			h.t.Errorf("epoch %d: %v", e.Epoch, err)
		}
	}
	if n := len(h.s.names("/epochs/")); n > 4 {
		h.t.Errorf("%d are kept", n)
	}
}
