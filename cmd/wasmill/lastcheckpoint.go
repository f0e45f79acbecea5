package main

import (
	"fmt"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/pipeline"
)

// lastCheckpoint says at the end which checkpoint the next run goes on from.
func (p *progress) lastCheckpoint(pl *host.Pipeline) {
	c := pl.Status().Checkpoint
	if c == nil || c.Last == nil {
		return
	}
	again := read(pl) == 0 && c.Restored != nil
	if p.log.screen == nil {
		p.log.Info("last checkpoint: the next run goes on from it", "pipeline", pl.Name, "epoch", c.Last.Epoch, "new_bytes", c.Last.NewBytes, "total_bytes", c.Last.AllBytes, "completed", c.Completed)
		if again {
			p.log.Info("nothing new was read since the checkpoint that it went on from; --fresh reads all of it again", "pipeline", pl.Name, "epoch", c.Restored.Epoch)
		}
		return
	}
	fmt.Fprintf(p.out, "last checkpoint of %s: epoch %d, %s of state; the next run goes on from it\n", pl.Name, c.Last.Epoch, humanBytes(float64(c.Last.AllBytes)))
	if again {
		fmt.Fprintf(p.out, "nothing new was read since checkpoint %d; --fresh reads all of it again\n", c.Restored.Epoch)
	}
}

// read counts the records that the sources of a pipeline have read.
func read(pl *host.Pipeline) (n uint64) {
	for _, s := range pl.Stats() {
		if s.Role == pipeline.RoleSource {
			n += s.RecordsIn
		}
	}
	return n
}

// early says, of a run that ended with an error, what there is of it.
func (p *progress) early() {
	for _, pl := range p.host.Pipelines() {
		c := pl.Status().Checkpoint
		switch {
		case pl.Phase() == pipeline.PhaseStopped:
		case c == nil:
			p.log.Warn("the run ended early: sinks hold what was flushed before the error", "pipeline", pl.Name)
		case pl.Durable.Checkpoints().Totals.Failures.Fenced > 0:
			p.log.Warn("the run ended early: another process has taken the pipeline over", "pipeline", pl.Name)
		case c.Published > c.Completed:
			p.log.Warn("the run ended early: the next one goes on from a checkpoint that is stored, and commits it", "pipeline", pl.Name)
		case c.Last != nil:
			p.log.Warn("the run ended early: the next one goes on from the last checkpoint", "pipeline", pl.Name, "epoch", c.Last.Epoch)
		case c.Revision > 0:
			p.log.Warn("the run ended early, before a checkpoint: the next one starts as it did", "pipeline", pl.Name)
		}
	}
}
