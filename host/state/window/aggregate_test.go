package window

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"github.com/axiomhq/hyperloglog"
	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/host/stream"
)

// resultOf folds values, as items too, in order of time.
func resultOf(t rapid.TB, agg Aggregator, values ...string) string {
	acc := agg.Init(nil)
	for i, v := range values {
		var err error
		if acc, err = agg.Add(acc, Record{Time: int64(i), Value: []byte(v), Item: []byte(v)}); err != nil {
			t.Fatal(err)
		}
	}
	return finish(t, agg, acc)
}

func finish(t rapid.TB, agg Aggregator, acc []byte) string {
	got, err := agg.Result([]byte("x"), acc)
	if err != nil || !json.Valid(got[1:]) || got[0] != 'x' {
		t.Fatalf("result %q, %v", got, err)
	}
	return string(got[1:])
}

func builtin(t rapid.TB, name string) Aggregator {
	k := 0
	if name == "topK" {
		k = 2
	}
	agg, err := Builtin(name, k)
	if err != nil {
		t.Fatal(err)
	}
	return agg
}

func TestAggregations(t *testing.T) {
	const maximum, minimum = "9223372036854775807", "-9223372036854775808"
	tests := []struct {
		agg    string
		values string
		want   string
	}{
		{"count", "", "0"},
		{"count", "x y", "2"},
		{"sum", "", "0"},
		{"sum", "1 -3", "-2"},
		{"sum", "9007199254740993 1", "9007199254740994"},
		{"sum", maximum + " 1", "9223372036854775808"},
		{"sum", minimum + " -1", "-9223372036854775809"},
		{"sum", maximum + " " + maximum + " " + minimum + " " + minimum, "-2"},
		{"sum", "0.5 0.25", "0.75"},
		{"sum", "0.5 -0.5 7", "7"},
		{"sum", "1e308 1e308", "1.7976931348623157e+308"},
		{"sum", "1e-7", "1e-07"},
		{"sum", "-0", "0"},
		{"avg", "", "null"},
		{"avg", "1 2", "1.5"},
		{"avg", maximum + " " + maximum, "9223372036854775807"},
		{"min", "", "null"},
		{"min", "3 -1 2", "-1"},
		{"min", "0.5 1", "0.5"},
		{"max", "9007199254740992.0 9007199254740993", "9007199254740993"},
		{"max", "9223372036854775807 9223372036854775808", "9223372036854776000"},
		{"min", "-9223372036854775808 -1e19", "-10000000000000000000"},
		{"max", "1 1.5 1", "1.5"},
		{"topK", "", "[]"},
		{"topK", "1 3 2", `[{"by":3,"item":3},{"by":2,"item":2}]`},
		{"topK", "1 2 3", `[{"by":3,"item":3},{"by":2,"item":2}]`},
		{"topK", "5 5.0 5e0", `[{"by":5,"item":5},{"by":5,"item":5.0}]`},
		{"distinct", "", "0"},
		{"distinct", "a b a", "2"},
	}
	for _, tt := range tests {
		got := resultOf(t, builtin(t, tt.agg), strings.Fields(tt.values)...)
		if tt.agg == "avg" && tt.want != got { // the same float64, however it is written
			a, _ := strconv.ParseFloat(got, 64)
			if b, _ := strconv.ParseFloat(tt.want, 64); a == b {
				continue
			}
		}
		if tt.want != got {
			t.Errorf("%s of %s: got %s, want %s", tt.agg, tt.values, got, tt.want)
		}
	}
}

func TestNumbersAreStrict(t *testing.T) {
	for _, v := range []string{"", "-", "+1", "01", "1.", ".5", "1e", "1e+", "0x10", "1_000", " 1", "1 ", "NaN", "Infinity", "1e999", "true", `"1"`, "1\x00", strings.Repeat("9", 400)} {
		_, err := parse([]byte(v))
		if stream.CodeOf(err) != stream.RecordError || !strings.Contains(err.Error(), strconv.Quote(v[:min(len(v), maxPreview)])) {
			t.Errorf("%q: got %v", v, err)
		}
	}
}

// FuzzNumber compares with encoding/json, and the order of numbers with math/big.
func FuzzNumber(f *testing.F) {
	for _, v := range []string{"0", "-0", "12", "-1.5e3", "1e400", "9223372036854775808", "01", "9007199254740993"} {
		f.Add([]byte(v), []byte("9007199254740992.0"))
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		var want json.Number
		isNumber := json.Unmarshal(a, &want) == nil && len(a) > 0 && (a[0] == '-' || a[0] >= '0' && a[0] <= '9') && bytes.Equal(bytes.TrimSpace(a), a)
		x, err := parse(a)
		wantF, tooLarge := strconv.ParseFloat(string(a), 64)
		if (err == nil) != (isNumber && tooLarge == nil) {
			t.Fatalf("%q: %v", a, err)
		}
		y, errB := parse(b)
		if err != nil || errB != nil {
			return
		}
		if x.whole && strconv.FormatInt(x.i, 10) != strings.Replace(string(a), "-0", "0", 1) || !x.whole && x.f != wantF {
			t.Errorf("%q is %+v", a, x)
		}
		if got, want := x.compare(y), exact(x).Cmp(exact(y)); got != want {
			t.Errorf("%q against %q: %d, want %d", a, b, got, want)
		}
		back, ok := decode(x.append(nil))
		if !ok || back != x || !json.Valid(x.json(nil)) {
			t.Errorf("%+v became %+v, %s", x, back, x.json(nil))
		}
	})
}

func exact(n number) *big.Float {
	if n.whole {
		return new(big.Float).SetInt64(n.i)
	}
	return new(big.Float).SetFloat64(n.f)
}

// TestOrderDoesNotMatter folds the same values in two orders, in one piece and in
// parts that are merged.
func TestOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		agg := builtin(t, rapid.SampledFrom([]string{"count", "sum", "min", "max", "avg", "topK", "distinct"}).Draw(t, "aggregator"))
		values := rapid.SliceOfN(rapid.Int64Range(-1000, 1000), 1, 600).Draw(t, "values")
		records := make([]Record, len(values))
		for i, v := range values {
			text := strconv.AppendInt(nil, v, 10)
			records[i] = Record{Time: v % 3, Value: text, Item: text}
		}
		fold := func(records []Record) []byte {
			acc := agg.Init(nil)
			for _, r := range records {
				var err error
				if acc, err = agg.Add(acc, r); err != nil {
					t.Fatal(err)
				}
			}
			return acc
		}
		want := finish(t, agg, fold(records))
		mixed := rapid.Permutation(records).Draw(t, "order")
		cut := rapid.IntRange(0, len(mixed)).Draw(t, "cut")
		merged, err := agg.Merge(fold(mixed[:cut]), fold(mixed[cut:]))
		if err != nil {
			t.Fatal(err)
		}
		if got := finish(t, agg, merged); got != want {
			t.Fatalf("merged at %d: got %s, want %s", cut, got, want)
		}
	})
}

// TestDistinctIsWithinItsError counts up to a million values, and compares the
// registers with those of the library.
func TestDistinctIsWithinItsError(t *testing.T) {
	acc, err := distinct{}.Init(nil), error(nil)
	library := hyperloglog.NewNoSparse()
	for n := 1; n <= 1_000_000; n++ {
		v := strconv.AppendInt([]byte("user-"), int64(n), 10)
		library.Insert(v)
		for range 2 {
			if acc, err = (distinct{}).Add(acc, Record{Value: v}); err != nil {
				t.Fatal(err)
			}
		}
		if n > 300 && n != 1000 && n != 30_000 && n != 1_000_000 {
			continue
		}
		got, _ := strconv.Atoi(finish(t, distinct{}, acc))
		if off := math.Abs(float64(got-n)) / float64(n); n <= MaxExact && off > 0 || off > 0.025 {
			t.Errorf("%d values are counted as %d", n, got)
		}
	}
	if want, err := library.MarshalBinary(); err != nil || !bytes.Equal(acc, want) {
		t.Errorf("the sketch is not that of the library: %v", err)
	}
}

func TestAggregationsAreRefused(t *testing.T) {
	for _, tt := range []struct {
		name string
		k    int
		want string
	}{{"median", 0, "write one of avg, count, distinct, max, min, sum, topK"}, {"topK", 0, "from 1 to 1000"}, {"topK", 1001, "from 1 to 1000"}, {"sum", 3, "leave k out"}} {
		_, err := Builtin(tt.name, tt.k)
		if stream.CodeOf(err) != stream.ConfigValue || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s of %d: got %v", tt.name, tt.k, err)
		}
	}
}

// FuzzAccumulator gives every aggregator bytes that are no accumulator.
func FuzzAccumulator(f *testing.F) {
	for _, agg := range []string{"count", "sum", "avg", "min", "topK", "distinct"} {
		a := builtin(f, agg)
		acc := a.Init(nil)
		for i := range 3 {
			acc, _ = a.Add(acc, Record{Value: []byte{'1' + byte(i)}, Item: []byte("x")})
		}
		f.Add(acc, acc)
		f.Add(acc[:len(acc)/2], acc)
	}
	f.Add(sketchOf(make([]byte, 8)), []byte{})
	f.Add(sketchOf(nil), sketchOf(bytes.Repeat([]byte{7}, 16)))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		for name := range catalog {
			agg := builtin(t, name)
			add, err := agg.Add(bytes.Clone(a), Record{Value: []byte("5"), Item: []byte("item")})
			check(t, name, a, add, err)
			merged, err := agg.Merge(bytes.Clone(a), b)
			check(t, name, a, merged, err)
			if len(merged) > len(a)+len(b)+sketchSize {
				t.Errorf("%s: %d and %d bytes became %d", name, len(a), len(b), len(merged))
			}
			for _, acc := range [][]byte{a, add, merged} {
				got, err := agg.Result(nil, acc)
				if err != nil && !errors.Is(err, ErrCorrupt) || err == nil && !json.Valid(got) {
					t.Errorf("%s of %q: %s, %v", name, acc, got, err)
				}
			}
		}
	})
}

// check wants an error to be ErrCorrupt and to leave the accumulator alone.
func check(t *testing.T, name string, before, after []byte, err error) {
	if err != nil && (!errors.Is(err, ErrCorrupt) || !bytes.Equal(before, after)) {
		t.Errorf("%s: %v, and %q became %q", name, err, before, after)
	}
}

// FuzzState gives an operator entries, lists, pages and timers that are none.
func FuzzState(f *testing.F) {
	f.Add([]byte("12345678abcd"), session{5, Window{0, 20}}.append(nil), []byte("12345678F"))
	f.Add([]byte{}, []byte{1}, []byte("F"))
	f.Add([]byte{0, 0, 0, 0}, []byte{1, 'k'}, []byte("12345678F"))
	f.Add([]byte{255, 0, 0, 0}, []byte{9, 'k'}, []byte("12345678P"))
	f.Fuzz(func(t *testing.T, entry, list, name []byte) {
		for _, spec := range []Spec{{Kind: Fixed, Size: 10}, {Kind: Session, Gap: 10, Lateness: 3, Every: 3}} {
			w := newWorld(t, spec, count{})
			_ = w.store.Put(0, appendName(nil, isEntry, []byte("k"), 0), entry, 0)
			_ = w.store.Put(0, []byte{isList, 'k'}, list, 0)
			_ = w.store.Put(0, appendName(nil, isMember, nil, 0), entry, 0)
			_ = w.store.Put(0, appendPage(nil, 0, 0), list, 0)
			_ = w.timers.Set(0, 3, []byte("k"), name)
			_ = w.timers.Set(0, 10, nil, []byte("\x80\x00\x00\x00\x00\x00\x00\x00F"))
			for range 2 {
				_, err := w.Add(0, Record{Key: []byte("k"), Time: 5}, noWatermark, w.hear)
				later := w.Advance(0, endOfTime, w.hear)
				for _, err := range []error{err, later} {
					if err != nil && !errors.Is(err, ErrCorrupt) {
						t.Fatal(err)
					}
				}
			}
		}
	})
}

func TestResultsAreJSON(t *testing.T) {
	minute := Window{0, 60e9}
	tests := []struct {
		r    Result
		want string
	}{
		{Result{[]byte("a"), minute, []byte("3"), OnTime}, `{"key":"a","start":"1970-01-01T00:00:00Z","end":"1970-01-01T00:01:00Z","fired":"on-time","n":3}`},
		{Result{[]byte("\"\n\u00e9<"), Window{-1, 1}, []byte("[1]"), Late}, `{"key":"\"\né\u003c","start":"1969-12-31T23:59:59.999999999Z","end":"1970-01-01T00:00:00.000000001Z","fired":"late","n":[1]}`},
		{Result{nil, allTime, []byte("null"), Early}, `{"key":"","start":null,"end":null,"fired":"early","n":null}`},
		{Result{[]byte{0xff, 0}, Window{math.MinInt64, 0}, []byte("1"), Early}, `{"keyBase64":"/wA=","start":"1677-09-21T00:12:43.145224192Z","end":"1970-01-01T00:00:00Z","fired":"early","n":1}`},
	}
	for _, tt := range tests {
		got := string(tt.r.AppendJSON(nil, "n"))
		if got != tt.want || !json.Valid([]byte(got)) {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

func TestItemsOfTopK(t *testing.T) {
	acc := []byte(nil)
	for i, item := range []string{"{ \"a\":\n 1 }", "no JSON", "\xff", ""} {
		var err error
		if acc, err = (topK{4}).Add(acc, Record{Value: []byte(fmt.Sprint(9 - i)), Item: []byte(item)}); err != nil {
			t.Fatal(err)
		}
	}
	want := `[{"by":9,"item":{"a":1}},{"by":8,"item":"no JSON"},{"by":7,"itemBase64":"/w=="},{"by":6}]`
	if got := finish(t, topK{4}, acc); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
