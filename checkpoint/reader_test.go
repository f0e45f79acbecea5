package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/wasmill/wasmill/host/stream"
)

// three publishes epochs 1 to 3, each with an own data object, and commits all but
// the last.
func three(t *testing.T, s Store) *Writer {
	t.Helper()
	w := claim(t, s)
	for e := stream.Epoch(1); e <= 3; e++ {
		sink := Snapshot{Vertex: "sink", Commit: fmt.Appendf(nil, "commit %d", e)}
		write(t, w, e, snapshot("a", full("x", 0, 1, fmt.Sprint(e)), full("y", 0, 1, string(noise(uint64(e), 10_000)))), sink)
		if e < 3 {
			if err := w.MarkCommitted(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
	}
	return w
}

func TestAnUncommittedCheckpointComesWithItsCommits(t *testing.T) {
	s := newMemory()
	w := three(t, s)
	out, got, err := restore(t.Context(), s)
	if err != nil || got["a/x"][0] != "3" || len(out.Commits) != 1 || out.Commits[0].Vertex != "sink" || string(out.Commits[0].Data) != "commit 3" {
		t.Fatalf("%+v, %v", out, err)
	}
	if err := w.MarkCommitted(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	if out, _, err = restore(t.Context(), s); err != nil || len(out.Commits) != 0 {
		t.Errorf("%+v, %v", out, err)
	}
}

// damage does one harm to an object.
var damage = map[string]func(data []byte) []byte{
	"a bit is flipped": func(d []byte) []byte { d[len(d)/2] ^= 4; return d },
	"its head changes": func(d []byte) []byte { d[6] ^= 4; return d },
	"it is cut off":    func(d []byte) []byte { return d[:len(d)/2] },
	"it is empty":      func([]byte) []byte { return []byte{} },
	"it is gone":       func([]byte) []byte { return nil },
}

func TestADamagedCheckpointIsReportedAndThePreviousUsed(t *testing.T) {
	for _, object := range []string{"epochs/" + digits(3), manifestOf(1, 3), dataOf(1, 3, 0)} {
		for how, f := range damage {
			t.Run(object+" "+how, func(t *testing.T) {
				s := newMemory()
				w := three(t, s)
				if err := w.MarkCommitted(t.Context(), 3); err != nil {
					t.Fatal(err)
				}
				s.change("p/"+object, f(s.read("p/"+object)))
				out, got, err := restore(t.Context(), s)
				if err != nil {
					t.Fatal(err)
				}
				if out.Manifest.Epoch != 2 || got["a/x"][0] != "2" || out.Highest != 3 {
					t.Errorf("epoch %d, highest %d", out.Manifest.Epoch, out.Highest)
				}
				if len(out.Skipped) != 1 || out.Skipped[0].Epoch != 3 || !strings.Contains(out.Skipped[0].Err.Error(), object) {
					t.Errorf("skipped %+v", out.Skipped)
				}
				r := &Reader{Store: s, Pipeline: "p"}
				if strings.HasPrefix(object, "epochs") && how == "it is gone" {
					return
				}
				if report, err := r.Verify(t.Context(), 3); err != nil || len(report.Problems) != 1 {
					t.Errorf("verify: %+v, %v", report, err)
				}
			})
		}
	}
}

func TestIfNoneCanBeReadThePipelineDoesNotStartEmpty(t *testing.T) {
	for how, f := range damage {
		for _, what := range []string{"/epochs/", manifestName, "/data-"} {
			t.Run(what+" "+how, func(t *testing.T) {
				s := newMemory()
				three(t, s)
				for _, name := range s.names(what) {
					s.change(name, f(s.read(name)))
				}
				out, _, err := restore(t.Context(), s)
				if err == nil || stream.CodeOf(err) != stream.CheckpointUnreadable {
					t.Errorf("%+v, %v", out, err)
				}
			})
		}
	}
}

func TestWithoutCheckpointsThereIsNothingToRestore(t *testing.T) {
	s := newMemory()
	w := claim(t, s)
	// One that was never published is no reason to refuse.
	s.faults(func(op, name string) verdict {
		if op == "put" && strings.HasSuffix(name, manifestName) {
			return hang
		}
		return pass
	})
	ctx, cancel := context.WithCancel(t.Context())
	go cancel()
	if _, err := w.Write(ctx, 1, Info{}, []Snapshot{snapshot("a", full("y", 0, 1, string(noise(1, 10_000))))}); err == nil {
		t.Fatal("published")
	}
	s.faults(nil)
	out, _, err := restore(t.Context(), s)
	if err != nil || out.Manifest != nil || out.Highest != 0 {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestAStoreThatDoesNotAnswerIsNoDamage(t *testing.T) {
	for _, what := range []string{"list", "get p/epochs/" + digits(3), "get p/" + manifestOf(1, 3), "get p/" + dataOf(1, 3, 0)} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newMemory()
				three(t, s)
				s.faults(func(op, name string) verdict {
					if strings.HasPrefix(op+" "+name, what) {
						return refuse
					}
					return pass
				})
				if out, _, err := restore(t.Context(), s); !errors.Is(err, errAway) {
					t.Errorf("%+v, %v", out, err)
				}
				// One that hangs is left when the caller has had enough.
				s.faults(func(op, name string) verdict {
					if strings.HasPrefix(op+" "+name, what) {
						return hang
					}
					return pass
				})
				ctx, cancel := context.WithTimeout(t.Context(), 1)
				defer cancel()
				if out, _, err := restore(ctx, s); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%+v, %v", out, err)
				}
			})
		})
	}
}

func TestANewerFormatIsRefused(t *testing.T) {
	s := newMemory()
	three(t, s)
	record3 := record{Format: 2, Epoch: 3, Generation: 1, Nonce: "n", Manifest: manifestOf(1, 3)}
	refused := func() {
		t.Helper()
		body, err := record3.encode()
		if err != nil {
			t.Fatal(err)
		}
		s.change("p/epochs/"+digits(3), body)
		out, _, err := restore(t.Context(), s)
		if stream.CodeOf(err) != stream.CheckpointFormat || !strings.Contains(err.Error(), "format 2") {
			t.Errorf("%+v, %v", out, err)
		}
	}
	refused()
	data := []byte(`{"format": 2, "all": "else is different"}`)
	s.change("p/"+manifestOf(1, 3), data)
	record3.Format, record3.Bytes, record3.CRC32C = 1, int64(len(data)), sumOf(data)
	refused()
}

func TestEveryBitOfRecordAndManifestCounts(t *testing.T) {
	s := newMemory()
	three(t, s)
	l := layout("p")
	for _, name := range []string{l.record(3), "p/" + manifestOf(1, 3)} {
		whole := s.read(name)
		for i := range whole {
			for bit := range 8 {
				if name != l.record(3) && bit != i%8 {
					continue
				}
				bad := slices.Clone(whole)
				bad[i] ^= 1 << bit
				s.change(name, bad)
				if _, err := readManifest(t.Context(), s, l, 3); !errors.Is(err, ErrDamaged) {
					t.Fatalf("%s, byte %d, bit %d: %v", name, i, bit, err)
				}
			}
		}
		s.change(name, whole)
	}
}

func TestAnErrorOfWhoTakesTheStateIsNoDamage(t *testing.T) {
	s := newMemory()
	three(t, s)
	r := &Reader{Store: s, Pipeline: "p"}
	tried := 0
	_, err := r.Restore(t.Context(), func(*Manifest) (func(RestoredPart) error, error) {
		tried++
		return func(RestoredPart) error { return fmt.Errorf("full: %w", ErrDamaged) }, nil
	})
	if err == nil || tried != 1 || stream.CodeOf(err) == stream.CheckpointUnreadable || !strings.Contains(err.Error(), "restore table x of a") {
		t.Errorf("%d tried, %v", tried, err)
	}
}

func TestAGivenEpochIsRestored(t *testing.T) {
	s := newMemory()
	three(t, s)
	r := &Reader{Store: s, Pipeline: "p"}
	for e := stream.Epoch(1); e <= 3; e++ {
		got := make(tables)
		out, err := r.RestoreEpoch(t.Context(), e, func(*Manifest) (func(RestoredPart) error, error) { return got.take, nil })
		if err != nil || out.Manifest.Epoch != e || out.Highest != 3 || got["a/x"][0] != fmt.Sprint(e) {
			t.Errorf("%+v, %v", out, err)
		}
	}
	if _, err := r.RestoreEpoch(t.Context(), 4, nil); stream.CodeOf(err) != stream.Usage || !strings.Contains(err.Error(), "[3 2 1]") {
		t.Errorf("%v", err)
	}
	s.change("p/"+dataOf(1, 2, 0), nil)
	if _, err := r.RestoreEpoch(t.Context(), 2, nil); !errors.Is(err, ErrDamaged) {
		t.Errorf("%v", err)
	}
}

func TestTheListSaysWhatIsThere(t *testing.T) {
	s := newMemory()
	w := three(t, s)
	s.change("p/"+dataOf(1, 2, 0), []byte("short"))
	ctx, cancel := context.WithCancel(t.Context())
	s.faults(func(op, name string) verdict {
		if op == "put" && strings.HasSuffix(name, manifestName) {
			cancel()
		}
		return pass
	})
	_, _ = w.Write(ctx, 4, Info{}, []Snapshot{snapshot("a", full("y", 0, 1, string(noise(1, 10_000))))})
	s.faults(nil)
	w2 := claim(t, s)
	_ = w2
	if err := s.Put(t.Context(), "p/"+dataOf(2, 5, 0), []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), "p/notes.txt", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := w.MarkCommitted(t.Context(), 9); err != nil {
		t.Fatal(err)
	}
	r := &Reader{Store: s, Pipeline: "p"}
	all, err := r.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range all {
		got = append(got, fmt.Sprintf("%d of %d %s %v", e.Epoch, e.Generation, e.State, e.Err != nil))
	}
	want := []string{
		"9 of 0 damaged true", "5 of 2 orphaned false", "4 of 1 orphaned false",
		"3 of 1 committing false", "2 of 0 damaged true", "1 of 1 complete false",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestAReaderThatStopsHasFetchedLittleAndLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newMemory()
		w := claim(t, s)
		var m *Manifest
		for e := range stream.Epoch(30) {
			m = write(t, w, e+1, snapshot("a", Part{Table: "x", To: 1, Data: noise(uint64(e), 10_000)}))
		}
		r := &Reader{Store: s, Pipeline: "p", Concurrency: 2}
		for range r.Parts(t.Context(), m) {
			synctest.Wait()
			break
		}
		fetched := 0
		for _, name := range s.names("/data-") {
			fetched += s.gets[name]
		}
		if fetched < 1 || fetched > 2*2+1 {
			t.Errorf("%d objects were fetched for one part", fetched)
		}
	})
}

func TestDiff(t *testing.T) {
	s := newMemory()
	w := claim(t, s)
	a := write(t, w, 1, Snapshot{Vertex: "in", Meta: []byte(`{"position":"10","plugin":"p"}`)}, snapshot("old"), snapshot("same", full("x", 0, 1, "1")), snapshot("state", full("x", 0, 1, "12"), full("y", 0, 1, "3")))
	b := write(t, w, 2, Snapshot{Vertex: "in", Meta: []byte(`{"position":"20", "plugin":"p"}`)}, snapshot("new"), snapshot("same"), snapshot("state", delta("x", 0, 1, "4"), full("y", 0, 1, "567")))
	var got []string
	for _, d := range Diff(a, b) {
		line := fmt.Sprintf("%s only %d, added %v removed %v same %v", d.Vertex, d.Only, d.Added, d.Removed, d.Same)
		for _, c := range d.Meta {
			line += fmt.Sprintf(" %s:%s→%s", c.Key, c.From, c.To)
		}
		got = append(got, line)
	}
	want := []string{
		`in only 0, added {0 0} removed {0 0} same {0 0} position:"10"→"20"`,
		`new only 2, added {0 0} removed {0 0} same {0 0} position:→"1"`,
		`old only 1, added {0 0} removed {0 0} same {0 0} position:"1"→`,
		`state only 0, added {2 4} removed {1 1} same {1 2}`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	if d := Diff(a, a); len(d) != 0 {
		t.Errorf("%+v", d)
	}
}
