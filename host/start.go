package host

import (
	"cmp"
	"context"
	"errors"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/control"
	"github.com/wasmill/wasmill/host/control/durable"
	"github.com/wasmill/wasmill/host/stream"
)

// flagFrom is where Options.From was said.
const flagFrom = "--from"

// start says what a pipeline goes on from.
func (h *Host) start(c *config.Pipeline, o Options) (durable.Start, error) {
	start := o.Start
	if o.From == nil {
		return start, nil
	}
	at, err := storageAt(o.From.Storage, flagFrom)
	if err != nil {
		return start, err
	}
	start.From = h.stores.Origin(at, cmp.Or(o.From.Pipeline, c.Name))
	return start, nil
}

// Startable makes sure that there is what the options ask a pipeline with checkpoints
// to go on from. It changes nothing, and may be called before Run.
func (h *Host) Startable(ctx context.Context, p *Pipeline, o Options) (err error) {
	at, _ := control.StoreOf(p.Config, o.base(p.File))
	name := p.Name
	switch {
	case o.From != nil:
		if at, err = storageAt(o.From.Storage, flagFrom); err != nil {
			return err
		}
		name = cmp.Or(o.From.Pipeline, name)
	case o.Start.Epoch == 0:
		return nil
	}
	return h.look(at, name, func(all *control.Checkpoints) error { return all.Has(ctx, o.Start.Epoch) })
}

// Kept counts the checkpoints of a pipeline, whatever state they are in; 0 if it takes
// none. It changes nothing, and may be called before Run.
func (h *Host) Kept(ctx context.Context, p *Pipeline) (n int, err error) {
	at, ok := control.StoreOf(p.Config, h.options.base(p.File))
	if !ok {
		return 0, nil
	}
	err = h.look(at, p.Name, func(all *control.Checkpoints) error {
		n, err = all.Count(ctx)
		return err
	})
	return n, err
}

// Readable makes sure that this wasmill reads the newest checkpoint of a pipeline, if it
// has one: the error has the code stream.CheckpointFormat if a newer one wrote it. It changes
// nothing, and may be called before Run.
func (h *Host) Readable(ctx context.Context, p *Pipeline) error {
	at, ok := control.StoreOf(p.Config, h.options.base(p.File))
	if !ok {
		return nil
	}
	return h.look(at, p.Name, func(all *control.Checkpoints) error { return all.Readable(ctx) })
}

// look opens the checkpoints of a pipeline for the time of use.
func (h *Host) look(at control.StoreAt, pipeline string, use func(*control.Checkpoints) error) (err error) {
	all, err := control.OpenCheckpoints(h.stores, at, pipeline, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, all.Close()) }()
	return use(all)
}

// storageAt reads where a store is that a flag names; a relative folder is relative to
// the working directory.
func storageAt(storage, flag string) (control.StoreAt, error) {
	at := control.StoreAt{Where: flag}
	err := at.Storage.UnmarshalText([]byte(storage))
	if e, ok := errors.AsType[*stream.Error](err); ok {
		placed := *e
		placed.Code, placed.Where = stream.Usage, flag
		err = &placed
	}
	return at, err
}
