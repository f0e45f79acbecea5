package control

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/stream"
)

// remembers is a pipeline whose vertex a remembers, by a key that is the record's own.
const remembers = `name: p
vertices:
  - {name: in, source: stdin}
  - {name: a, ROLE, key: {key: true}, state: {groups: 5}, batch: {maxRecords: 40}, onError: deadLetter}
  - {name: out, sink: drop}
  - {name: dead, sink: drop}
edges:
  - {from: in, to: a}
  - {from: a, to: out}
  - {from: a, to: dead, when: {deadLetters: true}}
`

// roles are vertices that count the records of a key until the end of the stream. Those
// whose value begins with an exclamation mark fail.
var roles = map[string]string{
	"a process guest that traps":                  "udf: {plugin: trapping}, concurrency: 2",
	"a process guest that refuses":                "udf: {plugin: refusing}, concurrency: 2",
	"an aggregate guest that traps":               "udf: {plugin: trapping-aggregate}, concurrency: 2, window: {global: true}",
	"an aggregate guest that is asked in between": "udf: {plugin: trapping-aggregate}, concurrency: 2, window: {global: true, every: {records: 3}}",
	"an aggregate that refuses":                   "udf: {plugin: refusing-aggregate}, concurrency: 2, window: {global: true}",
	"what is built in":                            "aggregate: {sum: {value: true}}, window: {global: true}",
}

// poisoning is a workshop with guests that fail.
func poisoning(t *testing.T) *workshop {
	w := newWorkshop(t)
	w.plugin("trapping", poisonedProcess(unreachable))
	w.plugin("refusing", poisonedProcess(refuse))
	w.plugin("trapping-aggregate", poisonedAggregate(unreachable))
	w.plugin("refusing-aggregate", poisonedAggregate(refuse))
	return w
}

// counts returns the count of each key in the end, as a vertex of roles gives it.
func counts(t *testing.T, role string, out *ear) map[string]string {
	t.Helper()
	got := map[string]string{}
	seen := map[string]int64{}
	for _, h := range out.all {
		switch {
		case role == "what is built in":
			got[h.key] = member(t, h.value, "sum")
		case strings.Contains(role, "aggregate"):
			got[h.value] = fmt.Sprint(h.at)
		default:
			if seen[h.key]++; h.at != seen[h.key] {
				t.Errorf("%s: record %d of key %s is counted as number %d", role, seen[h.key], h.key, h.at)
			}
			got[h.key] = fmt.Sprint(h.at)
		}
	}
	return got
}

// TestWhatFailsLeavesTheStateAsIfItHadNotBeen has records that fail after the others of
// their batch, and they themselves, have been counted.
func TestWhatFailsLeavesTheStateAsIfItHadNotBeen(t *testing.T) {
	w := poisoning(t)
	for role, vertex := range roles {
		t.Run(role, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(7, 7))
			var records []fed
			want, bad := map[string]int{}, 0
			for range 600 {
				key := fmt.Sprint("key ", rng.IntN(9))
				if rng.IntN(50) == 0 {
					bad++
					records = append(records, fed{1, key, "!"})
					continue
				}
				want[key]++
				records = append(records, fed{1, key, "1"})
			}
			_, p, ears := wired(t, w, strings.Replace(remembers, "ROLE", vertex, 1), map[string]*feed{"in": fedWith(100, records)})
			if err := p.Run(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			got := counts(t, role, ears["out"])
			for key, n := range want {
				if got[key] != fmt.Sprint(n) {
					t.Errorf("%s was counted %s times, want %d", key, got[key], n)
				}
			}
			if n := len(ears["dead"].all); n != bad || bad < 5 {
				t.Errorf("%d dead letters of %d", n, bad)
			}
			for _, h := range ears["dead"].all {
				if h.value != "!" || h.headers["wasmill-code"] == "" {
					t.Errorf("dead letter %+v", h)
				}
			}
		})
	}
}

// TestAResultThatTrapsTakesNoOtherAlong has a key for whose window the result traps.
func TestAResultThatTrapsTakesNoOtherAlong(t *testing.T) {
	w := poisoning(t)
	vertex := roles["an aggregate guest that traps"]
	var records []fed
	for n := range 100 {
		records = append(records, fed{1, []string{"a", "b", "?", "c"}[n%4], "1"})
	}
	_, p, ears := wired(t, w, strings.Replace(remembers, "ROLE", vertex, 1), map[string]*feed{"in": fedWith(30, records)})
	if err := p.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	got := counts(t, "aggregate", ears["out"])
	if len(got) != 3 || got["a"] != "25" || got["b"] != "25" || got["c"] != "25" {
		t.Errorf("got %v", got)
	}
	dead := ears["dead"].all
	if len(dead) != 1 || dead[0].key != "?" || dead[0].headers["wasmill-code"] != string(stream.GuestTrap) {
		t.Errorf("dead letters %+v", dead)
	}
}

// TestVerticesOfOnePluginKeepTheirOwnState has two vertices count the same records.
func TestVerticesOfOnePluginKeepTheirOwnState(t *testing.T) {
	w := poisoning(t)
	for role, vertex := range roles {
		text := strings.Replace(remembers, "ROLE", vertex, 1)
		text = strings.Replace(text, "  - {name: out,", "  - {name: b, "+vertex+", key: {key: true}, state: {groups: 5}}\n  - {name: out-b, sink: drop}\n  - {name: out,", 1)
		text = strings.Replace(text, "edges:", "edges:\n  - {from: in, to: b}\n  - {from: b, to: out-b}", 1)
		var records []fed
		for n := range 60 {
			records = append(records, fed{1, fmt.Sprint(n % 3), "1"})
		}
		_, p, ears := wired(t, w, text, map[string]*feed{"in": fedWith(7, records)})
		if err := p.Run(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		for _, out := range []string{"out", "out-b"} {
			if got := counts(t, role, ears[out]); len(got) != 3 || got["0"] != "20" || got["1"] != "20" || got["2"] != "20" {
				t.Errorf("%s: %s has %v", role, out, got)
			}
		}
	}
}
