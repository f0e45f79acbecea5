package checkpoint

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/wasmill/wasmill/host/stream"
)

func TestClearLeavesNothingToGoOnFromButCountsOn(t *testing.T) {
	s := newMemory()
	w := claim(t, s)
	for e := range stream.Epoch(3) {
		write(t, w, e+1, snapshot("a", full("x", 0, 1, "1")))
		if err := w.MarkCommitted(t.Context(), e+1); err != nil {
			t.Fatal(err)
		}
	}
	w = claim(t, s)
	highest, err := w.Clear(t.Context())
	if err != nil || highest != 3 {
		t.Fatalf("highest %d, %v", highest, err)
	}
	r := &Reader{Store: s, Pipeline: "p"}
	out, err := r.Restore(t.Context(), func(*Manifest) (func(RestoredPart) error, error) {
		t.Error("something is restored")
		return nil, nil
	})
	if err != nil || out.Manifest != nil || len(out.Skipped) > 0 {
		t.Errorf("%+v, %v", out, err)
	}
	if highest, err := w.Clear(t.Context()); err != nil || highest != 0 {
		t.Errorf("highest %d, %v", highest, err)
	}
}

// TestAClearThatFailsLeavesTheNewest lets it fail at each of its requests.
func TestAClearThatFailsLeavesTheNewest(t *testing.T) {
	for _, at := range []string{"/committed/", "/epochs/00000000000000000001", "/epochs/00000000000000000003"} {
		synctest.Test(t, func(t *testing.T) { failToClear(t, at) })
	}
}

func failToClear(t *testing.T, at string) {
	s := newMemory()
	w := claim(t, s)
	for e := range stream.Epoch(3) {
		write(t, w, e+1, snapshot("a", full("x", 0, 1, "1")))
		if err := w.MarkCommitted(t.Context(), e+1); err != nil {
			t.Fatal(err)
		}
	}
	s.fault = func(op, name string) verdict {
		if op == "delete" && strings.Contains(name, at) {
			return refuse
		}
		return pass
	}
	if _, err := w.Clear(t.Context()); err == nil {
		t.Error("no error at", at)
	}
	s.fault = nil
	r := &Reader{Store: s, Pipeline: "p"}
	out, err := r.Restore(t.Context(), func(*Manifest) (func(RestoredPart) error, error) {
		return func(RestoredPart) error { return nil }, nil
	})
	if err != nil || out.Manifest == nil || out.Manifest.Epoch != 3 || len(out.Skipped) > 0 {
		t.Errorf("at %s: %+v, %v", at, out, err)
	}
}
