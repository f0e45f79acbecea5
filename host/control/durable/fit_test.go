package durable

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
)

// before is what a checkpoint was taken of: in → count → out.
func before() map[stream.VertexID]Shape {
	return map[stream.VertexID]Shape{
		"in":    {Role: "source", Kind: "file"},
		"count": {Role: "udf", Kind: "count", Code: "a1", State: "by key", Concurrency: 2, From: []stream.VertexID{"in", "in"}},
		"out":   {Role: "sink", Kind: "file", From: []stream.VertexID{"count"}},
	}
}

func manifestOf(t *testing.T, shapes map[stream.VertexID]Shape) *checkpoint.Manifest {
	m := &checkpoint.Manifest{Epoch: 7}
	for v, s := range shapes {
		p := pipeline.Snapshot{High: 5, Watermark: stream.NoWatermark}
		state := checkpoint.VertexState{Vertex: v}
		switch s.Role {
		case "source":
			p.Position = stream.Position("here")
		case "udf":
			b := &stream.Batch{}
			b.Append(0, nil, nil, nil)
			p.Inputs = []*stream.Batch{b, b}
			state.Parts = []checkpoint.PartState{{Table: inputsTable, Entries: 2, Bytes: 9}, {Table: "values", Entries: 40, Bytes: 400}}
		case "sink":
			state.Commit = []byte("c")
		}
		var err error
		if state.Meta, err = json.Marshal(metaOf(&s, &p)); err != nil {
			t.Fatal(err)
		}
		m.Vertices = append(m.Vertices, state)
	}
	return m
}

func TestWhatFitsIsKeptAndWhatDoesNotIsNamed(t *testing.T) {
	change := func(v stream.VertexID, f func(s *Shape)) func(map[stream.VertexID]Shape) {
		return func(all map[stream.VertexID]Shape) { s := all[v]; f(&s); all[v] = s }
	}
	tests := map[string]struct {
		change func(map[stream.VertexID]Shape)
		want   []string // findings; ! for what is dropped
		fits   string   // position, state, commit and ports of in, count and out
	}{
		"nothing":                            {func(map[stream.VertexID]Shape) {}, nil, "psc[] psc[0 1] psc[0]"},
		"another concurrency":                {change("count", func(s *Shape) { s.Concurrency = 9 }), []string{"count: its concurrency was 2 and is 9"}, "psc[] psc[0 1] psc[0]"},
		"another version of a plugin":        {change("count", func(s *Shape) { s.Code = "b2" }), []string{"count: its plugin count is another version"}, "psc[] psc[0 1] psc[0]"},
		"another plugin with the same state": {change("count", func(s *Shape) { s.Kind, s.Code = "tally", "b2" }), []string{"count: it was udf count and is udf tally"}, "psc[] s[0 1] psc[0]"},
		"another state": {change("count", func(s *Shape) { s.State = "by name" }),
			[]string{"!count: its state was of by key and would be of by name, which drops 40 entries of state (400 bytes)"}, "psc[] pc[0 1] psc[0]"},
		"a vertex that is gone": {func(all map[stream.VertexID]Shape) { delete(all, "count") },
			[]string{"!count: there is no such vertex any more, which drops 40 entries of state (400 bytes), 2 records in flight"}, "psc[] [] psc[0]"},
		"a vertex that is new": {func(all map[stream.VertexID]Shape) { all["more"] = Shape{Role: "udf"} }, []string{"more: it is not in the checkpoint and starts with nothing"}, "psc[] psc[0 1] psc[0]"},
		"another source":       {change("in", func(s *Shape) { s.Kind = "kafka" }), []string{"!in: it was source file and is source kafka, which drops where its source stood"}, "s[] psc[0 1] psc[0]"},
		"another sink":         {change("out", func(s *Shape) { s.Kind = "stdout" }), []string{"!out: it was sink file and is sink stdout, which drops output that is not committed yet"}, "psc[] psc[0 1] s[0]"},
		"another role":         {change("out", func(s *Shape) { s.Role = "udf" }), []string{"!out: it was sink file and is udf file, which drops output that is not committed yet"}, "psc[] psc[0 1] []"},
		"an edge that is gone": {change("count", func(s *Shape) { s.From = []stream.VertexID{"new", "in"} }),
			[]string{"!count: there is no edge from in any more, which drops what came by it of 2 records in flight"}, "psc[] psc[1 -1] psc[0]"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			now := before()
			test.change(now)
			fits, found, err := compare(manifestOf(t, before()), false, now)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range found {
				text := fmt.Sprintf("%s: %s", f.Vertex, f.What)
				if f.Dropped {
					text = "!" + text
				}
				got = append(got, text)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("found\n%s", strings.Join(got, "\n"))
			}
			var all []string
			for _, v := range []stream.VertexID{"in", "count", "out"} {
				f, text := fits[v], ""
				for _, is := range []struct {
					yes  bool
					text string
				}{{f.position, "p"}, {f.state, "s"}, {f.commit, "c"}} {
					if is.yes {
						text += is.text
					}
				}
				all = append(all, fmt.Sprint(text, f.ports))
			}
			if fits := strings.Join(all, " "); fits != test.fits {
				t.Errorf("fits %s", fits)
			}
			if dropped := strings.Contains(strings.Join(test.want, " "), "drops"); dropped != (refuse("p", 7, found) != nil) {
				t.Errorf("refused: %v", refuse("p", 7, found))
			}
		})
	}
}

func TestMemoryBelongsToItsCode(t *testing.T) {
	was, is := before(), before()
	s := was["count"]
	s.Bound = true
	was["count"] = s
	s.Code = "b2"
	is["count"] = s
	_, found, err := compare(manifestOf(t, was), false, is)
	if err != nil || len(found) != 1 || !found[0].Dropped || !strings.Contains(found[0].What, "the memory of another version") {
		t.Errorf("found %+v, %v", found, err)
	}
}

func TestOutputThatIsCommittedIsNotLost(t *testing.T) {
	is := before()
	delete(is, "out")
	_, found, err := compare(manifestOf(t, before()), true, is)
	if err != nil || len(found) != 1 || found[0].Dropped {
		t.Errorf("found %+v, %v", found, err)
	}
}

func TestMetaReadsBack(t *testing.T) {
	for _, at := range []int64{int64(none), int64(none) + 1, -1, 0, 1, 1234567890123456789, int64(theEnd) - 1, int64(theEnd)} {
		s := Shape{Role: "source", Kind: "file"}
		data, err := json.Marshal(metaOf(&s, &pipeline.Snapshot{Position: []byte{0, 1}, High: at, Watermark: stream.Watermark(at)}))
		if err != nil {
			t.Fatal(err)
		}
		m, err := decodeMeta("v", data)
		if err != nil || int64(m.High) != at || int64(m.Watermark) != at || string(m.Position) != "\x00\x01" {
			t.Errorf("%d is %+v by %s, %v", at, m, data, err)
		}
	}
	for _, text := range []string{`{`, `{"latest":"never"}`, `{"watermark":"9999-01-01T00:00:00Z"}`, `[]`} {
		if _, err := decodeMeta("v", json.RawMessage(text)); stream.CodeOf(err) != stream.StateCorrupt {
			t.Errorf("%s is %v", text, err)
		}
	}
}
