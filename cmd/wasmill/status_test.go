package main

import (
	"testing"

	"github.com/wasmill/wasmill/host/control"
)

func TestTheHeadlineOfAPipeline(t *testing.T) {
	bad := "p.yaml:2:1: \x1b[2Jno"
	tests := []struct {
		name string
		seen seenPipeline
		want string
	}{
		{"one that runs", seenPipeline{Phase: "running", State: "running"}, "p: running"},
		{"one of a process that knows no pauses", seenPipeline{Phase: "running"}, "p: running"},
		{"one that is drained", seenPipeline{Phase: "running", State: "paused", Drained: true}, "p: paused, drained"},
		{"one that is being paused", seenPipeline{Phase: "running", State: "pausing", Reasons: []heldBack{{"f", "queued", "", 1200}}}, "p: pausing\n  f queued 1,200"},
		{
			"one that is not drained", seenPipeline{Phase: "running", State: "paused", Reasons: []heldBack{{"f", "in flight", "the call hangs", 2}, {"", "checkpoint", "store\nrefuses", 0}}},
			"p: paused, not drained\n  f in flight 2: the call hangs\n  checkpoint: store\\nrefuses",
		},
		{"one that failed while it was paused", seenPipeline{Phase: "failed", State: "paused"}, "p: failed"},
		{"one with checkpoints", seenPipeline{Phase: "running", Checkpoint: &control.CheckpointStatus{Last: &control.TakenStatus{Epoch: 7, Age: 61}, InARow: 2}}, "p: running, checkpoint 7 1m01s ago, 2 failed since"},
		{"one that went on", seenPipeline{Phase: "running", Checkpoint: &control.CheckpointStatus{Restored: &control.RestoredStatus{Epoch: 6}}}, "p: running, no checkpoint yet, went on from 6"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.seen.Pipeline = "p"
			if got := headline(&test.seen); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	refused := seenPipeline{Pipeline: "p", Phase: "running"}
	refused.Config = &seenConfig{3, "0123456789abcdef", "file", &bad}
	if got, want := headline(&refused), "p: running, revision 3 (0123456789ab, file)\nits file is not in force as it is now: p.yaml:2:1: \\x1b[2Jno"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTheLineOfAScaledVertex(t *testing.T) {
	if got := scaledLine(&control.VertexStatus{Vertex: "f"}); got != "" {
		t.Errorf("got %q of one that is not scaled", got)
	}
	v := control.VertexStatus{Vertex: "f", Scale: &control.ScaleStatus{Instances: 3, Min: 0, Max: 8}}
	if got, want := scaledLine(&v), "f has 3 instances of 0 to 8"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	v.Scale.Reason = "300 pending\x1b[2J"
	if got, want := scaledLine(&v), "f has 3 instances of 0 to 8: 300 pending\\x1b[2J"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
