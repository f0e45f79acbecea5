package control

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
)

// filling is a pipeline whose state has room for some of the keys that come, one call
// at a time so that the first ones are in it first.
const filling = `name: p
vertices:
  - {name: in, source: stdin}
  - {name: other, source: stdin}
  - {name: a, ROLE, key: {key: true}, state: {groups: 3, maxBytes: 64KiB}, concurrency: 1, batch: {maxRecords: 40}, onError: POLICY, queue: {maxRecords: 100}}
  - {name: out, sink: drop}
  - {name: dead, sink: drop}
edges:
  - {from: in, to: a}
  - {from: a, to: out}
`

// crowd is 10 keys, then 4,000 others, then the 10 again, twice.
func crowd() (records []fed) {
	few := func() {
		for k := range 10 {
			records = append(records, fed{1, fmt.Sprint("here ", k), "1"})
		}
	}
	few()
	for k := range 4000 {
		records = append(records, fed{1, fmt.Sprint("crowd ", k), "1"})
	}
	few()
	few()
	return records
}

// filled runs a pipeline until its state is full, and beyond.
func filled(t *testing.T, w *workshop, vertex, policy string) (p *pipeline.Pipeline, ears map[string]*ear, err error) {
	vertex = strings.Replace(vertex, ", concurrency: 2", "", 1)
	text := strings.NewReplacer("ROLE", vertex, "POLICY", policy).Replace(filling)
	if strings.Contains(vertex, "join") {
		text += "  - {from: other, to: a}\n"
	} else {
		text = strings.Replace(text, "  - {name: other, source: stdin}\n", "", 1)
	}
	if policy == "deadLetter" {
		text += "  - {from: a, to: dead, when: {deadLetters: true}}\n"
	} else {
		text = strings.Replace(text, "  - {name: dead, sink: drop}\n", "", 1)
	}
	_, p, ears = wired(t, w, text, map[string]*feed{"in": fedWith(40, crowd()), "other": fedWith(1, nil)})
	return p, ears, p.Run(t.Context(), nil)
}

// lost returns how many records were dropped by their error.
func lost(p *pipeline.Pipeline, vertex stream.VertexID) uint64 {
	for _, s := range p.Stats() {
		if s.Vertex == vertex {
			return s.Dropped[pipeline.DroppedError]
		}
	}
	return 0
}

// TestAFullStateCountsOnForTheKeysInIt fills the state with keys. The policy says what
// becomes of records that have no room, and those of the keys that are there go on.
func TestAFullStateCountsOnForTheKeysInIt(t *testing.T) {
	w := poisoning(t)
	for _, role := range []string{"a process guest that traps", "an aggregate guest that traps", "what is built in"} {
		for _, policy := range []string{"drop", "deadLetter"} {
			t.Run(role+", "+policy, func(t *testing.T) {
				p, ears, err := filled(t, w, roles[role], policy)
				if err != nil {
					t.Fatal(err)
				}
				got := counts(t, role, ears["out"])
				for k := range 10 {
					if key := fmt.Sprint("here ", k); got[key] != "3" {
						t.Errorf("%s was counted %q times, want 3", key, got[key])
					}
					delete(got, fmt.Sprint("here ", k))
				}
				without := int(lost(p, "a"))
				if policy == "deadLetter" {
					without = len(ears["dead"].all)
					for _, h := range ears["dead"].all {
						if h.headers["wasmill-code"] != string(stream.StateFull) || h.headers["wasmill-vertex"] != "a" || !strings.HasPrefix(h.key, "crowd ") {
							t.Fatalf("dead letter %+v", h)
						}
					}
				}
				if len(got)+without != 4000 || len(got) < 100 || without < 100 {
					t.Errorf("%d keys had room, and %d had none", len(got), without)
				}
			})
		}
	}
}

// TestAFullStateFailsTheVertexAndSaysWhatToDo is about onError: fail.
func TestAFullStateFailsTheVertexAndSaysWhatToDo(t *testing.T) {
	w := poisoning(t)
	vertices := map[string]string{"a join": "join: {inner: {left: in, right: other}}, window: {global: true}"}
	for role, vertex := range roles {
		vertices[role] = vertex
	}
	for role, vertex := range vertices {
		t.Run(role, func(t *testing.T) {
			_, _, err := filled(t, w, vertex, "fail")
			var e *stream.Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v", err)
			}
			if e.Code != stream.StateFull || !strings.Contains(e.Where, "a") || !strings.Contains(err.Error(), "state.maxBytes") || e.Fix == "" {
				t.Errorf("got %#v:\n%v", e, err)
			}
		})
	}
}

// TestAFullJoinRefusesRecordsAndPairsThoseItHas has left records fill it. Right records
// need room, too.
func TestAFullJoinRefusesRecordsAndPairsThoseItHas(t *testing.T) {
	for _, policy := range []string{"drop", "deadLetter"} {
		p, ears, err := filled(t, nil, "join: {left: {left: in, right: other}}, window: {fixed: 1m}", policy)
		if err != nil {
			t.Fatal(err)
		}
		without := int(lost(p, "a"))
		if policy == "deadLetter" {
			without = len(ears["dead"].all)
		}
		if n := len(ears["out"].all); n+without != 4030 || n < 100 || without < 100 {
			t.Errorf("%s: %d records came out alone, and %d had no room", policy, n, without)
		}
		here := 0
		for _, h := range ears["out"].all {
			if member(t, h.value, "right") != "null" {
				t.Errorf("got %s", h.value)
			}
			if strings.HasPrefix(h.key, "here ") {
				here++
			}
		}
		if here < 10 {
			t.Errorf("%d records of those that came first came out", here)
		}
	}
}
