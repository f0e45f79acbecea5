package nexmark_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/connector/generator"
	"github.com/wasmill/wasmill/host/stream"
)

// TestThePluginAnswersAsExpected runs the pipeline and compares each query.
func TestThePluginAnswersAsExpected(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(".")); err != nil {
		t.Fatal(err)
	}
	h, err := host.Open(t.Context(), host.Options{
		Files: []string{filepath.Join(dir, "pipeline.yaml")}, Set: []string{"plugins.dir=../../plugins"},
	})
	if stream.CodeOf(err) == stream.PluginNotFound && os.Getenv("REQUIRE_GUESTS") == "" {
		t.Skip("its plugin is not built: run make plugins")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := h.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	if err := h.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	events := generated(t)
	for query, least := range map[string]int{"q0": 3600, "q1": 3600, "q2": 5, "q14": 500, "q21": 3000, "q22": 3600} {
		data, err := os.ReadFile(filepath.Join(dir, "out", query+".ndjson"))
		if err != nil {
			t.Fatal(err)
		}
		got, want := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n"), expected(query, events)
		if len(got) != len(want) || len(want) < least {
			t.Errorf("%s: %d lines, want %d and at least %d", query, len(got), len(want), least)
		}
		for i := range min(len(got), len(want)) {
			if got[i] != want[i] {
				t.Fatalf("%s, line %d:\ngot  %s\nwant %s", query, i+1, got[i], want[i])
			}
		}
	}
}

// generated returns the events of pipeline.yaml's generator.
func generated(t *testing.T) (events []string) {
	t.Helper()
	c := generator.DefaultSource()
	c.Count, c.Seed = 4000, 1
	c.Nexmark = &generator.NexmarkConfig{EventsPerSecond: 1, BaseTime: time.Date(2015, 7, 15, 6, 57, 0, 0, time.UTC)}
	s := generator.NewSource(c)
	if err := s.Open(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for {
		var b stream.Batch
		err := s.Read(t.Context(), &b)
		if errors.Is(err, io.EOF) {
			return events
		}
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.Records {
			events = append(events, string(b.Value(i)))
		}
	}
}

type bid struct {
	Type                          string
	Auction, Bidder, Price        int64
	Channel, URL, DateTime, Extra string
}

// object is a JSON object under construction, with its members in order.
type object []string

func (o object) with(name string, value any) object {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err)
	}
	return append(o, fmt.Sprintf("%q:%s", name, strings.TrimSpace(text.String())))
}

func (o object) String() string { return "{" + strings.Join(o, ",") + "}" }

// expected returns the lines that a query gives for events, computed in the plain way and
// with nothing of the plugin in it.
func expected(query string, events []string) []string {
	var lines []string
	for _, event := range events {
		var b bid
		if err := json.Unmarshal([]byte(event), &b); err != nil {
			panic(fmt.Sprintf("%s: %v", event, err))
		}
		if b.Type != "bid" {
			continue
		}
		if line, ok := answer(query, event, b); ok {
			lines = append(lines, line)
		}
	}
	return lines
}

func answer(query, event string, b bid) (line string, ok bool) {
	euros := new(big.Rat).Mul(big.NewRat(b.Price, 1), big.NewRat(908, 1000))
	price := json.RawMessage(euros.FloatString(3)) // exact: 0.908 has three digits
	ids := object{}.with("auction", b.Auction).with("bidder", b.Bidder)
	switch query {
	case "q0":
		return event, true
	case "q1":
		return ids.with("price", price).with("dateTime", b.DateTime).with("extra", b.Extra).String(), true
	case "q2":
		return object{}.with("auction", b.Auction).with("price", b.Price).String(), b.Auction%123 == 0
	case "q14":
		when, err := time.Parse(time.RFC3339, b.DateTime)
		if err != nil {
			panic(err)
		}
		bidTime := "otherTime"
		if h := when.Hour(); h >= 8 && h <= 18 {
			bidTime = "dayTime"
		} else if h <= 6 || h >= 20 {
			bidTime = "nightTime"
		}
		o := ids.with("price", price).with("bidTimeType", bidTime).with("dateTime", b.DateTime).with("extra", b.Extra)
		line = o.with("c_counts", strings.Count(b.Extra, "c")).String()
		return line, euros.Cmp(big.NewRat(1_000_000, 1)) > 0 && euros.Cmp(big.NewRat(50_000_000, 1)) < 0
	case "q21":
		id := slices.Index([]string{"apple", "google", "facebook", "baidu"}, strings.ToLower(b.Channel))
		channelID, ok := fmt.Sprint(id), true
		if id < 0 {
			u, err := url.Parse(b.URL)
			if err != nil {
				panic(err)
			}
			channelID, ok = u.Query().Get("channel_id"), u.Query().Has("channel_id")
		}
		return ids.with("price", b.Price).with("channel", b.Channel).with("channel_id", channelID).String(), ok
	case "q22":
		o := ids.with("price", b.Price).with("channel", b.Channel)
		dirs := strings.Split(b.URL, "/")
		for i, name := range []string{"dir1", "dir2", "dir3"} {
			if 3+i < len(dirs) {
				o = o.with(name, dirs[3+i])
			} else {
				o = o.with(name, nil)
			}
		}
		return o.String(), true
	}
	panic("no query " + query)
}

// Worked by hand, so that expected is tested too.
func TestExpected(t *testing.T) {
	events := []string{
		`{"type":"person","id":1000,"name":"Peter Jones"}`,
		`{"type":"bid","auction":1107,"bidder":7,"price":1101322,"channel":"Apple","url":"https://www.nexmark.com/a/b/c/item.htm?query=1","dateTime":"2015-07-15T18:59:59.999Z","extra":"accord"}`,
		`{"type":"bid","auction":1000,"bidder":8,"price":55066079,"channel":"channel-5","url":"https://www.nexmark.com/a?query=1&channel_id=9","dateTime":"2015-07-15T19:00:00.000Z","extra":""}`,
		`{"type":"bid","auction":1,"bidder":9,"price":1101321,"channel":"channel-6","url":"https://www.nexmark.com/a/b","dateTime":"2015-07-15T20:00:00.000Z","extra":"x"}`,
	}
	for query, want := range map[string][]string{
		"q0": events[1:],
		"q1": {
			`{"auction":1107,"bidder":7,"price":1000000.376,"dateTime":"2015-07-15T18:59:59.999Z","extra":"accord"}`,
			`{"auction":1000,"bidder":8,"price":49999999.732,"dateTime":"2015-07-15T19:00:00.000Z","extra":""}`,
			`{"auction":1,"bidder":9,"price":999999.468,"dateTime":"2015-07-15T20:00:00.000Z","extra":"x"}`,
		},
		"q2": {`{"auction":1107,"price":1101322}`},
		"q14": {
			`{"auction":1107,"bidder":7,"price":1000000.376,"bidTimeType":"dayTime","dateTime":"2015-07-15T18:59:59.999Z","extra":"accord","c_counts":2}`,
			`{"auction":1000,"bidder":8,"price":49999999.732,"bidTimeType":"otherTime","dateTime":"2015-07-15T19:00:00.000Z","extra":"","c_counts":0}`,
		},
		"q21": {
			`{"auction":1107,"bidder":7,"price":1101322,"channel":"Apple","channel_id":"0"}`,
			`{"auction":1000,"bidder":8,"price":55066079,"channel":"channel-5","channel_id":"9"}`,
		},
		"q22": {
			`{"auction":1107,"bidder":7,"price":1101322,"channel":"Apple","dir1":"a","dir2":"b","dir3":"c"}`,
			`{"auction":1000,"bidder":8,"price":55066079,"channel":"channel-5","dir1":"a?query=1&channel_id=9","dir2":null,"dir3":null}`,
			`{"auction":1,"bidder":9,"price":1101321,"channel":"channel-6","dir1":"a","dir2":"b","dir3":null}`,
		},
	} {
		if got := expected(query, events); !slices.Equal(got, want) {
			t.Errorf("%s:\ngot  %s\nwant %s", query, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
		}
	}
}
