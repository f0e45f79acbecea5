package suite

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/control"
	"github.com/wasmill/wasmill/host/stream"
)

// Run runs test i against the pipeline that it is about, with what its Set says already
// in it. The builder's Only and Answer are of no matter. An error is that the test cannot
// be run.
func Run(ctx context.Context, b *control.Builder, c *config.Pipeline, tests *config.Tests, i int) (none Report, _ error) {
	s, err := scopeOf(c, tests, i)
	if err != nil {
		return none, err
	}
	steps, err := moves(c, s, tests, i)
	wanted, more := wants(c, s, tests, i)
	if err := errors.Join(err, more); err != nil {
		return none, err
	}
	t := &tests.Tests[i]
	if t.Until != nil {
		steps = append(steps, move{step: step{watermark: stream.Watermark(t.Until.UnixNano())}, to: s.entries})
	}
	can := &canned{answers: t.HTTP, given: make([]bool, len(t.HTTP))}
	own := *b
	own.Answer = can.answer
	st, err := newStage(ctx, &own, c, s)
	if err != nil {
		return none, err
	}
	o, err := st.run(ctx, steps, t.Until == nil)
	if err != nil {
		return Report{Findings: []Finding{{What: "the pipeline", Why: err.Error()}}}, nil
	}
	o.unanswered = can.unanswered
	return Report{judge(t, wanted, o), o.seen()}, nil
}

// run takes all steps, and then ends time, unless it is to stop where it is.
func (st *stage) run(ctx context.Context, steps []move, toEnd bool) (*outcome, error) {
	ended := make(chan struct{})
	var failed error
	go func() {
		defer close(ended)
		failed = st.pipeline.Run(ctx, nil)
	}()
	select {
	case <-st.opened:
	case <-ended:
		return nil, failed
	}
	o := &outcome{kept: make(map[stream.VertexID][]string)}
	err := st.steps(ended, steps, toEnd, o)
	st.pipeline.Leave()
	<-ended
	if err := errors.Join(err, failed); err != nil {
		return nil, err
	}
	o.left = make(map[stream.VertexID][]Record)
	for name, c := range st.collectors {
		c.settle()
		o.left[name] = c.records
	}
	o.failures = st.failures
	return o, nil
}

func (st *stage) steps(ended <-chan struct{}, steps []move, toEnd bool, o *outcome) error {
	for i := range steps {
		if ok, err := st.give(ended, &steps[i]); !ok {
			return err
		}
	}
	if ok, err := st.rest(ended); !ok {
		return err
	}
	st.look(o)
	if !toEnd {
		return nil
	}
	for _, name := range st.entries {
		if ok, err := st.give(ended, &move{step: step{end: true}, to: []stream.VertexID{name}}); !ok {
			return err
		}
	}
	<-ended
	return nil
}

// look notes the state of all vertices. Nothing moves.
func (st *stage) look(o *outcome) {
	for _, v := range st.graph.Vertices {
		looked, ok := v.Transform.(interface {
			Look(visit func(entry []byte))
		})
		if ok {
			o.kept[v.Name] = []string{}
			looked.Look(func(entry []byte) { o.kept[v.Name] = append(o.kept[v.Name], string(entry)) })
			slices.Sort(o.kept[v.Name])
		}
	}
	for _, l := range st.pipeline.Left() {
		for _, name := range l.WaitsFor {
			o.waits = append(o.waits, fmt.Sprintf("%s waits for the side input %s, which no record of the test feeds", l.Vertex, name))
		}
	}
}
