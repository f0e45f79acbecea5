package host

import (
	"fmt"
	"slices"
	"time"

	"github.com/wasmill/wasmill/host/admin"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
)

// maxTaps is how many observe a pipeline at once.
const maxTaps = 16

// Tap observes what passes at a place of a pipeline, through all its generations. Close
// has to be called.
type Tap struct {
	seat *seat
	tap  *pipeline.Tap
}

// Tap begins to observe a pipeline. The error is a *stream.Error: there is no such
// place now, or maxTaps observe already.
func (h *Host) Tap(name string, what pipeline.Tapping) (*Tap, error) {
	var names []string
	for _, s := range h.crew.all() {
		p, _ := s.look()
		if p.Name != name {
			names = append(names, p.Name)
			continue
		}
		if err := tappable(p.Config, what); err != nil {
			return nil, err
		}
		t := &Tap{s, pipeline.NewTap(what)}
		return t, s.tap(t.tap)
	}
	return nil, &stream.Error{Code: admin.PipelineUnknown, Where: fmt.Sprintf("%.100q", name), Why: "there is no such pipeline", Fix: config.Suggest(name, names)}
}

// Take returns what passed since it was last called, and whether that is all there ever
// will be.
func (t *Tap) Take() (passed pipeline.Passed, ended bool) {
	t.seat.mu.Lock()
	ended = t.seat.over
	t.seat.mu.Unlock()
	return t.tap.Take(ended), ended
}

// Close ends the tap.
func (t *Tap) Close() { t.seat.untap(t.tap) }

// tappable says what a config has not of what is to be tapped.
func tappable(c *config.Pipeline, what pipeline.Tapping) error {
	unknown := func(kind, name string, among []string) error {
		fix := "there is none"
		if len(among) > 0 {
			fix = config.Suggest(name, among)
		}
		return &stream.Error{Code: admin.TapUnknown, Where: fmt.Sprintf("pipeline %s, %s %.100q", c.Name, kind, name), Why: "there is no such " + kind, Fix: fix}
	}
	var vertices, edges, tags []string
	for _, v := range c.Vertices {
		vertices = append(vertices, string(v.Name))
	}
	for _, e := range c.Edges {
		name := string(e.From + "->" + e.To)
		if !slices.Contains(edges, name) {
			edges = append(edges, name)
		}
		if e.From == what.Vertex && (what.To == "" || e.To == what.To) {
			tags = append(tags, e.Tags()...)
		}
	}
	edge := string(what.Vertex + "->" + what.To)
	switch {
	case what.To == "" && !slices.Contains(vertices, string(what.Vertex)):
		return unknown("vertex", string(what.Vertex), vertices)
	case what.To != "" && !slices.Contains(edges, edge):
		return unknown("edge", edge, edges)
	case what.Tag != "" && !slices.Contains(tags, what.Tag):
		return unknown("tag", what.Tag, tags)
	}
	return nil
}

// tap adds a tap to the generation that runs, and to those that follow.
func (s *seat) tap(t *pipeline.Tap) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.taps) == maxTaps {
		return &stream.Error{Code: admin.APIBusy, Where: "pipeline " + s.now.Name, Why: fmt.Sprintf("%d observe it already", maxTaps), Fix: "end one of them"}
	}
	s.taps = append(s.taps, t)
	s.now.SetTaps(s.taps)
	return nil
}

func (s *seat) untap(gone *pipeline.Tap) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taps = slices.DeleteFunc(s.taps, func(t *pipeline.Tap) bool { return t == gone })
	s.now.SetTaps(s.taps)
}

// observe lets the taps observe a generation before it moves the first record.
func (s *seat) observe(p *Pipeline) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.SetTaps(s.taps)
}

// tapper is what the API shows of the records of a host.
type tapper struct{ *Host }

// Tap implements admin.Tapper.
func (h tapper) Tap(name string, q admin.TapQuery) (admin.Tap, error) {
	what := pipeline.Tapping{Vertex: stream.VertexID(q.Vertex), Tag: q.Tag, Contains: []byte(q.Contains), Rate: q.Rate, Bytes: q.Bytes}
	shown := tapShown{vertex: q.Vertex}
	if q.From != "" {
		what.Vertex, what.To = stream.VertexID(q.From), stream.VertexID(q.To)
		shown = tapShown{edge: q.From + "->" + q.To}
	}
	if q.Key != nil {
		what.Key = append([]byte{}, *q.Key...)
	}
	var err error
	shown.Tap, err = h.Host.Tap(name, what)
	return shown, err
}

// Observe begins to observe a pipeline as the API does, with the errors of Tap.
func (h *Host) Observe(name string, q admin.TapQuery) (admin.Tap, error) {
	return tapper{h}.Tap(name, q)
}

// tapShown is a Tap as the API shows it.
type tapShown struct {
	*Tap
	vertex, edge string
}

// Take implements admin.Tap.
func (t tapShown) Take() admin.Tapped {
	got, ended := t.Tap.Take()
	out := admin.Tapped{LeftOut: got.LeftOut, Missed: got.Missed, Absent: got.Absent, Ended: ended}
	for i := range got.Records {
		s := &got.Records[i]
		r := admin.TapRecord{
			Time: time.Unix(0, s.Time).UTC(), Key: admin.TapBytes{Begin: s.Key, Size: s.KeyBytes}, Value: admin.TapBytes{Begin: s.Value, Size: s.ValueBytes},
			Tag: s.Tag, DeadLetter: s.DeadLetter, Unrouted: s.Unrouted, Vertex: t.vertex, Edge: t.edge,
		}
		if len(s.Headers) < s.HeadersBytes {
			r.HeadersBytes = s.HeadersBytes
		}
		for _, h := range s.HeaderList() {
			r.Headers = append(r.Headers, admin.TapHeader(h))
		}
		out.Records = append(out.Records, r)
	}
	return out
}
