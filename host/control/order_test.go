package control

import (
	"fmt"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/abi/abitest"
)

// TestRecordsOfAKeyComeInOrderToItsState has two sources with ten keys of a hundred
// records each, at once.
func TestRecordsOfAKeyComeInOrderToItsState(t *testing.T) {
	w := newWorkshop(t)
	w.plugin("count", poisonedProcess(abitest.Op(abitest.Unreachable)))
	for _, size := range []int{1, 7, 1000} {
		feeds := map[string]*feed{}
		for _, source := range []string{"one", "two"} {
			var records []fed
			for n := range 1000 {
				records = append(records, fed{int64(n), fmt.Sprint("key ", n%10), fmt.Sprintf("%s %d", source, n/10)})
			}
			feeds[source] = fedWith(size, records)
		}
		_, p, ears := wired(t, w, `name: p
vertices:
  - {name: one, source: stdin}
  - {name: two, source: stdin}
  - {name: a, udf: {plugin: count}, key: {key: true}, concurrency: 8, batch: {maxRecords: 13}}
  - {name: out, sink: drop}
edges: [{from: one, to: a}, {from: two, to: a}, {from: a, to: out}]
`, feeds)
		if err := p.Run(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		seen, next := map[string]int64{}, map[string]int{}
		for _, h := range ears["out"].all {
			if seen[h.key]++; h.at != seen[h.key] {
				t.Fatalf("batches of %d: record %d of %s was number %d for its state", size, seen[h.key], h.key, h.at)
			}
			source, n, _ := strings.Cut(h.value, " ")
			of := source + " " + h.key
			if n != fmt.Sprint(next[of]) {
				t.Fatalf("batches of %d: %s of %s comes as number %d", size, h.value, h.key, next[of])
			}
			next[of]++
		}
		if len(next) != 20 || len(ears["out"].all) != 2000 {
			t.Errorf("batches of %d: %d records of %d keys and sources", size, len(ears["out"].all), len(next))
		}
	}
}

// TestKeysOfAnySizeReachGuests has the empty key, which is one, and keys of 1 MiB.
func TestKeysOfAnySizeReachGuests(t *testing.T) {
	w := poisoning(t)
	long := strings.Repeat("k", 1<<20)
	for role, vertex := range roles {
		vertex = strings.Replace(vertex, "}, concurrency", ", limits: {recordBytes: 2MiB}}, concurrency", 1)
		var records []fed
		for range 3 {
			for _, key := range []string{"", long, long[1:], "k"} {
				records = append(records, fed{1, key, "1"})
			}
		}
		_, p, ears := wired(t, w, strings.Replace(remembers, "ROLE", vertex, 1), map[string]*feed{"in": fedWith(5, records)})
		if err := p.Run(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		got := counts(t, role, ears["out"])
		for _, key := range []string{"", long, long[1:], "k"} {
			if got[key] != "3" {
				t.Errorf("%s: a key of %d bytes was counted %q times", role, len(key), got[key])
			}
		}
		if dead := ears["dead"].all; len(got) != 4 || len(dead) > 0 {
			t.Errorf("%s: %d keys, and %d dead letters", role, len(got), len(dead))
		}
	}
}
