package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/pipeline"
)

// logEvery is how often progress is logged where there is no terminal.
const logEvery = 10 * time.Second

// progress shows what the pipelines of a host are doing.
type progress struct {
	out     io.Writer
	host    *host.Host
	log     *logger
	json    bool
	live    bool // redraw a table
	began   time.Time
	before  map[*pipeline.Pipeline][]pipeline.Stats // of the last time, by pipeline
	lastLog time.Time
}

func newProgress(s stdio, h *host.Host, l *logger, asJSON bool) *progress {
	now := time.Now()
	return &progress{
		out: s.err, host: h, log: l, json: asJSON, live: l.screen != nil && !asJSON,
		began: now, lastLog: now, before: map[*pipeline.Pipeline][]pipeline.Stats{},
	}
}

// start shows progress until the function it returns is called.
func (p *progress) start(every time.Duration) (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				p.show(every)
			case <-done:
				return
			}
		}
	})
	return sync.OnceFunc(func() { close(done); wg.Wait() })
}

func (p *progress) show(since time.Duration) {
	if p.live {
		if err := p.log.screen.show(p.table(since)); err != nil {
			p.live = false // the terminal is gone
		}
		return
	}
	if time.Since(p.lastLog) < logEvery {
		return
	}
	p.lastLog = time.Now()
	for _, t := range p.log.transfers.slow() {
		p.log.Info(t.what+" under way", "pipeline", t.pipeline, "bytes", t.done, "of", t.total, "percent", percent(t.done, t.total), "bytes_per_second", math.Round(t.rate()))
	}
	for _, pl := range p.host.Pipelines() {
		for i, s := range pl.Stats() {
			p.log.Info("progress", "pipeline", pl.Name, "vertex", s.Vertex, "role", pl.Config.Vertices[i].Role(),
				"in", s.RecordsIn, "out", s.RecordsOut, "in_flight", s.Processing.Records+s.Output.Records, "queued", s.Input.Records)
		}
	}
}

// table has a line for each vertex, and for each transfer that takes long.
func (p *progress) table(since time.Duration) string {
	var s strings.Builder
	fmt.Fprintf(&s, "%-24s %-9s %15s %15s %12s %10s %10s\n", "VERTEX", "ROLE", "IN", "OUT", "OUT/S", "IN FLIGHT", "QUEUED")
	for _, pl := range p.host.Pipelines() {
		stats, before := pl.Stats(), p.before[pl.Pipeline]
		p.before[pl.Pipeline] = stats
		for i, v := range stats {
			done := v.RecordsOut
			if before != nil {
				done -= before[i].RecordsOut
			}
			rate := float64(done) / since.Seconds()
			name := string(v.Vertex)
			if len(p.host.Pipelines()) > 1 {
				name = pl.Name + "/" + name
			}
			fmt.Fprintf(&s, "%-24s %-9s %15s %15s %12s %10s %10s\n", name, pl.Config.Vertices[i].Role(),
				humanCount(v.RecordsIn), humanCount(v.RecordsOut), humanCount(uint64(rate)), humanCount(uint64(v.Processing.Records+v.Output.Records)), humanCount(uint64(v.Input.Records)))
		}
	}
	for _, t := range p.log.transfers.slow() {
		name := t.what
		if len(p.host.Pipelines()) > 1 {
			name = t.pipeline + ": " + name
		}
		fmt.Fprintf(&s, "%s: %s\n", name, transferred(t.done, t.total, t.rate()))
	}
	return s.String()
}

// summary says at the end what was done.
func (p *progress) summary() {
	took := time.Since(p.began).Round(time.Millisecond)
	if p.json {
		printJSON(p.out, map[string]any{"ok": true, "seconds": took.Seconds(), "pipelines": p.host.Status().Pipelines})
		return
	}
	if p.live {
		p.before = map[*pipeline.Pipeline][]pipeline.Stats{} // rates over the whole run
		p.show(took)
	}
	var in uint64
	for _, pl := range p.host.Pipelines() {
		for i, s := range pl.Stats() {
			if s.Role == pipeline.RoleSource {
				in += s.RecordsIn
			}
			if p.log.screen == nil {
				p.log.Info("done", "pipeline", pl.Name, "vertex", s.Vertex, "role", pl.Config.Vertices[i].Role(),
					"in", s.RecordsIn, "out", s.RecordsOut, "seconds", took.Seconds())
			}
		}
	}
	if p.log.screen != nil {
		fmt.Fprintf(p.out, "done: %s records read in %v, %s per second\n", humanCount(in), took, humanCount(uint64(float64(in)/took.Seconds())))
	}
	for _, pl := range p.host.Pipelines() {
		p.lastCheckpoint(pl)
	}
}

// warnLost says how many records did not go the usual way.
func (p *progress) warnLost() {
	for _, pl := range p.host.Pipelines() {
		for _, s := range pl.Stats() {
			for _, w := range []struct {
				records uint64
				text    string
			}{
				{s.Unrouted, "records were dropped: their tag is one that no edge asks for"},
				{s.DeadLetters, "records could not be handled and went to the dead letters"},
				{s.Dropped[pipeline.DroppedError], "records were dropped: they could not be handled, and onError is drop"},
				{s.Dropped[pipeline.DroppedNewest] + s.Dropped[pipeline.DroppedOldest], "records were dropped: a stage was full, and whenFull says so"},
			} {
				if w.records > 0 {
					p.log.Warn(w.text, "pipeline", pl.Name, "vertex", s.Vertex, "records", w.records)
				}
			}
		}
	}
}
