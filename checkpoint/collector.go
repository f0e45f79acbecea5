package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// DefaultGrace is how long objects stay that no record names: those of checkpoints
// that were given up, and of processes that ended in the middle of one.
const DefaultGrace = time.Hour

// Collector deletes what a pipeline's retention does not keep. It runs beside
// everything else; one Run at a time.
type Collector struct {
	Writer *Writer       // of this generation; a fenced one deletes nothing
	Grace  time.Duration // 0: DefaultGrace

	manifests map[stream.Epoch]*Manifest // of kept checkpoints, which do not change
	probed    bool                       // what older processes left of probes is gone
}

// Collected says what a Run has done.
type Collected struct {
	Kept    []stream.Epoch // the newest first
	Deleted int            // objects
}

// Run deletes what is not kept. It begins once it knows all that is to be kept, so
// that an error before that deletes nothing; a later one leaves some of it for the
// next Run. A checkpoint that is published meanwhile builds on what is kept.
func (c *Collector) Run(ctx context.Context, r Retention) (Collected, error) {
	w := c.Writer
	parent := w.Parent() // before the listing: what is published later builds on it, or on what is listed
	inv, err := takeInventory(ctx, w.config.Store, w.layout)
	if err != nil {
		return Collected{}, err
	}
	if g := inv.generation(); g > w.generation {
		return Collected{}, w.fencedBy(ctx, g)
	}
	kept, err := c.kept(ctx, inv, r)
	if err != nil {
		return Collected{}, err
	}
	var out Collected
	whole := parent != nil
	for _, h := range kept {
		out.Kept = append(out.Kept, h.epoch)
		whole = whole || h.manifest != nil
	}
	if !whole && len(kept) > 0 {
		return out, unreadable(w.config.Pipeline, len(kept), ErrDamaged)
	}
	grace := c.Grace
	if grace <= 0 {
		grace = DefaultGrace
	}
	p := inv.sweep(kept, parent, w.generation, grace)
	if p.rest, err = c.probes(ctx, inv, p.rest, grace); err != nil {
		return out, err
	}
	for _, names := range p.steps() {
		if len(names) == 0 {
			continue
		}
		if err := again(ctx, func() error { return w.config.Store.Delete(ctx, names...) }); err != nil {
			return out, fmt.Errorf("delete %d objects of %s: %w", len(names), w.config.Pipeline, err)
		}
		out.Deleted += len(names)
	}
	c.probed = true
	return out, nil
}

// kept reads as many manifests as it takes to know what is kept.
func (c *Collector) kept(ctx context.Context, inv *inventory, r Retention) ([]holding, error) {
	var seen []holding
	fresh := make(map[stream.Epoch]*Manifest)
	for _, e := range inv.epochs() {
		if kept, more := inv.retain(seen, r); !more {
			c.manifests = fresh
			return kept, nil
		}
		m, err := c.manifest(ctx, inv, e)
		if err != nil && !errors.Is(err, ErrDamaged) {
			return nil, err
		}
		fresh[e] = m
		seen = append(seen, holding{e, m})
	}
	c.manifests = fresh
	kept, _ := inv.retain(seen, r)
	return kept, nil
}

// manifest returns that of a checkpoint whose objects are there, or nil with an
// error.
func (c *Collector) manifest(ctx context.Context, inv *inventory, e stream.Epoch) (*Manifest, error) {
	m := c.manifests[e]
	if m == nil {
		var err error
		if m, err = readManifest(ctx, c.Writer.config.Store, inv.layout, e); err != nil {
			return nil, err
		}
	}
	if err := inv.present(m); err != nil {
		return nil, err
	}
	if inv.abandoned(m) {
		return nil, ErrDamaged // no more use than that
	}
	return m, nil
}

// probes adds what is left of probes of the store.
func (c *Collector) probes(ctx context.Context, inv *inventory, names []string, grace time.Duration) ([]string, error) {
	if c.probed {
		return names, nil
	}
	for o, err := range c.Writer.config.Store.List(ctx, probes) {
		if err != nil {
			return nil, fmt.Errorf("list the probes of the store: %w", err)
		}
		if isProbe(o.Name) && inv.age(o) >= grace {
			names = append(names, o.Name)
		}
	}
	return names, nil
}
