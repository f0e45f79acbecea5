package suite

import (
	"fmt"
	"maps"
	"slices"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/stream"
)

// wants returns what test i expects at each exit, files read; nil = it does not say. Its
// error says what does not fit the pipeline.
func wants(c *config.Pipeline, s *scope, tests *config.Tests, i int) (by map[stream.VertexID][]config.Expected, err error) {
	t, at := &tests.Tests[i], fmt.Sprintf("tests[%d].", i)
	var faults []error
	for k, f := range t.Errors {
		if f.Vertex != "" && !s.inside[f.Vertex] {
			faults = append(faults, unknown(tests, fmt.Sprintf("%serrors[%d].vertex", at, k), "vertex in the test", f.Vertex, s.members(c)))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(t.State)) {
		if !s.inside[name] {
			faults = append(faults, unknown(tests, at+"state."+string(name), "vertex in the test", name, s.members(c)))
		}
	}
	if !t.Expect.Said {
		return nil, joined(faults)
	}
	by = make(map[stream.VertexID][]config.Expected)
	for _, name := range s.exits {
		by[name] = nil
	}
	fill := func(exit stream.VertexID, place string, list []config.Expected) {
		for k := range list {
			more, err := spelled(tests, fmt.Sprintf("%s[%d]", place, k), &list[k], exit == resultsName)
			by[exit] = append(by[exit], more...)
			faults = append(faults, err)
		}
	}
	switch {
	case t.Expect.By != nil:
		for _, name := range slices.Sorted(maps.Keys(t.Expect.By)) {
			if place := at + "expect." + string(name); !slices.Contains(s.exits, name) {
				faults = append(faults, unknown(tests, place, "sink, or vertex behind the part that is tested,", name, s.exits))
			} else {
				fill(name, place, t.Expect.By[name])
			}
		}
	case s.last != "":
		by[resultsName] = nil
		fill(resultsName, at+"expect", t.Expect.All)
	case len(s.exits) == 1 || len(t.Expect.All) == 0:
		if len(s.exits) > 0 {
			fill(s.exits[0], at+"expect", t.Expect.All)
		}
	default:
		faults = append(faults, &stream.Error{
			Code: stream.ConfigType, Where: tests.Where(at + "expect"), Why: fmt.Sprintf("records go to %d sinks, and it is not said to which of them these go", len(s.exits)),
			Fix: fmt.Sprintf("write a list for each, as in expect: {%s: […]}; there are %v", s.exits[0], s.exits),
		})
	}
	return by, joined(faults)
}

// members lists the vertices of the part.
func (s *scope) members(c *config.Pipeline) []stream.VertexID {
	return slices.DeleteFunc(names(c), func(v stream.VertexID) bool { return !s.inside[v] })
}

// spelled returns what an element expects: one record, or those of a file.
func spelled(tests *config.Tests, place string, e *config.Expected, tags bool) ([]config.Expected, error) {
	if e.Tag != nil && !tags {
		return nil, &stream.Error{
			Code: stream.ConfigValue, Where: tests.Where(place + ".tag"), Why: "a record has no tag any more where it went to",
			Fix: "remove it: where it goes says it. In a test of vertex: or to:, one list below expect: has the tags",
		}
	}
	if e.File == "" {
		return []config.Expected{*e}, nil
	}
	values, err := lines(tests, place, e.File)
	var all []config.Expected
	for _, v := range values {
		one, text := *e, string(v)
		one.File, one.Value = "", &text
		all = append(all, one)
	}
	return all, err
}
