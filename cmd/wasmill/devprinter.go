package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/wasmill/wasmill/host/admin"
	"github.com/wasmill/wasmill/host/project"
	"github.com/wasmill/wasmill/host/stream"
)

// devPrinter prints what dev has to tell: records to out, all else to notes, or with json
// an object per line to out. It is safe for concurrent use.
type devPrinter struct {
	out, notes io.Writer
	json       bool
	mu         sync.Mutex // a line at a time
}

// note prints a text, or with json an event with its fields.
func (p *devPrinter) note(event, text string, fields map[string]any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.json {
		fmt.Fprintln(p.notes, text)
		return
	}
	line := map[string]any{"event": event}
	for k, v := range fields {
		line[k] = v
	}
	p.object(line)
}

// object prints one line of JSON. It is called with mu held.
func (p *devPrinter) object(v any) {
	data, err := json.Marshal(v)
	if err != nil {
		panic("BUG: " + err.Error()) // of our own types alone
	}
	fmt.Fprintln(p.out, harmless(string(data)))
}

func (p *devPrinter) built(b project.Built) {
	p.note("built", b.Output+"built "+builtText(b), map[string]any{"built": b, "seconds": b.Took.Seconds()})
}

// failed tells what a compiler said, and an error.
func (p *devPrinter) failed(output string, err error) {
	text := output
	for _, f := range faultsOf(err) {
		text += "error: " + f.Error() + "\n"
	}
	p.note("failed", strings.TrimSuffix(text, "\n"), map[string]any{"output": output, "errors": faultsJSON(faultsOf(err))})
}

func (p *devPrinter) running(name string, vertex stream.VertexID) {
	p.note("running", fmt.Sprintf("pipeline %s runs; this is what %s emits (^C ends it)", name, vertex), map[string]any{"pipeline": name, "vertex": vertex})
}

func (p *devPrinter) ended() {
	p.note("ended", "the pipeline has ended; it begins anew with the next edit", nil)
}

// events are those of the pipeline.
func (p *devPrinter) events(string) stream.Events {
	return stream.Events{
		ConfigApplied: func(c stream.ConfigChange) {
			text := safe(strings.Join(c.Steps, "; "))
			p.note("changed", "in force: "+text, map[string]any{"changes": c.Steps, "seconds": c.Took.Seconds()})
		},
		ConfigRefused: func(err error) {
			p.note("refused", "refused, and what was before goes on: "+err.Error(), map[string]any{"errors": faultsJSON(faultsOf(err))})
		},
		GuestLog: func(v stream.VertexID, level stream.GuestLevel, text string) {
			name := [...]string{"debug", "info", "warn", "error"}[level]
			p.note("log", fmt.Sprintf("%s logs (%s): %s", v, name, safe(text)), map[string]any{"vertex": v, "level": name, "text": text})
		},
		PluginSuspended: func(v stream.VertexID, _, why string, wait time.Duration) {
			p.note("log", fmt.Sprintf("%s fails again and again, and waits for %s: %s", v, wait, safe(why)), map[string]any{"vertex": v, "level": "error", "text": why})
		},
	}
}

// records prints what has passed a tap since the last time.
func (p *devPrinter) records(tap admin.Tap) {
	for _, r := range tap.Take().Records {
		data, err := json.Marshal(r)
		var shown tappedRecord
		if err == nil {
			err = json.Unmarshal(data, &shown)
		}
		if err != nil {
			panic("BUG: " + err.Error()) // as object
		}
		p.mu.Lock()
		if p.json {
			p.object(map[string]any{"event": "record", "record": r})
		} else {
			fmt.Fprintln(p.out, shown.line())
		}
		p.mu.Unlock()
	}
}
