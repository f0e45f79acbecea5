package host

import (
	"cmp"

	"github.com/wasmill/wasmill/host/control"
	"github.com/wasmill/wasmill/host/stream"
)

// CheckpointsOf names the checkpoints of a pipeline: by its file, or by the address of
// their store and its name. With both, those at the address are looked at as the file's
// pipeline sees them, which also gives the name if there is no other.
type CheckpointsOf struct {
	File string

	Storage  string // as checkpoint.storage of a pipeline; relative to the working directory
	Pipeline string
}

// Checkpoints opens the checkpoints of a pipeline, to look at them and to delete some.
// The pipeline may run meanwhile. Whoever opens them closes them.
func Checkpoints(of CheckpointsOf, o Options) (*control.Checkpoints, error) {
	settings, err := Settings(o)
	if err != nil {
		return nil, err
	}
	stores := control.NewStores(settings, o.Env)
	if of.File == "" {
		at, err := storageAt(of.Storage, "--storage")
		if err != nil {
			return nil, err
		}
		return control.OpenCheckpoints(stores, at, of.Pipeline, nil)
	}
	c, err := Load(of.File, o)
	if err != nil {
		return nil, err
	}
	at, ok := control.StoreOf(c, o.base(of.File))
	if !ok {
		return nil, &stream.Error{
			Code: stream.ConfigMissing, Where: c.Where("checkpoint"), Why: "the pipeline has no checkpoints",
			Fix: "add checkpoint: {storage: file://./data/checkpoints}, or name those of another one with --storage and --pipeline",
		}
	}
	if of.Storage == "" {
		return control.OpenCheckpoints(stores, at, c.Name, c)
	}
	if at, err = storageAt(of.Storage, "--storage"); err != nil {
		return nil, err
	}
	return control.OpenCheckpoints(stores, at, cmp.Or(of.Pipeline, c.Name), c)
}
