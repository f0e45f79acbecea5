package wasm

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/fnv"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/stream"
)

// errPartly is why a call of a plugin with state is made again record by record: some of
// them are in error, so that what was written for the others does not count yet.
var errPartly = errors.New("some records are in error")

// subject is a version in a trial: one instance at a time, without effects.
type subject struct {
	plugin *Plugin
	vertex *vertex
	state  scratch
	now    *instance // nil = the next call starts one
}

// newSubject makes one of a version with these side inputs.
func newSubject(t *Transform, sides []side) *subject {
	c := t.vertex.Config
	c.Events = stream.Events{}
	v := &vertex{Config: c, seed: t.vertex.seed, awake: true} // its http denies all
	v.sides.set.Store(&sides)
	return &subject{plugin: t.plugin, vertex: v}
}

// answer is what a record was answered with.
type answer struct {
	digest uint64 // of all that was emitted for it, in order
	failed bool
	reason string
}

// call makes a call, whose batch is the subject's, with records that have their index as
// Seq. After an error nothing of it has an effect on later ones.
func (s *subject) call(ctx context.Context, in *stream.Batch) ([]answer, error) {
	if s.now == nil {
		i, err := (&employer{plugin: s.plugin, vertex: s.vertex}).start(ctx)
		if err != nil {
			return nil, err
		}
		s.now = i
	}
	var session Session
	s.state.begin(in)
	if s.plugin.Description.Kind == abi.KindProcess {
		session = &s.state
	}
	records := in.Len()
	out := stream.Output{Batch: &stream.Batch{}}
	if err := s.now.call(ctx, session, in, &out); err != nil {
		s.state.rollback()
		s.close()
		return nil, err
	}
	if session != nil && len(out.Failures) > 0 {
		s.state.rollback()
		if records > 1 {
			return nil, errPartly
		}
	}
	return answers(records, &out), nil
}

// close ends the instance. Its memory is that of a guest: what goes wrong with freeing it
// concerns nobody.
func (s *subject) close() {
	if s.now != nil {
		_ = s.now.close(context.Background())
		s.now = nil
	}
}

// answers sorts what a call put out by its records.
func answers(records int, out *stream.Output) []answer {
	all := make([]answer, records)
	for k := range out.Records {
		r := &out.Records[k]
		h := fnv.New64a()
		var n [8]byte
		word := func(u uint64) {
			binary.LittleEndian.PutUint64(n[:], u)
			h.Write(n[:])
		}
		word(all[r.Seq].digest)
		word(uint64(r.Time))
		word(uint64(r.Tag))
		for _, s := range []stream.Span{r.Key, r.Value, r.Headers} {
			word(uint64(s.Len))
			h.Write(out.Of(s))
		}
		all[r.Seq].digest = h.Sum64()
	}
	for _, f := range out.Failures {
		all[f.Input].failed, all[f.Input].reason = true, f.Reason
	}
	return all
}
