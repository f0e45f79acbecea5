package host

import (
	"context"
	"errors"

	"github.com/wasmill/wasmill/host/control"
)

// Purge deletes all that a pipeline has in its store, and nothing of other pipelines. No
// process may run it.
func Purge(ctx context.Context, of CheckpointsOf, o Options) (p control.Purged, err error) {
	all, err := Checkpoints(of, o)
	if err != nil {
		return p, err
	}
	defer func() { err = errors.Join(err, all.Close()) }()
	return all.Purge(ctx)
}
