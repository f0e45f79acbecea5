package checkpoint

import (
	"context"
	"fmt"
	"slices"

	"github.com/wasmill/wasmill/host/stream"
)

// Clear deletes all checkpoints of the pipeline, the newest last: if it fails or the
// process ends, what is left is gone on from. Their data is left to the Collector. It
// returns the highest epoch that was ever recorded.
func (w *Writer) Clear(ctx context.Context) (stream.Epoch, error) {
	inv, err := takeInventory(ctx, w.config.Store, w.layout)
	if err != nil {
		return 0, err
	}
	epochs := inv.epochs()
	slices.Reverse(epochs)
	var older, newest, marks []string
	for _, e := range epochs {
		older, newest = append(older, newest...), []string{inv.records[e].Name}
	}
	for _, o := range inv.marks {
		marks = append(marks, o.Name)
	}
	for _, names := range [][]string{marks, older, newest} { // a mark without its record would be damage
		if len(names) == 0 {
			continue
		}
		if err := again(ctx, func() error { return w.config.Store.Delete(ctx, names...) }); err != nil {
			return 0, fmt.Errorf("delete the checkpoints of %s: %w", w.config.Pipeline, err)
		}
	}
	return inv.highest(), nil
}
