package crash_test

import (
	"testing"
	"time"
)

// stepTests are the steps that a worker is killed at, and at which times that it comes
// by: each in a life of its own.
var stepTests = []struct {
	step string
	nth  []int
}{
	{"a claim", []int{1, 1}},
	{"the source opened", []int{1, 1}},
	{"after read", []int{1, 40, 7}},
	{"in a call", []int{1, 40, 7}},
	{"in a call with state", []int{1, 40, 7}},
	{"before a write", []int{1, 25, 7}},
	{"after a write", []int{1, 25, 7}},
	{"after a flush", []int{1, 25, 7}},
	{"before a prepare", []int{1, 2, 5}},
	{"after a prepare", []int{1, 2, 5}},
	{"mid upload", []int{1, 2, 4}},
	{"data before the manifest", []int{1, 2, 4}},
	{"the manifest before the record", []int{1, 2, 4}},
	{"the record before the sinks", []int{1, 2, 4}},
	{"before a commit", []int{1, 2, 5}},
	{"after a commit", []int{1, 2, 5}}, // between two sinks, after both
	{"the sinks before the mark", []int{1, 2, 4}},
	{"the mark", []int{1, 2, 4}},
	{"before an ack", []int{1, 2, 3}},
	{"after an ack", []int{1, 2, 3}},
	{"mid collection", []int{1, 2, 4}},
	{"mid restore", []int{1, 2, 1}},
	{"before a recovery", []int{1, 2, 1}},
	{"after a recovery", []int{1, 2, 1}},
}

// TestAKillAtEveryStep is K2: wherever it is killed, what comes next makes up for it.
func TestAKillAtEveryStep(t *testing.T) {
	for _, tt := range stepTests {
		t.Run(tt.step, func(t *testing.T) {
			t.Parallel()
			killAtStep(newWorld(t), tt.step, tt.nth)
		})
	}
}

// killAtStep kills workers at a step, the first in a run that goes on from something.
func killAtStep(w *world, step string, nth []int) {
	w.Helper()
	if step == "mid restore" {
		w.Keys, w.PerKey, w.Interval = 400, 5, 5*time.Millisecond
	}
	w.dies("the sinks before the mark", 2)
	for step == "mid restore" && len(w.newest().Manifest.Objects) < 2 {
		w.dies("the sinks before the mark", 2)
	}
	for i, n := range nth {
		w.Prunes = i%2 == 1
		w.dies(step, n)
	}
	w.start().completes()
	w.check(true)
}

// dies runs a worker until it has killed itself at a step.
func (w *world) dies(step string, nth int) {
	w.Helper()
	w.Step, w.Nth = step, nth
	w.start().stops(step)
	w.Step = ""
	w.check(false)
}
