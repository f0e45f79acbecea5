package main

import (
	"flag"
	"fmt"
	"math"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/wasmill/wasmill/host/control"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
)

var rewrite = flag.Bool("rewrite", false, "write the frames of testdata anew")

// busy is a view of a pipeline with all there can be, and of one that is paused.
func busy() *topView {
	at := time.Date(2026, 11, 28, 12, 0, 5, 0, time.UTC)
	ago := func(d time.Duration) *time.Time { t := at.Add(-d); return &t }
	stage := func(records, most int, p50, p99 float64) []control.StageStatus {
		return []control.StageStatus{
			{Stage: pipeline.StageInput, Records: records, MaxRecords: most, MaxBytes: 1 << 20, P99: 7},
			{Stage: pipeline.StageProcessing, Records: 3, P50: p50, P99: p99},
		}
	}
	bad := "access-log.yaml:3:1: there is no \x1b[31mvertx; fix it"
	log := seenPipeline{
		Pipeline: "access-log", Phase: "running", State: "running",
		Checkpoint: &control.CheckpointStatus{Interval: new(30.0), Last: &control.TakenStatus{Epoch: 17, Age: 12}},
		Vertices: []control.VertexStatus{
			{Vertex: "lines", Role: "source", RecordsIn: 10, RecordsOut: 10, Watermark: ago(2 * time.Second)},
			{Vertex: "parse-and-enrich-with-a-long-name", Role: "udf", Stages: stage(4500, 10_000, 180e-6, 2.3e-3), InFlight: 3, Permits: 4, Watermark: ago(3 * time.Second), DeadLetters: 12},
			{Vertex: "errors-per-minute", Role: "aggregate", Stages: stage(10_000, 10_000, 0.025, 1.25), InFlight: 64, Permits: 64, Watermark: ago(90 * time.Second), Idle: true, Unrouted: 3, Dropped: control.DropStatus{Newest: 4, Oldest: 5, Error: 6}},
			{Vertex: "rests", Role: "udf", Stages: stage(0, 10_000, 0, 0), Scale: &control.ScaleStatus{Max: 8}},
			{Vertex: "out", Role: "sink", Stages: stage(0, 10_000, 0, 0), Ended: true},
		},
	}
	log.Config = &seenConfig{Revision: 3, Error: &bad}
	return &topView{at: at, pipelines: []seenPipeline{log, {
		Pipeline: "orders", Phase: "running", State: "paused", Reasons: []heldBack{{"join", "queued", "", 1200}},
		Checkpoint: &control.CheckpointStatus{Interval: new(0.0)}, Vertices: []control.VertexStatus{{Vertex: "in", Role: "source"}},
	}}, rates: map[string]topRate{
		"access-log/lines": {123_456, 123_456}, "access-log/parse-and-enrich-with-a-long-name": {9_999, 1_234_567}, "access-log/errors-per-minute": {99_999, 0.4}, "access-log/out": {0, 2e9},
	}}
}

func TestFrames(t *testing.T) {
	for name, test := range map[string]struct {
		width, height int
		keys          string
	}{
		"80x24":        {80, 24, ""},
		"120x40":       {120, 40, "s"},
		"40x10":        {40, 10, ""},
		"40x10-scroll": {40, 10, "jjj\x1b[B"},
		"80x24-sorted": {80, 24, "ssssssp"},
		"once":         {120, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			v := busy()
			if v.press([]byte(test.keys)) {
				t.Fatal("it ended")
			}
			lines := v.frame(test.width, test.height)
			if test.height > 0 && len(lines) != test.height {
				t.Errorf("it has %d lines", len(lines))
			}
			for _, l := range lines {
				if utf8.RuneCountInString(l) > test.width || strings.ContainsAny(l, "\x1b\n") {
					t.Errorf("%q is no line of %d columns", l, test.width)
				}
			}
			got, file := strings.Join(lines, "\n")+"\n", "testdata/top/"+name+".txt"
			if *rewrite {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil || got != string(want) {
				t.Errorf("%v, got\n%swant\n%s", err, got, want)
			}
		})
	}
}

// TestAFrameFitsEveryTerminal draws for all small ones.
func TestAFrameFitsEveryTerminal(t *testing.T) {
	for width := 1; width < 130; width++ {
		for height := 1; height < 30; height++ {
			v := busy()
			v.skip = height
			lines := v.frame(width, height)
			if len(lines) > height {
				t.Errorf("%dx%d: %d lines", width, height, len(lines))
			}
			for _, l := range lines {
				if utf8.RuneCountInString(l) > width {
					t.Errorf("%dx%d: %q", width, height, l)
				}
			}
		}
	}
}

func TestKeys(t *testing.T) {
	state := func(v *topView) string {
		return fmt.Sprintf("%s frozen=%v reversed=%v skip=%d", topColumns()[v.order].name, v.frozen, v.reversed, v.skip)
	}
	for keys, want := range map[string]string{
		"":                              "ROLE frozen=false reversed=false skip=0",
		"p":                             "ROLE frozen=true reversed=false skip=0",
		"p ":                            "ROLE frozen=false reversed=false skip=0",
		"sr":                            "IN/S frozen=false reversed=true skip=0",
		"ssssssss":                      "ERRORS frozen=false reversed=false skip=0",
		"sssssssss":                     "ROLE frozen=false reversed=false skip=0",
		"jj\x1b[B\x1bOB\x1b[6~k":        "ROLE frozen=false reversed=false skip=13",
		"\x1b[A\x1b[5~j":                "ROLE frozen=false reversed=false skip=1",
		"xyz\x1b[H\x1b[1;5Cé\x00\x1b[Z": "ROLE frozen=false reversed=false skip=0",
	} {
		v := &topView{}
		if v.press([]byte(keys)) || state(v) != want {
			t.Errorf("%q: %s, want %s", keys, state(v), want)
		}
	}
	for _, keys := range []string{"q", "Q", "pjq", "\x03"} {
		if !(&topView{}).press([]byte(keys)) {
			t.Errorf("%q does not end it", keys)
		}
	}
}

func TestWhatIsFrozenOrNotNew(t *testing.T) {
	v := &topView{}
	at := time.Now()
	v.show(looked{at: at})
	v.frozen = true
	v.show(looked{at: at.Add(time.Hour)})
	if v.at != at {
		t.Error("what is frozen has changed")
	}
	v.frozen = false
	v.show(looked{err: &stream.Error{Code: stream.Environment, Where: "here", Why: "no answer", Fix: "wait"}})
	if got := v.frame(80, 24)[0]; !strings.Contains(got, "NOT NEW: here: no answer") {
		t.Errorf("the title is %q", got)
	}
	v.show(looked{at: at})
	if v.problem != "" {
		t.Error("what is new is said not to be")
	}
}

func TestShortNumbers(t *testing.T) {
	for n, want := range map[float64]string{-1: "-", 0: "0", 0.4: "0", 9999: "9999", 9999.6: "10.0k", 99_949: "99.9k", 99_951: "100k", 9_999_499: "9999k", 9_999_500: "10.0M", 2e9: "2000M", 1.2e10: "12.0G", math.MaxUint64: "18446744T"} {
		if got := shortCount(n); got != want {
			t.Errorf("%g is %s, want %s", n, got, want)
		}
	}
	for s, want := range map[float64]string{-1: "-", 0: "0µs", 0.0009: "900µs", 0.0012: "1.2ms", 0.0256: "26ms", 1.25: "1.2s", 99: "99.0s", 150: "2m30s"} {
		if got := shortTime(s); got != want {
			t.Errorf("%g s are %s, want %s", s, got, want)
		}
	}
}

func TestTopWithoutATerminal(t *testing.T) {
	w := newWorkshop(t)
	at := w.serves("--set", "admin.listen=127.0.0.1:0")
	if exit, out, text := w.wasmill("top", "--admin", at); exit != stream.ExitInput || out != "" || !strings.Contains(text, "it needs a terminal") || !strings.Contains(text, "fix: use wasmill status --watch") {
		t.Errorf("exit %d: %s%s", exit, out, text)
	}
	for _, args := range [][]string{{"top"}, {"top", "p"}} {
		exit, out, text := w.wasmill(append(args, "--once", "--interval", "1s", "--admin", at)...)
		if exit != 0 || !regexp.MustCompile(`(?s)^wasmill top  \S+\np: running, revision 1 \([0-9a-f]{12}, start\), (no checkpoint yet|checkpoint \d+ \S+ ago), on request\nVERTEX +ROLE +IN/S .*\nin +source +[1-9]\d* +[1-9]\d* -.*\nout +sink `).MatchString(out) {
			t.Errorf("%v: exit %d: %s%s", args, exit, out, text)
		}
	}
	for _, test := range []struct {
		args []string
		text string
	}{
		{[]string{"q", "--once"}, "there are p"}, {[]string{"--once", "--interval", "1ms"}, "use 100ms or more"}, {[]string{"a/b"}, "that is not the name of a pipeline"},
	} {
		if exit, out, text := w.wasmill(append([]string{"top", "--admin", at}, test.args...)...); exit != stream.ExitInput || out != "" || !strings.Contains(text, test.text) {
			t.Errorf("%v: exit %d: %s%s", test.args, exit, out, text)
		}
	}
}
