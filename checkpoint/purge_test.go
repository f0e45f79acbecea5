package checkpoint

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/wasmill/wasmill/host/stream"
)

// TestPurgeLeavesNothingOfAPipelineAndAllOfOthers has one whose name begins as the other's does, and
// something that is not wasmill's.
func TestPurgeLeavesNothingOfAPipelineAndAllOfOthers(t *testing.T) {
	s := newMemory()
	fill(t, s)
	for _, name := range []string{"p-2/epochs/00000000000000000001", "p2", "p/notes", "p/epochs/1"} {
		if err := s.Create(t.Context(), name, []byte("other")); err != nil {
			t.Fatal(err)
		}
	}
	before := namesIn(t, s)
	out, err := Purge(t.Context(), s, "p")
	left := namesIn(t, s)
	if err != nil || out.Left != 2 || out.Objects != len(before)-len(left) || out.Bytes < int64(out.Objects) {
		t.Errorf("%+v, %v", out, err)
	}
	if want := []string{"p-2/epochs/00000000000000000001", "p/epochs/1", "p/notes", "p2"}; !slices.Equal(left, want) {
		t.Errorf("there are %v", left)
	}
	if again, err := Purge(t.Context(), s, "p"); err != nil || again.Objects != 0 {
		t.Errorf("again: %+v, %v", again, err)
	}
	if _, err := Purge(t.Context(), s, ".."); err == nil {
		t.Error("a name that is none is taken")
	}
}

// TestAPurgeThatFailsGoesOn lets it fail in the middle: there is no checkpoint that could be found
// then, and another call removes the rest.
func TestAPurgeThatFailsGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // for the pauses between tries
		s := newMemory()
		fill(t, s)
		s.fault = func(op, name string) verdict {
			if op == "delete" && strings.Contains(name, "manifest") {
				return refuse
			}
			return pass
		}
		if _, err := Purge(t.Context(), s, "p"); err == nil {
			t.Fatal("it did not fail")
		}
		for _, name := range namesIn(t, s) {
			if strings.HasPrefix(name, "p/epochs/") || strings.HasPrefix(name, "p/committed/") {
				t.Errorf("there is still %s", name)
			}
		}
		s.fault = nil
		if out, err := Purge(t.Context(), s, "p"); err != nil || out.Objects == 0 || len(namesIn(t, s)) > 0 {
			t.Errorf("%+v, %v: there are %v", out, err, namesIn(t, s))
		}
	})
}

// fill has two writers of a pipeline make checkpoints.
func fill(t *testing.T, s *memory) {
	t.Helper()
	for e := range stream.Epoch(2) {
		w := claim(t, s)
		write(t, w, e+1, snapshot("a", full("x", 0, 1, "1")))
		if err := w.MarkCommitted(t.Context(), e+1); err != nil {
			t.Fatal(err)
		}
	}
}

func namesIn(t *testing.T, s *memory) (names []string) {
	t.Helper()
	for o, err := range s.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, o.Name)
	}
	return names
}
