package nexmark_test

import (
	"encoding/json"
	"errors"
	"io"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/connector/generator"
	"github.com/wasmill/wasmill/host/stream"
)

// base is the event time of the first event, in ns.
var base = moment(generator.DefaultBaseTime)

// event is what the queries read of an event, and the event as it is. Fields that
// its type has not are zero.
type event struct {
	kind                                                  string
	id, auction, bidder, seller, category, price, expires int64
	state, channel                                        string
	line                                                  string
}

// list is events in the order of the stream, and when they happened, in ns.
type list struct {
	events []event
	at     []int64
}

// retimed returns the same events at other times.
func (l list) retimed(at func(i int) int64) list {
	times := make([]int64, len(l.at))
	for i := range times {
		times[i] = at(i)
	}
	return list{l.events, times}
}

// parse reads lines of JSON.
func parse(lines []string) list {
	l := list{make([]event, len(lines)), make([]int64, len(lines))}
	part := len(lines)/runtime.GOMAXPROCS(0) + 1
	var wg sync.WaitGroup
	for from := 0; from < len(lines); from += part {
		wg.Go(func() {
			for i := from; i < min(from+part, len(lines)); i++ {
				l.events[i], l.at[i] = parsed(lines[i])
			}
		})
	}
	wg.Wait()
	return l
}

func parsed(line string) (event, int64) {
	var e struct {
		Type                                         string
		ID, Auction, Bidder, Seller, Category, Price int64
		State, Channel, DateTime, Expires            string
	}
	if err := json.Unmarshal([]byte(line), &e); err != nil {
		panic(line + ": " + err.Error())
	}
	out := event{e.Type, e.ID, e.Auction, e.Bidder, e.Seller, e.Category, e.Price, 0, e.State, e.Channel, line}
	if e.Expires != "" {
		out.expires = moment(e.Expires)
	}
	return out, moment(e.DateTime)
}

func moment(text string) int64 {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t.UnixNano()
}

// generated returns the first n events that the pipelines' generators make.
func generated(t *testing.T, n int) []string {
	t.Helper()
	c := generator.DefaultSource()
	c.Count, c.Seed, c.Nexmark = int64(n), 1, &generator.NexmarkConfig{}
	s := generator.NewSource(c)
	if err := s.Open(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	lines := make([]string, 0, n)
	for {
		var b stream.Batch
		err := s.Read(t.Context(), &b)
		if errors.Is(err, io.EOF) {
			return lines
		}
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.Records {
			lines = append(lines, string(b.Value(i)))
		}
	}
}
