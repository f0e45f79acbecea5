package checkpoint

import (
	"errors"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/stream"
)

func restoredEpoch(t *testing.T, s Store, from stream.Epoch) stream.Epoch {
	t.Helper()
	r := &Reader{Store: s, Pipeline: "p"}
	begin := func(*Manifest) (func(RestoredPart) error, error) { return func(RestoredPart) error { return nil }, nil }
	out, err := r.Restore(t.Context(), begin)
	if from != 0 {
		out, err = r.RestoreEpoch(t.Context(), from, begin)
	}
	if err != nil || len(out.Skipped) > 0 {
		t.Fatalf("%+v, %v", out, err)
	}
	if out.Manifest == nil {
		return 0
	}
	return out.Manifest.Epoch
}

// TestOfTwoGenerationsTheNewerHasItsWay lets it begin at each moment of a publication of
// the older one.
func TestOfTwoGenerationsTheNewerHasItsWay(t *testing.T) {
	for _, c := range []struct {
		at    string // the newer one claims, looks and starts before this
		wrote bool   // the older one publishes all the same
		found stream.Epoch
	}{
		{"list p/generations/", false, 1},
		{"create p/epochs/", true, 1},
		{"afterwards", true, 2},
	} {
		t.Run(c.at, func(t *testing.T) {
			s := newMemory()
			older := claim(t, s)
			write(t, older, 1, snapshot("a", full("x", 0, 1, "1")))
			var newer *Writer
			begin := func() {
				s.before = nil
				newer = claim(t, s)
				if found := restoredEpoch(t, s, 0); found != c.found {
					t.Errorf("the newer one found %d", found)
				}
				if err := newer.Start(t.Context(), c.found); err != nil {
					t.Fatal(err)
				}
			}
			s.before = func(op, name string) {
				if strings.HasPrefix(op+" "+name, c.at) {
					begin()
				}
			}
			_, err := older.Write(t.Context(), 2, Info{}, []Snapshot{snapshot("a", full("x", 0, 1, "2"))})
			if wrote := err == nil; wrote != c.wrote || !wrote && !errors.Is(err, ErrFenced) {
				t.Errorf("the older one: %v", err)
			}
			if newer == nil {
				begin()
			}
			if err := older.Owns(t.Context()); !errors.Is(err, ErrFenced) {
				t.Errorf("the older one may commit: %v", err)
			}
			if found := restoredEpoch(t, s, 0); found != c.found {
				t.Errorf("a third one found %d", found)
			}
			if c.wrote && c.found == 1 {
				checkAbandoned(t, s, newer)
			}
		})
	}
}

// checkAbandoned is about epoch 2, which an older generation has.
func checkAbandoned(t *testing.T, s *memory, newer *Writer) {
	t.Helper()
	all, err := (&Reader{Store: s, Pipeline: "p"}).List(t.Context())
	if err != nil || len(all) != 2 || all[0].Epoch != 2 || all[0].State != Abandoned || all[1].State != Committing {
		t.Errorf("listed %+v, %v", all, err)
	}
	if found := restoredEpoch(t, s, 2); found != 2 {
		t.Errorf("asked for the abandoned one, found %d", found)
	}
	newer.Continue(all[1].Manifest)
	if _, err := newer.Write(t.Context(), 2, Info{}, []Snapshot{snapshot("a", full("x", 0, 1, "3"))}); err == nil || errors.Is(err, ErrFenced) {
		t.Errorf("the newer one has the same epoch: %v", err)
	}
	write(t, newer, 3, snapshot("a", full("x", 0, 1, "4")))
	if found := restoredEpoch(t, s, 0); found != 3 {
		t.Errorf("in the end %d is found", found)
	}
	if out := collect(t, newer, Retention{Count: 1}); len(out.Kept) != 1 || out.Kept[0] != 3 {
		t.Errorf("kept are %v", out.Kept)
	}
	if found := restoredEpoch(t, s, 0); found != 3 {
		t.Errorf("after the collection %d is found", found)
	}
}

func TestGoingBackAbandonsWhatCameAfter(t *testing.T) {
	s := newMemory()
	w := claim(t, s)
	for e := range stream.Epoch(5) {
		write(t, w, e+1, snapshot("a", full("x", 0, 1, "1")))
	}
	w = claim(t, s)
	if err := w.Start(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	if found := restoredEpoch(t, s, 0); found != 3 {
		t.Errorf("found %d", found)
	}
	for range 2 * maxClaims {
		w = claim(t, s)
		if err := w.Start(t.Context(), 3); err != nil {
			t.Fatal(err)
		}
	}
	collect(t, w, Retention{Count: 10})
	if n := len(s.names("/starts/")); n > maxClaims+1 {
		t.Errorf("%d starts are kept", n)
	}
	if found := restoredEpoch(t, s, 0); found != 3 {
		t.Errorf("after the collection %d is found", found)
	}
}

// TestAnAdoptionIsNotForgotten: whoever stops before its first checkpoint is not begun
// again with nothing, or with what it had before.
func TestAnAdoptionIsNotForgotten(t *testing.T) {
	restore := func(s *memory) (*Recovery, error) {
		return (&Reader{Store: s, Pipeline: "p"}).Restore(t.Context(), func(*Manifest) (func(RestoredPart) error, error) {
			return func(RestoredPart) error { return nil }, nil
		})
	}
	for _, before := range []stream.Epoch{0, 1} {
		s := newMemory()
		if before == 1 {
			write(t, claim(t, s), 1, snapshot("a", full("x", 0, 1, "1")))
		}
		w := claim(t, s)
		if err := w.Adopt(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the first one leaves nothing that changes it
			claim(t, s)
			if _, err := restore(s); stream.CodeOf(err) != stream.CheckpointUnreadable {
				t.Errorf("with %d checkpoints before: %v", before, err)
			}
		}
		fresh := claim(t, s)
		if err := fresh.Start(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		if found, err := restore(s); err != nil || found.Manifest != nil {
			t.Errorf("with %d checkpoints before, begun anew: %+v, %v", before, found, err)
		}
		if w = claim(t, s); w.Adopt(t.Context()) != nil {
			t.Fatal("a second adoption fails")
		}
		write(t, w, 7, snapshot("a", full("x", 0, 1, "1")))
		if found, err := restore(s); err != nil || found.Manifest.Epoch != 7 {
			t.Errorf("with %d checkpoints before, and one after: %+v, %v", before, found, err)
		}
	}
}
