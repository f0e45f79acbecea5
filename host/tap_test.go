package host

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/admin"
	"github.com/wasmill/wasmill/host/control/durable"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
)

// tapOf begins to follow a tap of pipeline p, and calls each with what comes until it
// returns false.
func (e *edited) tapOf(query string, each func(event, data string) bool) {
	e.Helper()
	c := &checkpointed{T: e.T, Host: e.Host}
	r := c.api("GET", "/api/v1/pipelines/p/tap?"+query, "", nil)
	defer r.Body.Close()
	if r.StatusCode != 200 {
		e.Fatalf("%s: %s", query, r.Status)
	}
	event := ""
	lines := bufio.NewScanner(r.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			event = name
		}
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok && !each(event, data) {
			return
		}
	}
}

// TestATapOfABusyPipelineThroughGenerations has three taps while the file changes the
// graph: one that reads all, one that reads nothing, and one with a low rate. The
// pipeline copies each record once all the same.
func TestATapOfABusyPipelineThroughGenerations(t *testing.T) {
	e := openEdited(t, func(e *edited) { e.write(e.text("100ms", "", ""), false) })
	c := &checkpointed{T: t, Host: e.Host}
	unread := c.api("GET", "/api/v1/pipelines/p/tap?vertex=orders&rate=10000&bytes=65536", "", nil)
	defer unread.Body.Close()
	slow, began := make(chan [3]uint64, 1), time.Now()
	go func() {
		var n [3]uint64 // records, left out, missed
		e.tapOf("vertex=orders&rate=10", func(event, data string) bool { n = counted(n, event, data); return event != "end" })
		slow <- n
	}()
	var records, after, first int
	var passed [3]uint64
	var moved bool
	ended := ""
	e.tapOf("edge="+url.QueryEscape("orders->copy")+"&rate=10000", func(event, data string) bool {
		var r struct{ Value, Edge string }
		passed = counted(passed, event, data)
		switch event {
		case "record":
			if records++; json.Unmarshal([]byte(data), &r) != nil || r.Edge != "orders->copy" || !strings.HasPrefix(r.Value, `{"order":`) {
				t.Errorf("got %s", data)
			}
			if records == 1 {
				if _, err := fmt.Sscanf(r.Value, `{"order":%d,`, &first); err != nil {
					t.Error(err)
				}
			}
			if after > 0 || moved && records%100 == 0 && e.config().Revision == 2 {
				if after++; after == 100 {
					e.hurry()
				}
			}
		case "end":
			ended = data
			return false
		}
		if records > 0 && !moved {
			moved = true
			e.write(strings.Replace(e.text("100ms", "", "  - {from: orders, to: extra}\n"), "edges:", "  - {name: extra, sink: drop}\nedges:", 1), true)
		}
		return true
	})
	if after < 100 || ended != `{"why":"pipeline"}` {
		t.Errorf("%d records came, %d of them from the second generation; at the end %s", records, after, ended)
	}
	if n := passed[0] + passed[1] + passed[2]; n < uint64(orders-first) || n > orders {
		t.Errorf("%d are accounted for, the first of them order %d", n, first)
	}
	if n := <-slow; n[0] == 0 || n[0] > 75+10*uint64(time.Since(began).Seconds()) || n[1] < 10*n[0] || n[0]+n[1]+n[2] > 2*orders {
		t.Errorf("with a rate of 10/s %d came, %d were left out, %d missed", n[0], n[1], n[2])
	}
	e.complete()
}

func counted(n [3]uint64, event, data string) [3]uint64 {
	var m struct {
		Missed  uint64
		LeftOut uint64 `json:"left_out"`
	}
	switch event {
	case "record":
		n[0]++
	case "missed":
		if json.Unmarshal([]byte(data), &m) == nil {
			n[1], n[2] = n[1]+m.LeftOut, n[2]+m.Missed
		}
	}
	return n
}

func TestWhatATapIsRefusedFor(t *testing.T) {
	e := openEdited(t, func(e *edited) { e.write(e.text("0s", "", ""), false) })
	for name, test := range map[string]struct {
		pipeline string
		what     pipeline.Tapping
		code     stream.Code
		fix      string
	}{
		"a pipeline":                    {"q", pipeline.Tapping{Vertex: "orders"}, admin.PipelineUnknown, "there is only p"},
		"a vertex that is nearly there": {"p", pipeline.Tapping{Vertex: "order"}, admin.TapUnknown, "did you mean orders?"},
		"a vertex":                      {"p", pipeline.Tapping{Vertex: "x"}, admin.TapUnknown, "there are orders, per-user, copy, totals"},
		"an edge":                       {"p", pipeline.Tapping{Vertex: "orders", To: "total"}, admin.TapUnknown, "there are orders->copy, orders->per-user, per-user->totals"},
		"an edge that is nearly there":  {"p", pipeline.Tapping{Vertex: "per-user", To: "total"}, admin.TapUnknown, "did you mean per-user->totals?"},
		"a tag":                         {"p", pipeline.Tapping{Vertex: "orders", Tag: "t"}, admin.TapUnknown, "there is none"},
	} {
		test.what.Rate, test.what.Bytes = 1, 1
		_, err := e.Tap(test.pipeline, test.what)
		if f, ok := err.(*stream.Error); !ok || f.Code != test.code || f.Fix != test.fix || stream.ExitCode(err) != stream.ExitInput {
			t.Errorf("%s: %v", name, err)
		}
	}
	var taps []*Tap
	for range maxTaps {
		tap, err := e.Tap("p", pipeline.Tapping{Vertex: "orders", Rate: 1, Bytes: 1})
		if err != nil {
			t.Fatal(err)
		}
		taps = append(taps, tap)
	}
	if _, err := e.Tap("p", pipeline.Tapping{Vertex: "orders", Rate: 1, Bytes: 1}); stream.CodeOf(err) != admin.APIBusy {
		t.Errorf("one more: %v", err)
	}
	for _, tap := range taps {
		tap.Close()
	}
	if n := len(e.crew.all()[0].taps); n != 0 {
		t.Errorf("%d are left", n)
	}
}

// TestATapIsSetToTheGenerationThatTakesTheSeat begins to tap before another generation
// is set, which need not be the one that was to follow.
func TestATapIsSetToTheGenerationThatTakesTheSeat(t *testing.T) {
	h, err := openSmall(t, func() error { return nil }, "admin.listen=off")
	if err != nil {
		t.Fatal(err)
	}
	tap, err := h.Tap("p", pipeline.Tapping{Vertex: "in", To: "f", Rate: 1000, Bytes: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer tap.Close()
	before := h.Pipelines()[0]
	next, err := h.build(t.Context(), before.Config, before.File, durable.Start{}, desired(before.Config), nil)
	if err != nil {
		t.Fatal(err)
	}
	h.crew.all()[0].set(next)
	if err := errors.Join(before.Discard(t.Context()), h.Run(t.Context())); err != nil {
		t.Fatal(err)
	}
	n := 0
	for range 100 { // looks, of which one is behind the time of the sample
		got, ended := tap.Take()
		if n += len(got.Records); !ended || got.Absent || got.LeftOut+got.Missed > 0 {
			t.Fatalf("%+v after %d, ended: %v", got, n, ended)
		}
		if n == 10 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("it saw %d records", n)
}
