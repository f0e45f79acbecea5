package admin

import (
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// guestLevels are the words for the levels of guests.
var guestLevels = [...]string{stream.GuestDebug: "debug", stream.GuestInfo: "info", stream.GuestWarn: "warn", stream.GuestError: "error"}

// Observe returns callbacks of a pipeline that tell what happens, and call those of
// next. They do not block.
func (e *Events) Observe(pipeline string, next stream.Events) stream.Events {
	tell := func(event string, fields ...any) { e.Tell(pipeline, event, fields...) }
	out := stream.Events{
		GuestLog: func(v stream.VertexID, level stream.GuestLevel, text string) {
			tell("guest-log", "vertex", v, "level", guestLevels[level], "text", text)
			if next.GuestLog != nil {
				next.GuestLog(v, level, text)
			}
		},
		Unmetered: func(v stream.VertexID, plugin string) {
			tell("unmetered", "vertex", v, "plugin", plugin)
			if next.Unmetered != nil {
				next.Unmetered(v, plugin)
			}
		},
		PluginSuspended: func(v stream.VertexID, plugin, why string, wait time.Duration) {
			tell("plugin-suspended", "vertex", v, "plugin", plugin, "why", why, "wait_seconds", wait.Seconds())
			if next.PluginSuspended != nil {
				next.PluginSuspended(v, plugin, why, wait)
			}
		},
		PluginResumed: func(v stream.VertexID, plugin string) {
			tell("plugin-resumed", "vertex", v, "plugin", plugin)
			if next.PluginResumed != nil {
				next.PluginResumed(v, plugin)
			}
		},
		Scaled: func(c stream.ScaleChange) {
			tell("scaled", "vertex", c.Vertex, "from", c.From, "to", c.To, "reason", c.Reason)
			if next.Scaled != nil {
				next.Scaled(c)
			}
		},
		RequestDenied: func(v stream.VertexID, target, why string) {
			tell("request-denied", "vertex", v, "target", target, "why", why)
			if next.RequestDenied != nil {
				next.RequestDenied(v, target, why)
			}
		},
		SourceNotice: func(v stream.VertexID, text string) {
			tell("source-notice", "vertex", v, "text", text)
			if next.SourceNotice != nil {
				next.SourceNotice(v, text)
			}
		},
		SideNotice: func(v stream.VertexID, name, text string) {
			tell("side-notice", "vertex", v, "name", name, "text", text)
			if next.SideNotice != nil {
				next.SideNotice(v, name, text)
			}
		},
		ConfigApplied: func(c stream.ConfigChange) {
			tell("config-applied", "revision", c.Revision, "class", c.Class, "steps", c.Steps, "took_seconds", c.Took.Seconds())
			if next.ConfigApplied != nil {
				next.ConfigApplied(c)
			}
		},
		ConfigRefused: func(err error) {
			tell("config-refused", "errors", faults(err))
			if next.ConfigRefused != nil {
				next.ConfigRefused(err)
			}
		},
		ConfigNotice: func(text string) {
			tell("config-notice", "text", text)
			if next.ConfigNotice != nil {
				next.ConfigNotice(text)
			}
		},
	}
	observeCheckpoints(&out, next, tell)
	observePipelines(&out, next, tell)
	return out
}

// observeCheckpoints adds the callbacks that are about checkpoints.
func observeCheckpoints(out *stream.Events, next stream.Events, tell func(string, ...any)) {
	out.CheckpointDamaged = func(epoch stream.Epoch, err error) {
		tell("checkpoint-damaged", "epoch", epoch, "errors", faults(err))
		if next.CheckpointDamaged != nil {
			next.CheckpointDamaged(epoch, err)
		}
	}
	out.Restoring = func(done, total int64) {
		tell("restoring", "bytes", done, "of", total)
		if next.Restoring != nil {
			next.Restoring(done, total)
		}
	}
	out.Restored = func(r stream.Restoration) {
		tell("restored", "epoch", r.Epoch, "created", r.Created.UTC(), "took_seconds", r.Took.Seconds(), "bytes", r.Bytes,
			"in_flight", r.InFlight, "findings", r.Findings, "dropped", r.Dropped)
		if next.Restored != nil {
			next.Restored(r)
		}
	}
	out.Uploading = func(epoch stream.Epoch, done, total int64) {
		tell("uploading", "epoch", epoch, "bytes", done, "of", total)
		if next.Uploading != nil {
			next.Uploading(epoch, done, total)
		}
	}
	out.CheckpointDone = func(r stream.CheckpointReport) {
		tell("checkpoint-done", "epoch", r.Epoch, "reason", r.Reason, "took_seconds", r.Took.Seconds(), "blocked_seconds", r.Blocked.Seconds(),
			"new_bytes", r.NewBytes, "total_bytes", r.AllBytes)
		if next.CheckpointDone != nil {
			next.CheckpointDone(r)
		}
	}
	out.CheckpointFailed = func(epoch stream.Epoch, err error) {
		tell("checkpoint-failed", "epoch", epoch, "errors", faults(err))
		if next.CheckpointFailed != nil {
			next.CheckpointFailed(epoch, err)
		}
	}
	out.CheckpointInterval = func(interval time.Duration, revision uint64, by string) {
		tell("checkpoint-interval", "interval_seconds", interval.Seconds(), "revision", revision, "decided_by", by)
		if next.CheckpointInterval != nil {
			next.CheckpointInterval(interval, revision, by)
		}
	}
	out.CheckpointNotice = func(text string) {
		tell("checkpoint-notice", "text", text)
		if next.CheckpointNotice != nil {
			next.CheckpointNotice(text)
		}
	}
}
