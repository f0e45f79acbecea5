package control

import (
	"context"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/control/durable"
	"github.com/wasmill/wasmill/host/pipeline"
)

// Durable makes a runner of a graph that was built from a config, whose checkpoints
// are in one of the stores. The graph belongs to it, also if there is an error.
func (b *Builder) Durable(c *config.Pipeline, g pipeline.Graph, s *Stores, start durable.Start, version string) (*durable.Runner, error) {
	at, _ := StoreOf(c, b.Lent.Dir)
	return durable.New(durable.Config{
		Name: c.Name, Graph: g, Hooks: b.Hooks(), Shapes: shapes(c, g), Settings: CheckpointSettings(c.Checkpoint.Live), Start: start, Process: b.Process,
		Events: b.Events, Wasmill: version, Local: at.Storage.Bucket == "",
		Open: func(ctx context.Context) (checkpoint.Store, error) { return s.Open(ctx, at) },
	})
}

// CheckpointSettings is what a config says of checkpoints.
func CheckpointSettings(c config.CheckpointSettings) checkpoint.Settings {
	s := checkpoint.Settings{
		Interval: c.Interval.Fixed, Timeout: c.Timeout, MinPause: c.MinPause, AlignTimeout: c.AlignTimeout,
		MaxInFlight: 1, TolerableFailures: c.TolerableFailures,
		Retain: checkpoint.Retention{Count: c.Retain, MinAge: c.RetainFor},
	}
	if a := c.Interval.Adaptive; a != nil {
		s.Interval = 0
		s.Adaptive = &checkpoint.Adaptive{Min: a.Min, Max: a.Max, RecoveryTime: a.RecoveryTime}
	}
	return s
}
