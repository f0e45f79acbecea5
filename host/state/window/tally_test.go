package window

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"

	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/host/stream"
)

// tally is a guest in Go that counts and sums: its accumulators are the two numbers
// as text, so that they change their size. It checks what it is given.
type tally struct {
	t       rapid.TB
	spec    Spec
	agg     string
	crashes func() bool // a call fails
	calls   map[string]int
	largest int
}

var errCrash = errors.New("crash")

func (g *tally) Merges() bool { return true }

// look checks a frame.
func (g *tally) look(what string, p *stream.Panes) error {
	g.calls[what]++
	g.largest = max(g.largest, len(p.Table), len(p.Records))
	seen := map[string]bool{}
	next := uint32(0)
	for _, w := range p.Table {
		key := string(p.Batch.Of(w.Key))
		id := fmt.Sprint(key, w.Start, w.End)
		if seen[id] || w.Start >= w.End {
			g.t.Fatalf("%s: window %q is there twice, or empty", what, id)
		}
		seen[id] = true
		if what != "add" {
			continue
		}
		if w.First != next || w.Count == 0 {
			g.t.Fatalf("%s: records %d of %d begin at %d", what, w.Count, len(p.Records), w.First)
		}
		for _, r := range p.Records[w.First:][:w.Count] {
			if string(p.Batch.Of(r.Key)) != key || r.Time < w.Start || r.Time >= w.End && w.End != math.MaxInt64 {
				g.t.Fatalf("record of %q at %d in window %s", p.Batch.Of(r.Key), r.Time, id)
			}
		}
		next += w.Count
	}
	if len(p.Table) == 0 || int(next) != len(p.Records) {
		g.t.Fatalf("%s: %d windows, %d records, of which %d are in windows", what, len(p.Table), len(p.Records), next)
	}
	if g.crashes != nil && g.crashes() {
		p.Accumulators = append(p.Accumulators, "garbage"...)
		p.Table[0].Accumulator = stream.Span{Off: uint32(len(p.Accumulators) - 3), Len: 3}
		return errCrash
	}
	return nil
}

func (g *tally) read(p *stream.Panes, w *stream.Pane) (n, sum int64) {
	acc := p.Accumulators[w.Accumulator.Off:][:w.Accumulator.Len]
	if len(acc) == 0 {
		return 0, 0
	}
	if _, err := fmt.Sscanf(string(acc), "%d,%d", &n, &sum); err != nil {
		g.t.Fatalf("accumulator %q: %v", acc, err)
	}
	return n, sum
}

func (g *tally) write(p *stream.Panes, w *stream.Pane, n, sum int64) {
	at := len(p.Accumulators)
	p.Accumulators = fmt.Appendf(p.Accumulators, "%d,%d", n, sum)
	w.Accumulator = stream.Span{Off: uint32(at), Len: uint32(len(p.Accumulators) - at)}
}

func (g *tally) Add(_ context.Context, p *stream.Panes, out *stream.Output) error {
	if err := g.look("add", p); err != nil {
		return err
	}
	for k := range p.Table {
		w := &p.Table[k]
		n, sum := g.read(p, w)
		for i := w.First; i < w.First+w.Count; i++ {
			v, err := strconv.ParseInt(string(p.Batch.Of(p.Records[i].Value)), 10, 64)
			if err != nil {
				out.Failures = append(out.Failures, stream.Failure{Input: int(i), Reason: "no number"})
				continue
			}
			n, sum = n+1, sum+v
		}
		g.write(p, w, n, sum)
	}
	return nil
}

func (g *tally) Merge(_ context.Context, p *stream.Panes) error {
	if err := g.look("merge", p); err != nil {
		return err
	}
	for k := 0; k < len(p.Table); k += 2 {
		a, b := &p.Table[k], &p.Table[k+1]
		if !bytes.Equal(p.Batch.Of(a.Key), p.Batch.Of(b.Key)) || a.Accumulator.Len == 0 || b.Accumulator.Len == 0 {
			g.t.Fatalf("merge of %q and %q, %d and %d bytes", p.Batch.Of(a.Key), p.Batch.Of(b.Key), a.Accumulator.Len, b.Accumulator.Len)
		}
		n, sum := g.read(p, a)
		m, more := g.read(p, b)
		g.write(p, a, n+m, sum+more)
	}
	return nil
}

func (g *tally) Result(_ context.Context, p *stream.Panes, out *stream.Output) error {
	if err := g.look("result", p); err != nil {
		return err
	}
	for k := range p.Table {
		w := &p.Table[k]
		n, sum := g.read(p, w)
		if n == 13 && g.agg == "unlucky" {
			out.Failures = append(out.Failures, stream.Failure{Input: k, Reason: "unlucky"})
		}
		if g.agg == "sum" {
			n = sum
		}
		if g.agg == "anew" {
			w.Accumulator = stream.Span{}
		}
		f := [...]Firing{stream.FiringEnd: OnTime, stream.FiringEarly: Early, stream.FiringLate: Late}[w.Firing]
		out.Append(w.End-1, p.Batch.Of(w.Key), fmt.Appendf(nil, "%s [%d,%d) %d %s", p.Batch.Of(w.Key), w.Start, w.End, n, f), nil)
		out.Records[out.Len()-1].Source = stream.NoSource
	}
	return nil
}
