package control

import (
	"context"

	"github.com/wasmill/wasmill/checkpoint"
)

// Claimed is who has claimed a pipeline's checkpoints.
type Claimed = checkpoint.Claimed

// ProcessOf names this process in claims, and for whom it makes them.
func ProcessOf(claimant string) string { return checkpoint.ProcessOf(claimant) }

// Claims says who has claimed them, the newest first.
func (c *Checkpoints) Claims(ctx context.Context) ([]Claimed, error) {
	all, err := c.reader().Claims(ctx)
	return all, c.at.place(err)
}
