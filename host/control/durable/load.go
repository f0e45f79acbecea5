package durable

import (
	"time"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/host/pipeline"
)

// load measures how busy the pipeline is, for an adaptive interval.
type load struct {
	at   time.Time
	read uint64 // records, by all sources
	checkpoint.Load
}

// restarted takes what a restart after a crash says: how long the restore took, and
// about how long nobody ran before: from the checkpoint, which on average is half an
// interval older than the crash.
func (l *load) restarted(m *checkpoint.Manifest, began time.Time, took time.Duration) {
	if m == nil || m.Reason == checkpoint.ReasonFinal {
		return
	}
	l.Restore = checkpoint.Known(took.Seconds())
	if gap := began.Sub(m.Created) - time.Duration(m.Config.Interval)/2; gap < checkpoint.AssumedMTBF {
		l.Detect = checkpoint.Known(max(0, gap).Seconds())
	}
}

// sampleEvery is the time between two samples.
const sampleEvery = time.Second

// weight is that of the newest sample in the mean rate.
const weight = 0.2

// sample takes a sample if it is time to.
func (l *load) sample(loop *loop) {
	now := time.Now()
	since := now.Sub(l.at)
	if !l.at.IsZero() && since < sampleEvery {
		return
	}
	read, full := uint64(0), false
	for i, s := range loop.runner.Stats() {
		if s.Role == pipeline.RoleSource {
			read += s.RecordsIn
			continue
		}
		v := &loop.runner.config.Graph.Vertices[i]
		full = full || s.Input.Records >= max(1, v.Queue.Records*len(s.Edges)/2)
	}
	first := l.at.IsZero()
	rate := float64(read-l.read) / since.Seconds()
	l.at, l.read = now, read
	if first {
		return
	}
	l.take(rate, full)
	loop.step(checkpoint.Measured{Load: l.Load})
}

// take adds the rate of a second, in records/s. What the pipeline could take at most
// shows only while something waits: the most that came through then.
func (l *load) take(rate float64, full bool) {
	if l.Rate.Known {
		l.Rate = checkpoint.Known(l.Rate.Value + weight*(rate-l.Rate.Value))
	} else {
		l.Rate = checkpoint.Known(rate)
	}
	if full && (!l.Capacity.Known || rate > l.Capacity.Value) {
		l.Capacity = checkpoint.Known(rate)
	}
}
