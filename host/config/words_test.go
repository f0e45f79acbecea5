package config

import (
	"testing"
	"testing/quick"
)

func TestBytes(t *testing.T) {
	good := map[string]Bytes{
		"0": 0, "1024": KiB, "64MiB": 64 * MiB, "1MB": 1e6, " 512 KiB ": 512 * KiB, "3kB": 3000, "2TiB": 2 * TiB, "7B": 7,
		"9223372036854775807": 1<<63 - 1,
	}
	for text, want := range good {
		var got Bytes
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%q is %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "MiB", "-1", "1.5MiB", "64M", "64mib", "1e3", "9223372036854775808", "8388608TiB", "1 2", "0x10"} {
		got := Bytes(42)
		if err := got.UnmarshalText([]byte(text)); err == nil || got != 42 {
			t.Errorf("%q is %d, %v; want an error", text, got, err)
		}
	}
	roundTrip := func(n int64) bool {
		want, got := Bytes(n&(1<<62-1)), Bytes(0)
		return got.UnmarshalText([]byte(want.String())) == nil && got == want
	}
	if err := quick.Check(roundTrip, nil); err != nil {
		t.Error(err)
	}
}

func TestNearest(t *testing.T) {
	words := []string{"concurrency", "order", "udf", "maxRecords"}
	tests := []struct{ name, word, want string }{
		{"a letter less", "concurency", "concurrency"},
		{"a letter more", "oorder", "order"},
		{"another letter", "ordar", "order"},
		{"two swapped", "ufd", "udf"},
		{"other case", "Order", "order"},
		{"other style", "max_records", "maxRecords"},
		{"too far", "weather", ""},
		{"short and too far", "xyf", ""},
		{"empty", "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got, ok := Nearest(test.word, words); got != test.want || ok != (test.want != "") {
				t.Errorf("Nearest(%q) is %q, %v; want %q", test.word, got, ok, test.want)
			}
		})
	}
}

func TestPaths(t *testing.T) {
	p := path("").key("vertices").index(1).key("udf").key("a.b").key("c")
	if p != `vertices[1].udf["a.b"].c` {
		t.Fatal(p)
	}
	ps := newPlaces()
	ps.values["vertices[1].udf"] = place{name: "here"}
	if got := ps.value(p); got.name != "here" {
		t.Errorf("the nearest place is %v", got)
	}
}

func TestEveryFieldOfTheProcessHasItsOwnVariable(t *testing.T) {
	seen := make(map[string]bool)
	for _, f := range processFields() {
		if seen[f.variable()] {
			t.Errorf("%s belongs to two fields", f.variable())
		}
		seen[f.variable()] = true
	}
	if !seen["WASMILL_MEMORY_BUDGET"] {
		t.Errorf("there are %v", seen)
	}
}
