package control

import (
	"context"
	"errors"
	"fmt"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/state/window"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm"
)

// folded calls a plugin of kind aggregate, with the windows that are kept for it.
// It closes the plugin.
type folded struct {
	*window.Guests
	guest *wasm.Versions
}

// Stats is what its instances do.
func (a folded) Stats() wasm.Stats { return a.guest.Stats() }

// Close implements stream.Transform.
func (a folded) Close(ctx context.Context) error {
	return errors.Join(a.Guests.Close(ctx), a.guest.Close(ctx))
}

// guestAggregate starts the guests of vertex i, whose plugin is loaded.
func (b *build) guestAggregate(ctx context.Context, i int, p *wasm.Plugin, c wasm.Config) (stream.Transform, error) {
	key, err := b.key(i)
	if err != nil {
		return nil, err
	}
	t, err := p.Transform(ctx, c)
	if err != nil {
		return nil, err
	}
	v := &b.config.Vertices[i]
	guest := wasm.NewVersions(t)
	g, err := window.NewGuests(window.GuestConfig{
		Vertex: v.Name, Spec: windows(v.Window), Guest: guest, Groups: v.State.Groups, MaxBytes: int64(v.State.MaxBytes),
		Key: key, Late: b.tags.Tag([]byte(config.TagLate)),
	})
	if err != nil {
		return nil, errors.Join(b.located(fmt.Sprintf("vertices[%d].window", i), err), t.Close(ctx))
	}
	return folded{g, guest}, nil
}
