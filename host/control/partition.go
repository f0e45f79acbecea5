package control

import (
	"context"
	"errors"

	"github.com/wasmill/wasmill/host/state"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm"
)

// partitioned calls a plugin whose memory is the state of its vertex: a stream.Durable
// whose groups are the partitions. It closes the plugin. The vertex makes as many
// calls at once as there are partitions, each of which is a shard of its own.
type partitioned struct {
	state.Keys
	*memories
	guests *wasm.Partitions
	plugin *wasm.Plugin
}

// partitions starts the guests of vertex i, whose plugin is loaded.
func (b *build) partitions(ctx context.Context, i int, p *wasm.Plugin, c wasm.Config) (stream.Transform, error) {
	n := b.config.Vertices[i].Partitions
	key, err := b.key(i)
	if err != nil {
		return nil, err
	}
	t, err := p.Partitions(ctx, c, n)
	if err != nil {
		return nil, err
	}
	return partitioned{state.NewKeys(n, key), newMemories(string(b.config.Vertices[i].Name), t, n), t, p}, nil
}

// Stats is what its instances do.
func (p partitioned) Stats() wasm.Stats { return p.guests.Stats() }

// Close implements stream.Transform.
func (p partitioned) Close(ctx context.Context) error {
	return errors.Join(p.guests.Close(ctx), p.plugin.Close(ctx))
}

// Apart says that no two partitions are in one call, whatever the number of calls.
func (p partitioned) Apart() {}

// In implements stream.Keyed. All records are of one group.
func (p partitioned) In(ctx context.Context, in *stream.Batch, out *stream.Output) error {
	if p.Keyless(in, out) {
		return nil // the others come again without them
	}
	return p.guests.Call(ctx, int(in.Records[0].Group), in, out)
}

// Due implements stream.Keyed: a guest does nothing by itself.
func (p partitioned) Due(int, int) (stream.Watermark, bool) { return 0, false }

// Alarm implements stream.Keyed.
func (p partitioned) Alarm(int, int) (int64, bool) { return 0, false }

// Advance implements stream.Keyed.
func (p partitioned) Advance(context.Context, int, int, stream.Watermark, int64, *stream.Batch, *stream.Output) error {
	return nil
}
