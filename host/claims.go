package host

import (
	"context"
	"errors"

	"github.com/wasmill/wasmill/host/control"
)

// Claimed is who has claimed the checkpoints of a pipeline: from then on it writes them alone.
type Claimed = control.Claimed

// Claims says who has claimed those of a pipeline, the newest first; of many the newest alone.
func Claims(ctx context.Context, of CheckpointsOf, o Options) (all []Claimed, err error) {
	c, err := Checkpoints(of, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	return c.Claims(ctx)
}
