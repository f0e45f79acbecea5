package control

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/host/stream"
)

// Deletion is what deleting checkpoints does.
type Deletion struct {
	Epochs []stream.Epoch `json:"epochs"` // the newest first
	Frees  int64          `json:"frees_bytes"`
}

// Deletable says what it means to delete checkpoints. Without force it is an error if
// the pipeline would go on from another one than now, or count epochs anew.
func (c *Checkpoints) Deletable(ctx context.Context, epochs []stream.Epoch, force bool) (*Deletion, error) {
	found, all, err := c.find(ctx, epochs...)
	if err != nil {
		return nil, err
	}
	d := &Deletion{}
	for _, e := range found {
		if !slices.Contains(d.Epochs, e.Epoch) {
			d.Epochs = append(d.Epochs, e.Epoch)
		}
	}
	slices.Sort(d.Epochs)
	slices.Reverse(d.Epochs)
	whole := slices.IndexFunc(all, restorable)
	for _, i := range []int{0, whole} {
		if force || i < 0 || !slices.Contains(d.Epochs, all[i].Epoch) {
			continue
		}
		why := fmt.Sprintf("epoch %d is the newest, from which pipeline %s goes on", all[i].Epoch, c.Pipeline)
		if all[i].Manifest == nil {
			why = fmt.Sprintf("epoch %d is damaged, but the newest, after which epochs are counted on", all[i].Epoch)
		}
		return nil, &stream.Error{Code: stream.Usage, Where: c.at.Where, Why: why, Fix: "leave it out, or add --force: " + c.withoutNewest(all, d.Epochs)}
	}
	d.Frees = frees(all, d.Epochs)
	return d, nil
}

// restorable says whether a pipeline may go on from a checkpoint by itself.
func restorable(e checkpoint.Entry) bool {
	return e.Manifest != nil && e.State != checkpoint.Abandoned
}

// withoutNewest says what happens if the newest are deleted.
func (c *Checkpoints) withoutNewest(all []checkpoint.Entry, epochs []stream.Epoch) string {
	for _, e := range all {
		if restorable(e) && !slices.Contains(epochs, e.Epoch) {
			return fmt.Sprintf("then it goes on from epoch %d, and numbers are used again", e.Epoch)
		}
	}
	return "then it starts with nothing"
}

// frees is how many bytes data objects have that only these checkpoints name.
func frees(all []checkpoint.Entry, epochs []stream.Epoch) int64 {
	sizes, kept := make(map[string]int64), make(map[string]bool)
	for _, e := range all {
		if e.Manifest == nil {
			continue
		}
		for _, o := range e.Manifest.Objects {
			if slices.Contains(epochs, e.Epoch) {
				sizes[o.Name] = o.Bytes
			} else {
				kept[o.Name] = true
			}
		}
	}
	sum := int64(0)
	for name, bytes := range sizes {
		if !kept[name] {
			sum += bytes
		}
	}
	return sum
}

// Delete removes checkpoints, so that nobody finds them any more. Their data stays
// until the collection of the pipeline, as a process that runs it may build on it.
func (c *Checkpoints) Delete(ctx context.Context, epochs []stream.Epoch) error {
	for _, folder := range []string{records, marks} { // the record first: without it there is no checkpoint
		var names []string
		for _, e := range epochs {
			names = append(names, fmt.Sprintf("%s/%s%020d", c.Pipeline, folder, e))
		}
		if err := c.store.Delete(ctx, names...); err != nil {
			return c.at.place(fmt.Errorf("delete checkpoints of %s: %w", c.Pipeline, err))
		}
	}
	return nil
}

// Collect deletes all data that no checkpoint names, and returns how many objects that
// were. It takes the pipeline over: a process that runs it is fenced, and what it has
// not published is lost.
func (c *Checkpoints) Collect(ctx context.Context, version string) (int, error) {
	w, err := checkpoint.Claim(ctx, checkpoint.WriterConfig{Store: c.store, Pipeline: c.Pipeline, Wasmill: version})
	if err != nil {
		return 0, c.at.place(err)
	}
	defer w.Close()
	collector := checkpoint.Collector{Writer: w, Grace: time.Nanosecond}
	out, err := collector.Run(ctx, checkpoint.Retention{Count: math.MaxInt})
	if errors.Is(err, checkpoint.ErrDamaged) {
		return out.Deleted, &stream.Error{
			Code: stream.CheckpointDamaged, Where: c.at.Where, Why: "what is left cannot be read, so it is not known what of the data is needed", Err: err,
			Fix: "bring the objects back from a backup, or delete those checkpoints too",
		}
	}
	return out.Deleted, c.at.place(err)
}
