package main

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// checkpoints adds the callbacks about those of a pipeline.
func (l *logger) checkpoints(pipeline string, log *slog.Logger, e *stream.Events) {
	e.Restoring = func(done, total int64) { l.transfers.note(pipeline, "restore", done, total) }
	e.Restored = func(r stream.Restoration) {
		l.transfers.end(pipeline)
		logRestored(log, &r)
	}
	e.CheckpointDamaged = func(epoch stream.Epoch, err error) {
		log.Error("a checkpoint is damaged: it is not restored, an older one may be", "epoch", epoch, "cause", cause(err))
	}
	e.Uploading = func(epoch stream.Epoch, done, total int64) {
		l.transfers.note(pipeline, fmt.Sprint("checkpoint ", epoch), done, total)
	}
	e.CheckpointDone = func(r stream.CheckpointReport) {
		l.transfers.end(pipeline)
		log.Debug("checkpoint complete", "epoch", r.Epoch, "reason", r.Reason, "took", r.Took.String(), "new_bytes", r.NewBytes, "total_bytes", r.AllBytes)
	}
	e.CheckpointFailed = func(epoch stream.Epoch, err error) {
		l.transfers.end(pipeline)
		log.Warn("a checkpoint failed", "epoch", epoch, "cause", cause(err))
	}
	e.CheckpointInterval = func(interval time.Duration, revision uint64, by string) {
		if interval == 0 {
			log.Info("checkpoints are taken on request only", "revision", revision, "by", by)
			return
		}
		log.Info("checkpoint interval", "interval", interval.String(), "revision", revision, "by", by)
	}
	e.CheckpointNotice = func(text string) { log.Warn("checkpoints", "text", safe(text)) }
}

// logRestored says what a pipeline goes on from, and each thing that is not as it was.
func logRestored(log *slog.Logger, r *stream.Restoration) {
	if r.Epoch == 0 {
		log.Info("begins with nothing, as there is no checkpoint")
		return
	}
	log.Info("goes on from a checkpoint: what was read before it is not read again; --fresh begins with nothing",
		"epoch", r.Epoch, "age", age(time.Since(r.Created)), "bytes", r.Bytes, "in_flight", r.InFlight, "took", r.Took.Round(time.Microsecond).String())
	for _, f := range r.Findings {
		if slices.Contains(r.Dropped, f) {
			log.Warn("a part of the checkpoint is dropped", "what", safe(f))
		} else {
			log.Info("not as in the checkpoint, but it fits", "what", safe(f))
		}
	}
}

// cause tells an error in one line.
func cause(err error) string {
	return safe(strings.ReplaceAll(err.Error(), "\n  fix: ", "; fix: "))
}
