package durable

import (
	"fmt"
	"time"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/host/stream"
)

// What the loop and others note goes to the status, and to whoever listens.

// restored notes what the pipeline goes on from.
func (r *Runner) restored(found *checkpoint.Recovery, t *restoring, took time.Duration) {
	out := stream.Restoration{Took: took, Bytes: t.bytes, InFlight: t.inFlight()}
	if m := found.Manifest; m != nil {
		out.Epoch, out.Created = m.Epoch, m.Created
		for _, f := range t.findings {
			text := fmt.Sprintf("%s: %s", f.Vertex, f.What)
			out.Findings = append(out.Findings, text)
			if f.Dropped {
				out.Dropped = append(out.Dropped, text)
			}
		}
	}
	r.mu.Lock()
	r.status.Restored = out
	r.mu.Unlock()
	if call := r.config.Events.Restored; call != nil {
		call(out)
	}
}

func (r *Runner) damaged(e stream.Epoch, err error) {
	if call := r.config.Events.CheckpointDamaged; call != nil {
		call(e, err)
	}
}

func (r *Runner) restoringBytes(done, total int64) {
	if call := r.config.Events.Restoring; call != nil {
		call(done, total)
	}
}

func (r *Runner) uploading(e stream.Epoch, done, total int64) {
	if call := r.config.Events.Uploading; call != nil {
		call(e, done, total)
	}
}

func (r *Runner) notice(text string) {
	if call := r.config.Events.CheckpointNotice; call != nil {
		call(text)
	}
}

// applied notes that settings, or an interval chosen anew, are in force.
func (r *Runner) applied(a checkpoint.Applied) {
	if call := r.config.Events.CheckpointInterval; call != nil {
		call(a.Choice.Interval, uint64(a.Revision), a.Choice.By)
	}
}

// failed notes that a checkpoint was given up.
func (r *Runner) failed(e stream.Epoch, err error) {
	if call := r.config.Events.CheckpointFailed; call != nil {
		call(e, err)
	}
}

// stored notes that a checkpoint is in the store.
func (r *Runner) stored(f *flight) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := &r.status.Totals
	t.Align.add(f.align)
	t.Pause.add(f.blocked)
	t.Upload.add(f.upload)
	full := int64(0)
	for _, v := range f.manifest.Vertices {
		for _, p := range v.Parts {
			if p.Epoch == f.Epoch && p.Full {
				full += p.Bytes
			}
		}
	}
	t.Full += full
	t.Incremental += f.manifest.Size.New - full
}

// committed notes that a checkpoint is complete, after so long of committing.
func (r *Runner) committed(f *flight, took time.Duration) {
	report := stream.CheckpointReport{
		Epoch: f.Epoch, Reason: string(f.Reason), Took: time.Since(f.began), Blocked: f.blocked,
		NewBytes: f.manifest.Size.New, AllBytes: f.manifest.Size.Total,
	}
	r.mu.Lock()
	r.status.Last = &Taken{f.Epoch, time.Now(), report.NewBytes, report.AllBytes}
	r.status.Totals.Commit.add(took)
	r.mu.Unlock()
	if call := r.config.Events.CheckpointDone; call != nil {
		call(report)
	}
}

// collected notes how many checkpoints are kept.
func (r *Runner) collected(c checkpoint.Collected) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status.Kept = len(c.Kept)
}
