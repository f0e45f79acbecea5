package control

import (
	"context"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/host/control/durable"
	"github.com/wasmill/wasmill/host/stream"
)

// Origin is where other checkpoints are that a pipeline begins with.
func (s *Stores) Origin(at StoreAt, pipeline string) *durable.Origin {
	return &durable.Origin{Pipeline: pipeline, Open: func(context.Context) (checkpoint.Store, error) { return s.Inspect(at) }}
}

// Has makes sure that there is a checkpoint with an epoch; 0 stands for any.
func (c *Checkpoints) Has(ctx context.Context, e stream.Epoch) (err error) {
	if e == 0 {
		_, err = c.Newest(ctx)
	} else {
		_, _, err = c.find(ctx, e)
	}
	return err
}

// Count returns how many there are, whatever state they are in.
func (c *Checkpoints) Count(ctx context.Context) (n int, err error) {
	for _, err := range c.store.List(ctx, c.Pipeline+"/"+records) {
		if err != nil {
			return 0, c.at.place(err)
		}
		n++
	}
	return n, nil
}
