package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/wasmill/wasmill/host/control"
	"github.com/wasmill/wasmill/host/stream"
)

func newCheckpointVerify(f *flags, of *checkpointFlags, s stdio) *cobra.Command {
	return &cobra.Command{
		Use:   "verify PIPELINE [EPOCH] | --storage URL --pipeline NAME [EPOCH]",
		Short: "Read all of a checkpoint and check every sum",
		Long: `verify reads every object that a checkpoint needs and checks lengths and sums.
Without an epoch it takes the newest. It ends with code 3 if anything is damaged,
and says what.`,
		Example: "  wasmill checkpoint verify pipeline.yaml 42",
		RunE: func(c *cobra.Command, a []string) error {
			return of.with(c, f, s, a, 0, 1, func(all *control.Checkpoints, epochs []stream.Epoch) error {
				e, err := orNewest(c, all, epochs)
				if err != nil {
					return err
				}
				shown := newReading(s, f.json)
				v, err := all.Verify(c.Context(), e, shown.show)
				shown.clear()
				if err != nil {
					return err
				}
				return reportVerified(f, s, all, v)
			})
		},
	}
}

func reportVerified(f *flags, s stdio, all *control.Checkpoints, v *control.Verification) error {
	whole := len(v.Problems) == 0
	if f.json {
		printJSON(s.out, map[string]any{"ok": whole, "pipeline": all.Pipeline, "storage": all.Storage, "verified": v})
		if whole {
			return nil
		}
		return exitError(stream.ExitEnvironment)
	}
	if whole {
		_, err := fmt.Fprintf(s.out, "epoch %d of %s is whole: %s, %s\n", v.Epoch, all.Pipeline, counted(v.Objects, "object"), humanBytes(float64(v.Bytes)))
		return err
	}
	return damagedCheckpoint(s, all, v)
}

// damagedCheckpoint lists what is damaged, and returns the error that it is.
func damagedCheckpoint(s stdio, all *control.Checkpoints, v *control.Verification) error {
	for _, p := range v.Problems {
		fmt.Fprintf(s.out, "damaged: %s: %s\n", safe(p.Object), safe(p.Why))
	}
	return &stream.Error{
		Code: stream.CheckpointDamaged, Where: all.Storage, Why: fmt.Sprintf("epoch %d of %s cannot be restored: it has %s", v.Epoch, all.Pipeline, counted(len(v.Problems), "damaged object")),
		Fix: "bring them back from a backup; a restore takes an older checkpoint meanwhile",
	}
}

// reading shows on a terminal how much of a checkpoint is read.
type reading struct {
	screen *screen // nil: it is not shown
	began  time.Time
	shown  time.Time
}

func newReading(s stdio, asJSON bool) *reading {
	r := &reading{began: time.Now()}
	if f, ok := s.err.(*os.File); ok && !asJSON && term.IsTerminal(int(f.Fd())) {
		r.screen = &screen{file: f}
	}
	return r
}

func (r *reading) show(done, total int64) {
	const every = 100 * time.Millisecond
	now := time.Now()
	if r.screen == nil || now.Sub(r.shown) < every && done < total {
		return
	}
	r.shown = now
	if r.screen.show(readingLine(done, total, now.Sub(r.began))) != nil {
		r.screen = nil // the terminal is gone
	}
}

// clear removes what was shown.
func (r *reading) clear() {
	if r.screen != nil {
		_ = r.screen.redraw("", nil)
	}
}

// readingLine tells how far reading is.
func readingLine(done, total int64, took time.Duration) string {
	return "read " + transferred(done, total, float64(done)/max(took, time.Millisecond).Seconds())
}
