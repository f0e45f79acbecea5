package nexmark_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/stream"
)

// count is how many events the pipeline files ask for.
const count = 1_000_000

// TestTheQueriesAnswerAsExpected runs every pipeline and compares its results with what
// the events say, and how many they are with the README.
func TestTheQueriesAnswerAsExpected(t *testing.T) {
	n := count
	if testing.Short() || raced {
		n = 100_000
	}
	lines := generated(t, n)
	events := parse(lines)
	// q16 and q17 begin ten seconds before midnight, and in q11 an event happens per
	// millisecond.
	early := events.retimed(func(i int) int64 { return events.at[i] - 10*second })
	slow := events.retimed(func(i int) int64 { return base + int64(i)*int64(time.Millisecond) })
	sources := map[string]list{"q11": slow, "q16": early, "q17": early}
	promised := promises(t)
	for _, query := range queries(t) {
		t.Run(query, func(t *testing.T) {
			got := answers(t, query, n)
			if query == "q12" {
				checkByClock(t, got, events)
				return
			}
			from, ok := sources[query]
			if !ok {
				from = events
			}
			compare(t, got, expected[query](from))
			if n == count && len(got) != promised[query] {
				t.Errorf("the README promises %d results, and there are %d", promised[query], len(got))
			}
		})
	}
}

// queries returns the names of the pipeline files.
func queries(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob("q*.yaml")
	if err != nil || len(files) != len(expected)+1 {
		t.Fatalf("found %v, want q12 and those in expected; %v", files, err)
	}
	for _, file := range files {
		names = append(names, strings.TrimSuffix(file, ".yaml"))
	}
	return names
}

// promises reads from the README how many results each query has.
func promises(t *testing.T) map[string]int {
	t.Helper()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	for _, row := range regexp.MustCompile(`(?m)^\| (q\d+) \|.*\| ([\d,]+) \|$`).FindAllStringSubmatch(string(readme), -1) {
		n, err := strconv.Atoi(strings.ReplaceAll(row[2], ",", ""))
		if err != nil {
			t.Fatal(err)
		}
		found[row[1]] = n
	}
	return found
}

// answers runs a query on n events and returns what it wrote.
func answers(t *testing.T, query string, n int) []string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "out"), os.DirFS("out")); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(query + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	whole := fmt.Sprintf("count: %d,", count)
	if !strings.Contains(string(text), whole) {
		t.Fatalf("%s.yaml lacks %s", query, whole)
	}
	file := filepath.Join(dir, "pipeline.yaml")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(string(text), whole, fmt.Sprintf("count: %d,", n))), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, file, nil)
	data, err := os.ReadFile(filepath.Join(dir, "out", query+".ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
}

// run runs a pipeline file with settings. It returns how many records its sources gave
// it, and how long it took from then on when its plugins were loaded.
func run(t *testing.T, file string, set []string) (records uint64, took time.Duration) {
	t.Helper()
	h, err := host.Open(t.Context(), host.Options{Files: []string{file}, Set: append(set, "plugins.dir=../../plugins")})
	if stream.CodeOf(err) == stream.PluginNotFound && os.Getenv("REQUIRE_GUESTS") == "" {
		t.Skip("its plugins are not built: run make plugins")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := h.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	start := time.Now()
	if err := h.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	took = time.Since(start)
	for _, v := range h.Pipelines()[0].Stats() {
		if v.Role == "source" {
			records += v.RecordsOut
		}
	}
	return records, took
}

func compare(t *testing.T, got, want []string) {
	t.Helper()
	got = slices.Clone(got)
	slices.Sort(got)
	slices.Sort(want)
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("result %d of %d, want %d:\ngot  %s\nwant %s", i+1, len(got), len(want), got[i], want[i])
		}
	}
	if len(got) != len(want) || len(want) == 0 {
		t.Errorf("%d results, want %d", len(got), len(want))
	}
}

// checkByClock checks the results of q12, whose windows depend on the clock: they have
// all bids of each bidder, none is longer than it may be, and no two are of one bidder
// and time.
func checkByClock(t *testing.T, lines []string, l list) {
	t.Helper()
	got, want := map[string]int{}, map[string]int{}
	seen := map[string]bool{}
	for _, line := range lines {
		var r struct {
			Bidder     string
			Start, End time.Time
			Count      int
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		got[r.Bidder] += r.Count
		window := r.Bidder + r.Start.String()
		if r.Count < 1 || seen[window] || r.End.Sub(r.Start) != 10*time.Second || r.Start.Unix()%10 != 0 {
			t.Fatalf("%s: empty, there twice, or not ten seconds of the clock", line)
		}
		seen[window] = true
	}
	l.of("bid", func(b *event, _ int64) { want[strconv.FormatInt(b.bidder, 10)]++ })
	if len(got) != len(want) {
		t.Errorf("%d bidders, want %d", len(got), len(want))
	}
	for bidder, n := range want {
		if got[bidder] != n {
			t.Fatalf("bidder %s has %d bids, want %d", bidder, got[bidder], n)
		}
	}
}
