package pipeline

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/stream"
)

// A value is a number and the steps that it took: "17/x0.1/!x3/x4.0" is what
// became of number 17: result 1 of x0, which was a dead letter of x3, and is
// result 0 of x4. Dead letters do not have their steps in them, but in headers.

// delivery is that a sink gets a value.
type delivery struct {
	sink  stream.VertexID
	value string
}

// result is what a vertex makes of a value.
type result struct {
	value string
	tag   stream.Tag
}

// fate is what happens to a value at a vertex.
type fate int

const (
	passes fate = iota
	dropped
	deadLetter
)

// fails says which values fail at a vertex: some always, and some as often as
// attempts allow.
type fails struct {
	name     string
	onError  OnError
	always   bool
	attempts int

	mu    sync.Mutex
	tries map[string]int // guarded by mu
}

func hash(parts ...string) int {
	h := fnv.New32a()
	for _, p := range parts {
		h.Write([]byte(p))
	}
	return int(h.Sum32() >> 4)
}

func (f *fails) fate(value string) fate {
	switch {
	case !f.always || hash("fate", f.name, value)%13 != 0:
		return passes
	case f.onError == OnErrorDrop:
		return dropped
	}
	return deadLetter
}

// fail says whether a value fails this time, and whether the call does with it.
func (f *fails) fail(value string) (fails, trap bool) {
	h := hash("fail", f.name, value)
	if f.fate(value) != passes {
		return true, h%2 == 0
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if h%11 != 0 || f.tries[value] >= 1+h/11%4 || f.tries[value] >= f.attempts-1 {
		return false, false
	}
	f.tries[value]++
	return true, h%2 == 0
}

// step returns what leaves a vertex for a value that comes.
func (w *world) step(to stream.VertexID, value string) (fate fate, results []result) {
	f, transform := &fails{}, w.transforms[to]
	if transform != nil {
		f = &transform.fails
	} else if s := w.sinks[to]; s != nil {
		f = &s.fails
	}
	switch fate = f.fate(value); {
	case fate == deadLetter:
		return fate, []result{{fmt.Sprintf("%s/!%s", value, to), w.graph.Tags.DeadLetter()}}
	case fate == passes && transform != nil:
		return fate, transform.results(value)
	}
	return fate, nil
}

// takes says whether an edge takes a tag.
func (w *world) takes(e Edge, tag stream.Tag) bool {
	switch {
	case e.DeadLetters:
		return tag == w.graph.Tags.DeadLetter()
	case len(e.Tags) == 0:
		return tag == stream.Untagged
	}
	return slices.ContainsFunc(e.Tags, func(name string) bool { return w.graph.Tags.Tag([]byte(name)) == tag })
}

// trace is the model: what becomes of a number that a source reads.
func (w *world) trace(s *uneven, value string, got func(delivery)) {
	switch s.fails.fate(value) {
	case passes:
		w.follow(s.name, result{value, stream.Untagged}, got)
	case deadLetter:
		w.follow(s.name, result{fmt.Sprintf("%s/!%s", value, s.name), w.graph.Tags.DeadLetter()}, got)
	}
}

// follow goes on from a value that leaves a vertex.
func (w *world) follow(from stream.VertexID, r result, got func(delivery)) {
	for _, e := range w.graph.Edges {
		if e.From != from || !w.takes(e, r.tag) {
			continue
		}
		fate, results := w.step(e.To, r.value)
		if w.sinks[e.To] != nil && fate == passes {
			got(delivery{e.To, r.value})
		}
		for _, next := range results {
			w.follow(e.To, next, got)
		}
	}
}

// valueOf returns a value with its steps as a dead letter.
func valueOf(b *stream.Batch, i int) string {
	value := string(b.Value(i))
	for rest := b.Headers(i); ; {
		var name, content []byte
		var ok bool
		if name, content, rest, ok = abi.NextHeader(rest); !ok {
			return value
		}
		if string(name) == HeaderVertex {
			value += "/!" + string(content)
		}
	}
}

// parse splits a value into its number and its last step: what sent it.
func parse(value string) (number int, from string) {
	steps := strings.Split(value, "/")
	number, _ = strconv.Atoi(steps[0])
	if from, _, _ = strings.Cut(steps[len(steps)-1], "."); len(steps) == 1 {
		from = fmt.Sprint("s", number/perSource)
	}
	return number, from
}
