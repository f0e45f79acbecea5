package pipeline

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/wasmill/wasmill/host/stream"
)

// checkInboxes holds invariant 2 against all lanes and stages, and what they
// count against what they hold.
func (w *world) checkInboxes(p *Pipeline) {
	for _, t := range p.transforms {
		t.in.mu.Lock()
		w.checkLanes(t.in)
		w.checkStages(t.in)
		t.in.mu.Unlock()
	}
	for _, s := range p.sinks {
		s.in.mu.Lock()
		w.checkLanes(s.in)
		s.in.mu.Unlock()
	}
}

func (w *world) checkLanes(in *inbox) {
	for _, l := range in.lanes {
		batches, held, plain := 0, Limit{Records: -l.skip}, false
		for i := range l.items.len() {
			it := l.items.at(i)
			if it.Batch != nil {
				batches++
				held.add(sizeOf(it.Batch))
			}
			if plain && it.plain() {
				w.Errorf("a lane holds two marks next to each other")
			}
			plain = it.plain()
		}
		if in.aborted == nil && held != l.queued {
			w.Errorf("a lane counts %+v and holds %+v", l.queued, held)
		}
		if len(w.others) == 0 && batches > 1 && (held.Records > l.limit.Records || held.Bytes > l.limit.Bytes) {
			w.Errorf("a lane holds %d batches with %+v, more than %+v", batches, held, l.limit)
		}
	}
}

// checkStages also holds what is early and what slots have.
func (w *world) checkStages(in *inbox) {
	var processing, output, early, pending Limit
	handed := in.handed != nil
	for c := in.flight.oldest; c != nil; c = c.newer {
		if c.stage == StageProcessing {
			processing.add(c.size)
			continue
		}
		if output.add(c.size); in.inOrder && !handed {
			early.add(c.size)
		}
		handed = handed && c != in.handed
	}
	if processing != in.processing || output != in.output || early != in.early {
		w.Errorf("counts %v in processing, %v in output, %v early; holds %v, %v and %v", in.processing, in.output, in.early, processing, output, early)
	}
	if in.keys != nil {
		pending.Records = in.keys.dealing.left
		for i := range in.keys.slots {
			pending.Records += in.keys.slots[i].held()
		}
		if pending.Records != in.keys.pending.Records {
			w.Errorf("counts %d records in slots that hold %d", in.keys.pending.Records, pending.Records)
		}
	}
	if most := in.bounds.processing.Records; len(w.others) == 0 && most > 0 && in.held().Records > most {
		w.Errorf("processing holds %d records, %d is the limit", in.held().Records, most)
	}
	if len(w.others) == 0 && in.full == FullDropOldest && in.bounds.output.over(in.output) && in.ready.len() > 1 {
		w.Errorf("output holds %v and %d calls that can be dropped, %v is the limit", in.output, in.ready.len(), in.bounds.output)
	}
}

// check compares how a run ended with what it was to do.
func (w *world) check(p *Pipeline, err, cause error) {
	switch {
	case w.boom.Load() && (err == nil || (cause == nil && !strings.Contains(err.Error(), "boom"))):
		w.Errorf("got %v, want boom", err)
	case !w.boom.Load() && !errors.Is(err, cause):
		w.Errorf("got %v, want %v", err, cause)
	}
	for _, v := range w.graph.Vertices {
		if s := w.sinks[v.Name]; s != nil {
			s.check(v.Name, err == nil)
			w.checkBarriers(v.Name, s, err == nil)
		}
	}
	if err != nil {
		return
	}
	for _, t := range p.transforms {
		if k := t.in.keys; k != nil && k.pending != (Limit{}) {
			w.Errorf("%s has %+v pending in the end", t.name, k.pending)
		}
	}
	for i, s := range w.sources {
		l := p.acks[i]
		if s.read > 0 && (l.open.len() > 0 || s.last != s.read || int(binary.BigEndian.Uint64(l.frontier(nil))) != s.read) {
			w.Errorf("s%d read %d, was acknowledged %d, and has %d open", i, s.read, s.last, l.open.len())
		}
	}
	for i, s := range p.Stats() {
		w.checkStats(s, &w.graph.Vertices[i])
	}
}

// checkStats compares the counts of a vertex with what went along its edges.
func (w *world) checkStats(s Stats, v *Vertex) {
	if s.InFlight != 0 || s.Input.Records+s.Input.Bytes+s.Processing.Records+s.Processing.Bytes+s.Output.Records+s.Output.Bytes != 0 {
		w.Errorf("%s ended with %+v", v.Name, s)
	}
	if v.Source != nil {
		w.checkSourceStats(s, v)
		return
	}
	var in, out, fates [3]int
	for _, t := range w.taps {
		if t.edge.To != v.Name {
			continue
		}
		for _, value := range t.values {
			fate, results := w.step(v.Name, value)
			in[0]++
			out[0] += len(results)
			fates[fate]++
		}
	}
	if v.Sink != nil {
		out[0] = fates[passes]
	}
	full := int(s.Dropped[DroppedNewest] + s.Dropped[DroppedOldest])
	if v.QueueFull == FullDropNewest || v.QueueFull == FullDropOldest {
		if got := int(s.RecordsIn) + full; got != in[0] {
			w.Errorf("%s took or dropped %d of %d records: %+v", v.Name, got, in[0], s)
		}
		return
	}
	if int(s.RecordsIn) != in[0] || int(s.RecordsOut)+full != out[0] || int(s.DeadLetters) != fates[deadLetter] || int(s.Dropped[DroppedError]) != fates[dropped] {
		w.Errorf("%s counts %+v, want %d in, %d out or dropped, and as failed %v", v.Name, s, in[0], out[0], fates)
	}
}

func (w *world) checkSourceStats(s Stats, v *Vertex) {
	var fates [3]int
	for _, src := range w.sources {
		for n := 0; n < src.read && src.name == v.Name; n++ {
			fates[src.fails.fate(strconv.Itoa(src.first+n))]++
		}
	}
	sum := fates[passes] + fates[dropped] + fates[deadLetter]
	if int(s.RecordsIn) != sum || int(s.RecordsOut) != sum-fates[dropped] || int(s.DeadLetters) != fates[deadLetter] || int(s.Dropped[DroppedError]) != fates[dropped] {
		w.Errorf("%s counts %+v, want %v", v.Name, s, fates)
	}
	if s.Late > 0 && !w.idles {
		w.Errorf("%s read %d late records", v.Name, s.Late)
	}
}

// checkBarriers compares what a sink got before each barrier with what comes of
// what the sources had read before they sent it. One that never did had ended.
func (w *world) checkBarriers(name stream.VertexID, s *witness, complete bool) {
	sent := map[stream.Epoch]bool{}
	for _, up := range w.upstream(name) {
		for epoch := range up.cuts {
			sent[epoch] = true
		}
	}
	if len(s.barriers) > len(sent) || (complete && len(s.barriers) < len(sent)) {
		w.Errorf("%s let %d barriers through of %d", name, len(s.barriers), len(sent))
	}
	for i, b := range s.barriers {
		if i > 0 && s.barriers[i-1].epoch >= b.epoch {
			w.Errorf("%s let barrier %d through after %d", name, b.epoch, s.barriers[i-1].epoch)
		}
		s.compare(fmt.Sprintf("%s before barrier %d", name, b.epoch), s.values[:b.after], func(up *uneven) int {
			if n, ok := up.cuts[b.epoch]; ok {
				return n
			}
			return up.read
		})
	}
}

// check compares what a sink got in the end with the model, and its order along
// paths that keep it.
func (s *witness) check(name stream.VertexID, complete bool) {
	if complete {
		s.compare(string(name), s.values, func(up *uneven) int { return up.read })
	}
	last := map[string]int{}
	for _, value := range s.values {
		head, path, _ := strings.Cut(value, "/")
		number, _ := strconv.Atoi(head)
		flow := fmt.Sprint(number/perSource, path)
		switch s.order(path) {
		case OrderKey:
			key := number % perSource % keysPerSource
			if flow = fmt.Sprint(flow, " key ", key); key == 0 {
				continue
			}
		case OrderNone:
			continue
		}
		if hash("fail", s.name, value)%11 == 0 {
			continue // may have been rejected at first
		}
		if before, ok := last[flow]; ok && before >= number {
			s.Errorf("%s got %s after %d", name, value, before)
		}
		last[flow] = number
	}
}

// order returns the order that every vertex of a path keeps.
func (s *witness) order(path string) Order {
	order := OrderInput
	if strings.Contains(path, "!") {
		return OrderNone
	}
	for _, v := range s.graph.Vertices {
		if v.Transform == nil || !strings.Contains(path, string(v.Name)+".") {
			continue
		}
		switch {
		case v.Order == OrderKey:
			order = OrderKey
		case v.Order == OrderNone && (s.transforms[v.Name].workers > 1 || v.Retry.Attempts > 1):
			return OrderNone
		}
	}
	return order
}

// compare says what is missing from, or too much in, what a sink got of the
// first records of each source. Where records are dropped some may be missing.
func (s *witness) compare(what string, got []string, first func(*uneven) int) {
	count := map[string]int{}
	for _, up := range s.sources {
		for n := up.first; n < up.first+first(up); n++ {
			for _, d := range s.model[n] {
				if s.sinks[d.sink] == s {
					count[d.value]--
				}
			}
		}
	}
	for _, v := range got {
		count[v]++
	}
	lost, extra := 0, 0
	for _, n := range count {
		lost, extra = lost+max(0, -n), extra+max(0, n)
	}
	if lost+extra > 0 && (extra > 0 || !s.lossy) {
		s.Errorf("%s: %d records lost, %d too many, of %d", what, lost, extra, len(got))
	}
}
