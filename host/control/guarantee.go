package control

import (
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/stream"
)

// Guarantee says how often what comes of a record is in the output, if the process
// crashes and goes on from a checkpoint. Empty: there is no output.
type Guarantee string

// The guarantees.
const (
	ExactlyOnce Guarantee = "exactly-once"  // it appears when the checkpoint is complete that has it
	AtLeastOnce Guarantee = "at-least-once" // what was written after the checkpoint is written again
)

// SinkGuarantee is that of a sink.
type SinkGuarantee struct {
	Sink      stream.VertexID `json:"sink"`
	Kind      string          `json:"kind"`
	Guarantee Guarantee       `json:"guarantee"`
}

// Guarantees lists those of the sinks of a pipeline with checkpoints that have an
// output; none if it has no checkpoints. dir is the folder of its file.
func Guarantees(c *config.Pipeline, dir string) (all []SinkGuarantee) {
	if c.Checkpoint == nil {
		return nil
	}
	lent := Lent{Dir: dir}
	for _, v := range c.Vertices {
		if v.Sink == nil {
			continue
		}
		if g := sinks()[v.Sink.Kind].guarantee(v.Sink.Settings, &lent); g != "" {
			all = append(all, SinkGuarantee{v.Name, v.Sink.Kind, g})
		}
	}
	return all
}
