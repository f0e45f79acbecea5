package generator_test

import (
	"context"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/host/connector/connectortest"
	"github.com/wasmill/wasmill/host/connector/generator"
	"github.com/wasmill/wasmill/host/stream"
)

func settings(change func(*generator.SourceConfig)) generator.SourceConfig {
	cfg := generator.DefaultSource()
	change(&cfg)
	return cfg
}

// values reads a source to its end, or n records of one without.
func values(t *testing.T, cfg generator.SourceConfig, n int) []string {
	t.Helper()
	src := generator.NewSource(cfg)
	if err := src.Open(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	var got []string
	var b stream.Batch
	for len(got) < n {
		b.Reset()
		if err := src.Read(t.Context(), &b); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		for i := range b.Len() {
			got = append(got, string(b.Value(i)))
		}
	}
	return got
}

func TestConformance(t *testing.T) {
	for _, test := range []struct {
		name string
		cfg  generator.SourceConfig
	}{
		{"records of one size", settings(func(c *generator.SourceConfig) { c.Count, c.BatchRecords = 100, 7 })},
		{"records of a template", settings(func(c *generator.SourceConfig) {
			c.Count, c.BatchRecords, c.Template = 100, 7, "{{seq}} {{rand 1000}} {{pick a b}}"
		})},
		{"nexmark events", settings(func(c *generator.SourceConfig) {
			c.Count, c.BatchRecords, c.Nexmark = 200, 7, &generator.NexmarkConfig{}
		})},
		{"nexmark events of some types", settings(func(c *generator.SourceConfig) {
			c.Count, c.BatchRecords, c.Nexmark = 200, 7, &generator.NexmarkConfig{Types: []string{"person", "auction"}}
		})},
	} {
		t.Run(test.name, func(t *testing.T) {
			// Cut into batches of another size, the records must be the same.
			whole := test.cfg
			whole.BatchRecords = 1000
			connectortest.TestSource(t, connectortest.Source{
				New:  func(*testing.T) stream.Source { return generator.NewSource(test.cfg) },
				Want: values(t, whole, 1000),
			})
		})
	}
}

func TestSizes(t *testing.T) {
	for _, test := range []struct {
		name  string
		size  int
		first string
		third string
	}{
		{"an empty value", 0, "", ""},
		{"a number with its last digit alone", 1, "0", "2"},
		{"a number that fills the value", 20, "00000000000000000000", "00000000000000000002"},
		{"a number and a gap", 21, "00000000000000000000 ", "00000000000000000002 "},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := values(t, settings(func(c *generator.SourceConfig) { c.Count, c.Size = 3, test.size }), 3)
			if got[0] != test.first || got[2] != test.third {
				t.Errorf("got %q and %q", got[0], got[2])
			}
		})
	}
}

func TestSequenceNumbersCarry(t *testing.T) {
	got := values(t, settings(func(c *generator.SourceConfig) { c.Count = 1234 }), 1234)
	for i, value := range got {
		number, filler, _ := strings.Cut(value, " ")
		if n, err := strconv.Atoi(number); err != nil || n != i || len(value) != 128 || filler != got[0][21:] {
			t.Fatalf("record %d is %q", i, value)
		}
	}
}

func TestTemplate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // time stands still: midnight of 2000-01-01
		got := values(t, settings(func(c *generator.SourceConfig) {
			c.Count, c.Template = 500, `{"n":{{seq}},"r":{{rand 10}},"t":"{{time}}","c":"{{pick red green}}"} }}`
		}), 500)
		seen := map[string]int{}
		for i, value := range got {
			var v struct {
				N, R int
				T, C string
			}
			if err := json.Unmarshal([]byte(strings.TrimSuffix(value, " }}")), &v); err != nil {
				t.Fatalf("%q: %v", value, err)
			}
			if v.N != i || v.R < 0 || v.R > 9 || v.T != "2000-01-01T00:00:00Z" {
				t.Fatalf("record %d is %q", i, value)
			}
			seen[strconv.Itoa(v.R)]++
			seen[v.C]++
		}
		for i := range 10 {
			if seen[strconv.Itoa(i)] == 0 {
				t.Errorf("{{rand 10}} never gave %d", i)
			}
		}
		if seen["red"] < 200 || seen["green"] < 200 || len(seen) != 12 {
			t.Errorf("picked and drew %v", seen)
		}
	})
}

func TestAnotherSeedGivesOtherRecords(t *testing.T) {
	for _, cfg := range []generator.SourceConfig{
		settings(func(c *generator.SourceConfig) { c.Count = 60 }),
		settings(func(c *generator.SourceConfig) { c.Count, c.Template = 60, "{{rand 1000000000}}" }),
		settings(func(c *generator.SourceConfig) { c.Count, c.Nexmark = 60, &generator.NexmarkConfig{} }),
	} {
		one := values(t, cfg, 60)
		cfg.Seed = 1
		for i, value := range values(t, cfg, 60) {
			if value == one[i] {
				t.Errorf("record %d is %q with both seeds", i, value)
			}
		}
	}
}

// given is what one Read of a paced source gave, and when.
type given struct {
	at      time.Duration
	records int
}

func paced(t *testing.T, rate float64, reads int, before func(read int)) []given {
	src := generator.NewSource(settings(func(c *generator.SourceConfig) { c.Rate, c.BatchRecords = rate, 1000 }))
	if err := src.Open(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	var got []given
	var b stream.Batch
	for i := range reads {
		before(i)
		b.Reset()
		if err := src.Read(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		got = append(got, given{time.Since(start), b.Len()})
	}
	return got
}

func TestPace(t *testing.T) {
	const ms = time.Millisecond
	for _, test := range []struct {
		name   string
		rate   float64
		delays map[int]time.Duration // before a read
		want   []given
	}{
		{
			name: "a record is given out when it is due, and alone",
			rate: 1000,
			want: []given{{0, 1}, {1 * ms, 1}, {2 * ms, 1}, {3 * ms, 1}},
		},
		{
			name:   "what became due meanwhile comes at once, and the pace stays",
			rate:   1000,
			delays: map[int]time.Duration{2: 5*ms + 500*time.Microsecond},
			want:   []given{{0, 1}, {1 * ms, 1}, {6*ms + 500*time.Microsecond, 5}, {7 * ms, 1}},
		},
		{
			name: "a rate that divides nothing does not drift",
			rate: 3,
			want: []given{{0, 1}, {333333334, 1}, {666666667, 1}, {1000 * ms, 1}},
		},
		{
			name: "a rate below one is possible",
			rate: 0.1,
			want: []given{{0, 1}, {10_000 * ms, 1}},
		},
		{
			name:   "a long pause is not made up for",
			rate:   10,
			delays: map[int]time.Duration{1: time.Hour},
			want:   []given{{0, 1}, {time.Hour, 1}, {time.Hour + 100*ms, 1}},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := paced(t, test.rate, len(test.want), func(read int) { time.Sleep(test.delays[read]) })
				for i, want := range test.want {
					if got[i] != want {
						t.Errorf("read %d gave %d records after %v, want %d after %v", i, got[i].records, got[i].at, want.records, want.at)
					}
				}
			})
		})
	}
}

func TestPacedSourceStopsWhileItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := generator.NewSource(settings(func(c *generator.SourceConfig) { c.Rate = 0.001 }))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var b stream.Batch
		if err := src.Read(ctx, &b); err != nil {
			t.Fatal(err)
		}
		b.Reset()
		if err := src.Read(ctx, &b); err != context.DeadlineExceeded || b.Len() != 0 {
			t.Errorf("got %d records, %v", b.Len(), err)
		}
	})
}

func TestLocate(t *testing.T) {
	bids := settings(func(c *generator.SourceConfig) { c.Nexmark = &generator.NexmarkConfig{Types: []string{"bid"}} })
	for _, test := range []struct {
		name     string
		cfg      generator.SourceConfig
		position string
		back     int
		want     string
	}{
		{"the last record has the number before the position", generator.DefaultSource(), `{"next":10}`, 0, "record 9"},
		{"records back are counted down", generator.DefaultSource(), `{"next":10}`, 9, "record 0"},
		{"before the first there is none", generator.DefaultSource(), `{"next":10}`, 10, "generator"},
		{"events that were left out do not count", bids, `{"next":55}`, 1, "record 49"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := generator.NewSource(test.cfg).Locate(stream.Position(test.position), test.back); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestRecordsCostNoAllocation(t *testing.T) {
	for name, cfg := range benchmarks() {
		src := generator.NewSource(cfg)
		var b stream.Batch
		read := func() {
			b.Reset()
			if err := src.Read(t.Context(), &b); err != nil {
				t.Fatal(err)
			}
		}
		read()
		read()
		if n := testing.AllocsPerRun(50, read); n > 1 { // an arena may still grow a little
			t.Errorf("%s: %v allocations in a batch", name, n)
		}
	}
}

func benchmarks() map[string]generator.SourceConfig {
	return map[string]generator.SourceConfig{
		"size=128": generator.DefaultSource(),
		"template": settings(func(c *generator.SourceConfig) { c.Template = `{"n":{{seq}},"v":{{rand 1000}},"c":"{{pick a b c}}"}` }),
		"nexmark":  settings(func(c *generator.SourceConfig) { c.Nexmark = &generator.NexmarkConfig{} }),
	}
}

func BenchmarkRead(b *testing.B) {
	for name, cfg := range benchmarks() {
		b.Run(name, func(b *testing.B) {
			src := generator.NewSource(cfg)
			var batch stream.Batch
			b.ReportAllocs()
			var size int64
			records := 0
			for records < b.N {
				batch.Reset()
				if err := src.Read(b.Context(), &batch); err != nil {
					b.Fatal(err)
				}
				records += batch.Len()
				size += int64(batch.Bytes())
			}
			b.SetBytes(size / int64(records))
		})
	}
}

func FuzzPosition(f *testing.F) {
	f.Add([]byte(`{"next":12}`))
	f.Add([]byte(`{"next":18446744073709551615}`))
	f.Add([]byte(`{"next":9223372036854775808}`))
	f.Fuzz(func(t *testing.T, p []byte) {
		src := generator.NewSource(settings(func(c *generator.SourceConfig) {
			c.Nexmark, c.BatchRecords = &generator.NexmarkConfig{}, 60
		}))
		if src.Open(t.Context(), p) != nil {
			return
		}
		again := generator.NewSource(generator.DefaultSource())
		if err := again.Open(t.Context(), src.Position(nil)); err != nil {
			t.Fatalf("position of a position: %v", err)
		}
		src.Locate(p, 3)
		var b stream.Batch
		if err := src.Read(t.Context(), &b); err != nil && err != io.EOF {
			t.Fatal(err)
		}
	})
}
