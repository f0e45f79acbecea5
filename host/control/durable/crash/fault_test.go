package crash_test

import (
	"testing"
	"time"
)

// TestAKillWhileTheStoreFails is S4: records go on while nothing can be stored, and
// what comes after a kill loses none of them.
func TestAKillWhileTheStoreFails(t *testing.T) {
	for fault := range faults {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.Prunes = true
			w.Fault, w.After = fault, 2
			w.dies("a failed checkpoint", 2)
			entries, failing, read := w.entries(), false, 0
			for _, e := range entries {
				failing = failing || e.verb == "fault"
				if failing && e.verb == "read" {
					read++
				}
			}
			if read == 0 {
				t.Error("nothing was read while the store failed")
			}
			w.Fault = ""
			w.start().completes()
			w.check(true)
		})
	}
}

// TestTheStoreComesBack is the same with a store that is healed before the kill: what is
// stored then has all that changed meanwhile.
func TestTheStoreComesBack(t *testing.T) {
	for fault := range faults {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.Keys, w.PerKey, w.Pace = 600, 4, 3*time.Millisecond // all are there when it fails, and few change meanwhile
			w.Fault, w.After, w.Heals = fault, 18, 2
			w.dies("the mark", w.After+2)
			if e := w.entries(); count(e, 1, "fault") == 0 || count(e, 1, "failed") < 2 {
				t.Error("the store did not fail")
			}
			w.Fault = ""
			w.start().completes()
			w.check(true)
		})
	}
}
