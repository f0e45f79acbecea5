package control

import (
	"context"

	"github.com/wasmill/wasmill/checkpoint"
)

// Purged is what a Purge has deleted.
type Purged = checkpoint.Purged

// Purge deletes all that the pipeline has in its store. No process may run it.
func (c *Checkpoints) Purge(ctx context.Context) (Purged, error) {
	p, err := checkpoint.Purge(ctx, c.store, c.Pipeline)
	return p, c.at.place(err)
}
