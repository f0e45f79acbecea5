package wasm

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/wasmill/wasmill/host/stream"
)

// TestTopKIsOffByItsErrorAtMost counts more items than it has counters for, in two windows
// and in both together.
func TestTopKIsOffByItsErrorAtMost(t *testing.T) {
	tr := mustTransform(t, loaded(t, builtPlugin(t, "top-k")), Config{Vertex: "v", Params: []byte(`{"k":20,"counters":20}`)})
	often := rand.NewZipf(rand.New(rand.NewPCG(1, 2)), 1.3, 1, 99)
	var values [2][]string
	var counts [2]map[string]int
	for w := range counts {
		counts[w] = make(map[string]int)
		for range 2000 {
			item := strconv.Itoa(int(often.Uint64()) + 30*w) // some are in one window only
			values[w] = append(values[w], item)
			counts[w][item]++
		}
	}
	p := panesOf([]string{"a", "b"}, values[:])
	out := stream.Output{Batch: (&stream.BatchPool{}).New()}
	if err := tr.Add(t.Context(), p, &out); err != nil || len(out.Failures) > 0 {
		t.Fatal(err, out.Failures)
	}
	for w, got := range tops(t, tr, p) {
		got.check(t, counts[w])
	}
	p.Table[1].Key, p.Table[1].Start = p.Table[0].Key, 50
	if err := tr.Merge(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	p.Table = p.Table[:1]
	both := make(map[string]int)
	for _, c := range counts {
		for item, n := range c {
			both[item] += n
		}
	}
	tops(t, tr, p)[0].check(t, both)
}

// top is what top-k tells of a window.
type top struct {
	Key string
	Top []struct {
		Item         string
		Count, Error int
	}
}

func tops(t *testing.T, tr *Transform, p *stream.Panes) (all []top) {
	t.Helper()
	out := stream.Output{Batch: (&stream.BatchPool{}).New()}
	p.Records = nil
	if err := tr.Result(t.Context(), p, &out); err != nil {
		t.Fatal(err)
	}
	for i := range out.Records {
		var one top
		if err := json.Unmarshal(out.Value(i), &one); err != nil {
			t.Fatal(fmt.Errorf("%s: %w", out.Value(i), err))
		}
		all = append(all, one)
	}
	return all
}

// check compares with the true counts: none is below, none above by more than the error,
// the order is that of the counts, and what is not told has no more than what is told last.
func (got top) check(t *testing.T, counts map[string]int) {
	t.Helper()
	if len(got.Top) != 20 {
		t.Fatalf("%d items", len(got.Top))
	}
	last, inexact := got.Top[19].Count, 0
	told := make(map[string]bool)
	for i, c := range got.Top {
		told[c.Item] = true
		if c.Error > 0 {
			inexact++
		}
		if n := counts[c.Item]; n > c.Count || n < c.Count-c.Error {
			t.Errorf("%s has %d, told %d with error %d", c.Item, n, c.Count, c.Error)
		}
		if i > 0 && c.Count > got.Top[i-1].Count {
			t.Errorf("%s with %d comes behind %d", c.Item, c.Count, got.Top[i-1].Count)
		}
	}
	if inexact == 0 {
		t.Error("no count has an error: the test asks for too little")
	}
	for item, n := range counts {
		if !told[item] && n > last {
			t.Errorf("%s has %d and is not told, one with %d is", item, n, last)
		}
	}
}
