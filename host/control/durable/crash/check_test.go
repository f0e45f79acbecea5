package crash_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// check looks at what all lives together have made; all says that the last one has
// come to the end.
func (w *world) check(all bool) {
	w.Helper()
	entries := w.entries()
	w.checkLedger(entries)
	w.checkOrdered(entries, all)
	w.checkCounts(all)
	w.checkAgain(entries, all)
	if w.Failed() {
		w.Logf("the ledger ends with %v", entries[max(0, len(entries)-30):])
		w.FailNow()
	}
}

// checkLedger looks at what the source was asked: it starts where the last published
// checkpoint has it, and what is acknowledged is in one that is published.
func (w *world) checkLedger(entries []entry) {
	w.Helper()
	published, position, acked := 0, 0, make(map[int]int)
	for _, e := range entries {
		switch e.verb {
		case "gap", "damaged":
			w.Errorf("%v", e)
		case "published":
			published, position = e.numbers[0], max(position, e.numbers[1])
		case "restored":
			// One whose note was not written in time is newer.
			if e.numbers[0] < published && !w.fresh {
				w.Errorf("life %d goes on from %d, and %d was published", e.life, e.numbers[0], published)
			}
		case "acked":
			if e.numbers[0] > position {
				w.Errorf("%v, and the last published checkpoint has %d", e, position)
			}
			if e.numbers[0] < acked[e.life] {
				w.Errorf("%v after %d", e, acked[e.life])
			}
			acked[e.life] = e.numbers[0]
		}
	}
}

// durableUpTo returns up to where the source's numbers are in published checkpoints.
func durableUpTo(entries []entry) (position int) {
	for _, e := range entries {
		switch e.verb {
		case "published":
			position = max(position, e.numbers[1])
		case "open": // at one whose note was not written in time
			position = max(position, e.numbers[0])
		}
	}
	return position
}

// checkOrdered looks at what tally made: each number once, in the order of its key, with
// a sum that only a state that never was lost gives, and none that is in no checkpoint.
func (w *world) checkOrdered(entries []entry, all bool) {
	w.Helper()
	limit := durableUpTo(entries)
	keys := make(map[string]memory)
	ended := 0
	err := eachLine(filepath.Join(w.dir, outName, "ordered"), func(f []string) error {
		now := keys[f[0]]
		want := fmt.Sprint([]string{f[0], "end", strconv.Itoa(now.count), fmt.Sprint(now.sum)})
		if f[1] == "end" {
			ended++
		} else {
			now = now.next([]byte(f[0]), now.count)
			want = fmt.Sprint([]string{f[0], strconv.Itoa(now.count - 1), fmt.Sprint(now.sum)})
		}
		if got := fmt.Sprint(f); got != want {
			return fmt.Errorf("tally made %s, not %s", got, want)
		}
		keys[f[0]] = now
		if n := (now.count-1)*w.Keys + atoi(f[0][1:]); n >= limit {
			w.Errorf("%d is shown, and what is published goes up to %d", n, limit)
		}
		return nil
	})
	if err != nil {
		w.Error(err)
	}
	if !all {
		return
	}
	for k := range w.Keys {
		if n := keys[string(keyOf(k))].count; n != w.PerKey {
			w.Errorf("%s has %d numbers, not %d", keyOf(k), n, w.PerKey)
		}
	}
	if ended != w.Keys {
		w.Errorf("%d keys came to their end, not %d", ended, w.Keys)
	}
}

// checkCounts looks at the windows: each once, with all that is in it.
func (w *world) checkCounts(all bool) {
	w.Helper()
	want := make(map[string]int)
	for n := range w.total() {
		want[windowOf(string(keyOf(n%w.Keys)), time.Unix(0, eventTime(n)).Truncate(windowSize))]++
	}
	got := make(map[string]bool)
	for _, line := range w.lines("counts-*") {
		var r struct {
			Key   string
			Start time.Time
			Count int
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			w.Fatalf("%v: %q", err, line)
		}
		win := windowOf(r.Key, r.Start)
		if got[win] || r.Count != want[win] {
			w.Errorf("the window %s has %d, not %d; it came before: %v", win, r.Count, want[win], got[win])
		}
		got[win] = true
	}
	if !all {
		return
	}
	for win := range want {
		if !got[win] {
			w.Errorf("the window %s did not come", win)
		}
	}
}

func windowOf(key string, start time.Time) string {
	return key + " " + start.UTC().Format(time.RFC3339Nano)
}

// lines returns those of some files of the output, sorted.
func (w *world) lines(pattern string) (all []string) {
	w.Helper()
	paths, err := filepath.Glob(filepath.Join(w.dir, outName, pattern))
	if err != nil {
		w.Fatal(err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			w.Fatal(err)
		}
		all = append(all, slices.Collect(strings.Lines(string(text)))...)
	}
	slices.Sort(all)
	return all
}

// checkAgain looks at what came at least once: nothing is missing, and a life repeats
// at most what was read since the checkpoint that it went on from, and what was in
// flight then.
func (w *world) checkAgain(entries []entry, all bool) {
	w.Helper()
	lives := make(map[int]map[int]bool) // by number, those that showed it
	for _, s := range w.shownAgain() {
		if lives[s.number] == nil {
			lives[s.number] = make(map[int]bool)
		}
		if lives[s.number][s.life] {
			w.Errorf("life %d showed %d twice", s.life, s.number)
		}
		lives[s.number][s.life] = true
	}
	if all && len(lives) != w.total() {
		w.Errorf("%d of %d numbers came at least once", len(lives), w.total())
	}
	repeated := make(map[int]int) // by life
	for _, by := range lives {
		for _, life := range slices.Sorted(maps.Keys(by))[1:] {
			repeated[life]++
		}
	}
	may := w.mayRepeat(entries)
	if w.two {
		return
	}
	for life, n := range repeated {
		if n > may[life] {
			w.Errorf("life %d repeats %d numbers, and may %d", life, n, may[life])
		}
	}
}

// mayRepeat returns how many numbers each life may repeat.
func (w *world) mayRepeat(entries []entry) map[int]int {
	may, inFlight, read := make(map[int]int), make(map[int]int), 0
	for _, e := range entries {
		switch e.verb {
		case "restored":
			inFlight[e.life] = e.numbers[1]
		case "open":
			may[e.life] = max(0, read-e.numbers[0]) + inFlight[e.life]
		case "read":
			read = max(read, e.numbers[1])
		}
	}
	return may
}

func atoi(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		panic(err)
	}
	return n
}

// outOfOrder counts the numbers that came to the sink without order after a higher
// one, in the same life.
func (w *world) outOfOrder() (n int) {
	w.Helper()
	highest := make(map[int]int)
	for _, s := range w.shownAgain() {
		if s.number < highest[s.life] {
			n++
		}
		highest[s.life] = max(highest[s.life], s.number)
	}
	return n
}

// shown is a number that the sink without transactions showed, and in which life.
type shown struct{ life, number int }

func (w *world) shownAgain() (all []shown) {
	w.Helper()
	err := eachLine(filepath.Join(w.dir, outName, againName), func(f []string) error {
		all = append(all, shown{atoi(f[0]), atoi(f[1])})
		return nil
	})
	if err != nil {
		w.Error(err)
	}
	return all
}

// same compares the output of two worlds, but for that of the sink that repeats.
func (w *world) same(other *world) {
	w.Helper()
	for _, pattern := range []string{"ordered", "counts-*"} {
		a, b := w.lines(pattern), other.lines(pattern)
		if slices.Compare(a, b) != 0 {
			w.Errorf("%s has %d lines that differ from %d", pattern, len(a), len(b))
		}
	}
}
