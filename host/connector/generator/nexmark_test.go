package generator_test

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/connector/generator"
	"github.com/wasmill/wasmill/host/stream"
)

// event is any Nexmark event: the schema, as a reader would have it.
type event struct {
	Type                                          string
	ID, Auction, Bidder, Seller, Category, Price  *int64
	InitialBid, Reserve                           *int64
	Name, EmailAddress, CreditCard, City, State   *string
	ItemName, Description, Channel, URL, DateTime *string
	Expires, Extra                                *string

	time  int64
	bytes int
}

// events reads the first n events.
func events(t *testing.T, cfg generator.NexmarkConfig, n int64) []event {
	t.Helper()
	src := generator.NewSource(settings(func(c *generator.SourceConfig) { c.Count, c.Nexmark = n, &cfg }))
	var list []event
	var b stream.Batch
	for {
		b.Reset()
		if err := src.Read(t.Context(), &b); err == io.EOF {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		for i, r := range b.Records {
			e := event{time: r.Time, bytes: len(b.Value(i))}
			d := json.NewDecoder(bytes.NewReader(b.Value(i)))
			d.DisallowUnknownFields()
			if err := d.Decode(&e); err != nil {
				t.Fatalf("%s: %v", b.Value(i), err)
			}
			if header, ok := abi.LookupHeader(b.Headers(i), "type"); !ok || string(header) != e.Type {
				t.Fatalf("header type %q on %s", header, b.Value(i))
			}
			list = append(list, e)
		}
	}
}

func TestNexmarkEventsHaveTheFieldsOfTheirType(t *testing.T) {
	for _, e := range events(t, generator.NexmarkConfig{}, 1000) {
		var fields []bool
		switch e.Type {
		case "person":
			fields = []bool{e.ID != nil, e.Name != nil, e.EmailAddress != nil, e.CreditCard != nil, e.City != nil, e.State != nil, e.DateTime != nil, e.Extra != nil,
				e.Auction == nil, e.Seller == nil, e.Price == nil}
		case "auction":
			fields = []bool{e.ID != nil, e.ItemName != nil, e.Description != nil, e.InitialBid != nil, e.Reserve != nil, e.DateTime != nil, e.Expires != nil,
				e.Seller != nil, e.Category != nil, e.Extra != nil, e.Name == nil, e.Price == nil}
		case "bid":
			fields = []bool{e.Auction != nil, e.Bidder != nil, e.Price != nil, e.Channel != nil, e.URL != nil, e.DateTime != nil, e.Extra != nil,
				e.ID == nil, e.Name == nil, e.Seller == nil}
		}
		for i, ok := range fields {
			if !ok {
				t.Fatalf("%s: field %d is missing or too much: %+v", e.Type, i, e)
			}
		}
		if len(fields) == 0 {
			t.Fatalf("unknown type %q", e.Type)
		}
	}
}

func TestNexmarkProportionsAndIDs(t *testing.T) {
	count := map[string]int64{}
	for i, e := range events(t, generator.NexmarkConfig{}, 5000) {
		want := "bid"
		switch i % 50 {
		case 0:
			want = "person"
		case 1, 2, 3:
			want = "auction"
		}
		if e.Type != want {
			t.Fatalf("event %d is of type %s, want %s", i, e.Type, want)
		}
		if e.ID != nil && *e.ID != 1000+count[e.Type] {
			t.Fatalf("event %d: %s %d, want %d", i, e.Type, *e.ID, 1000+count[e.Type])
		}
		count[e.Type]++
	}
	if count["person"] != 100 || count["auction"] != 300 || count["bid"] != 4600 {
		t.Errorf("got %v", count)
	}
}

func TestNexmarkHotOnesAreAsHotAsAskedFor(t *testing.T) {
	list := events(t, generator.NexmarkConfig{}, 30_000)
	var bids, hotAuctions, hotBidders, auctions, hotSellers, hotChannels, named, cold float64
	persons, items := int64(0), int64(0)
	for _, e := range list {
		switch e.Type {
		case "person":
			persons++
		case "auction":
			items++
			auctions++
			if *e.Seller == 1000+(persons-1)/100*100 {
				hotSellers++
			}
			if *e.Seller < max(1000, 1000+persons-1000) || *e.Seller >= 1000+persons+10 {
				t.Fatalf("seller %d with %d persons", *e.Seller, persons)
			}
			if *e.Category < 10 || *e.Category > 14 || *e.Reserve <= *e.InitialBid {
				t.Fatalf("category %d, initial bid %d, reserve %d", *e.Category, *e.InitialBid, *e.Reserve)
			}
		case "bid":
			bids++
			if *e.Auction == 1000+(items-1)/100*100 {
				hotAuctions++
			}
			if *e.Bidder == 1000+(persons-1)/100*100+1 {
				hotBidders++
			}
			if *e.Auction < max(1000, 1000+items-1-100) || *e.Auction >= 1000+items+10 {
				t.Fatalf("auction %d with %d auctions", *e.Auction, items)
			}
			if *e.Price < 100 || *e.Price > 100_000_000 {
				t.Fatalf("price %d", *e.Price)
			}
			if !strings.HasPrefix(*e.URL, "https://www.nexmark.com/") {
				t.Fatalf("url %q", *e.URL)
			}
			if !strings.HasPrefix(*e.Channel, "channel-") {
				hotChannels++
			} else if cold++; strings.Contains(*e.URL, "&channel_id=") {
				named++
			}
		}
	}
	for _, test := range []struct {
		name      string
		got, want float64
	}{
		{"bids for the hot auction", hotAuctions / bids, 1. / 2},
		{"bids by the hot bidder", hotBidders / bids, 3. / 4},
		{"auctions by the hot seller", hotSellers / auctions, 3. / 4},
		{"bids from hot channels", hotChannels / bids, 1. / 2},
		{"other channels with an id", named / cold, 9. / 10},
	} {
		if math.Abs(test.got-test.want) > 0.03 {
			t.Errorf("%s: %.3f, want %.3f", test.name, test.got, test.want)
		}
	}
}

func TestNexmarkSizesAreRightOnAverage(t *testing.T) {
	sum, count := map[string]float64{}, map[string]float64{}
	for _, e := range events(t, generator.NexmarkConfig{}, 15_000) {
		size := 8 * map[string]int{"person": 1, "auction": 6, "bid": 4}[e.Type]
		for _, s := range []*string{e.Name, e.EmailAddress, e.CreditCard, e.City, e.State, e.ItemName, e.Description, e.Extra} {
			if s != nil {
				size += len(*s)
			}
		}
		sum[e.Type] += float64(size)
		count[e.Type]++
		if e.bytes > 1500 {
			t.Fatalf("a %s of %d bytes", e.Type, e.bytes)
		}
	}
	for name, want := range map[string]float64{"person": 200, "auction": 500, "bid": 100} {
		if got := sum[name] / count[name]; math.Abs(got-want) > want/50 {
			t.Errorf("%s: %.1f bytes on average, want %.0f", name, got, want)
		}
	}
}

func TestNexmarkEventTime(t *testing.T) {
	base := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, test := range []struct {
		name string
		cfg  generator.NexmarkConfig
		at   map[int]string
	}{
		{"by default 10,000 events share a second", generator.NexmarkConfig{},
			map[int]string{0: "2015-07-15T00:00:00.000Z", 9: "2015-07-15T00:00:00.000Z", 10: "2015-07-15T00:00:00.001Z", 10_000: "2015-07-15T00:00:01.000Z"}},
		{"base time and spacing are as asked for", generator.NexmarkConfig{BaseTime: base, EventsPerSecond: 3},
			map[int]string{0: "2026-01-02T03:04:05.000Z", 1: "2026-01-02T03:04:05.333Z", 3: "2026-01-02T03:04:06.000Z"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			list := events(t, test.cfg, 10_001)
			for i, want := range test.at {
				if got := *list[i].DateTime; got != want {
					t.Errorf("event %d is at %s, want %s", i, got, want)
				}
			}
			for i, e := range list {
				printed, err := time.Parse(time.RFC3339, *e.DateTime)
				if err != nil || printed.UnixNano() != e.time {
					t.Fatalf("event %d has time %d and dateTime %s", i, e.time, *e.DateTime)
				}
				if e.Expires != nil && *e.Expires <= *e.DateTime {
					t.Fatalf("event %d expires at %s, before %s", i, *e.Expires, *e.DateTime)
				}
			}
		})
	}
}

func TestNexmarkTypesLeaveTheOtherEventsOut(t *testing.T) {
	all := events(t, generator.NexmarkConfig{}, 1000)
	var want []event
	for _, e := range all {
		if e.Type == "auction" {
			want = append(want, e)
		}
	}
	got := events(t, generator.NexmarkConfig{Types: []string{"auction"}}, 1000)
	if len(got) != len(want) {
		t.Fatalf("got %d events, want %d", len(got), len(want))
	}
	for i := range got {
		if *got[i].ID != *want[i].ID || *got[i].Extra != *want[i].Extra {
			t.Fatalf("auction %d differs", i)
		}
	}
}
