package admin

import (
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestNamesSayTheirUnits(t *testing.T) {
	seen := map[Name]bool{}
	for _, f := range Families() {
		if seen[f.Name] {
			t.Errorf("%s is there twice", f.Name)
		}
		seen[f.Name] = true
		unit := f.Name[strings.LastIndexByte(string(f.Name), '_')+1:]
		if counts := unit == "total"; counts != (f.Kind == KindCounter) {
			t.Errorf("%s is a %s", f.Name, f.Kind)
		}
		if !strings.Contains(" total seconds bytes records keys calls permits info phase limit instances suspended epochs revision refused ", " "+string(unit)+" ") {
			t.Errorf("%s has no unit", f.Name)
		}
		if !strings.HasPrefix(string(f.Name), "wasmill_") || !strings.HasSuffix(f.Help, ".") || strings.ContainsAny(f.Help, "\n\\") {
			t.Errorf("%s: %q", f.Name, f.Help)
		}
	}
}

func TestFamiliesOfSeveralGenerationsStandTogether(t *testing.T) {
	w := newWriter()
	for _, name := range []string{"a", "b"} {
		w := w.With("pipeline", name)
		w.Counter(Calls, 1, "vertex", "v")
		w.Gauge(StageBytes, 2.5)
		w.Histogram(PipelineLatency, []float64{0.5, 1}, []uint64{1, 1, 3}, 7)
	}
	const want = `# HELP wasmill_pipeline_latency_seconds Time from the read of a record until it and all that came of it is settled, to about 6 percent.
# TYPE wasmill_pipeline_latency_seconds histogram
wasmill_pipeline_latency_seconds_bucket{pipeline="a",le="0.5"} 1
wasmill_pipeline_latency_seconds_bucket{pipeline="a",le="1"} 1
wasmill_pipeline_latency_seconds_bucket{pipeline="a",le="+Inf"} 3
wasmill_pipeline_latency_seconds_sum{pipeline="a"} 7
wasmill_pipeline_latency_seconds_count{pipeline="a"} 3
wasmill_pipeline_latency_seconds_bucket{pipeline="b",le="0.5"} 1
wasmill_pipeline_latency_seconds_bucket{pipeline="b",le="1"} 1
wasmill_pipeline_latency_seconds_bucket{pipeline="b",le="+Inf"} 3
wasmill_pipeline_latency_seconds_sum{pipeline="b"} 7
wasmill_pipeline_latency_seconds_count{pipeline="b"} 3
# HELP wasmill_vertex_calls_total Calls of a udf or aggregate, or writes of a sink.
# TYPE wasmill_vertex_calls_total counter
wasmill_vertex_calls_total{pipeline="a",vertex="v"} 1
wasmill_vertex_calls_total{pipeline="b",vertex="v"} 1
# HELP wasmill_vertex_stage_bytes Bytes of these.
# TYPE wasmill_vertex_stage_bytes gauge
wasmill_vertex_stage_bytes{pipeline="a"} 2.5
wasmill_vertex_stage_bytes{pipeline="b"} 2.5
`
	if got := string(w.text()); got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
}

func TestDetachLeavesNothing(t *testing.T) {
	var m Metrics
	empty := string(m.collect())
	add := func(name string) func() {
		return m.Attach(func(w *Writer) { w.Gauge(StageBytes, 1, "vertex", name) })
	}
	first, second := add("a"), add("b")
	first()
	first()
	if got := string(m.collect()); strings.Contains(got, `"a"`) || !strings.Contains(got, `"b"`) {
		t.Errorf("after the first is gone:\n%s", got)
	}
	second()
	if got := string(m.collect()); got != empty || len(m.collectors) != 0 {
		t.Errorf("after all are gone:\n%s", got)
	}
}

func TestDetachWaitsForAScrape(t *testing.T) {
	var m Metrics
	scraping, detached := make(chan bool), make(chan bool)
	detach := m.Attach(func(*Writer) {
		scraping <- true
		for range 10_000 { // time enough for a detach that does not wait
			runtime.Gosched()
		}
		select {
		case <-detached:
			t.Error("detach returned while the collector was running")
		default:
		}
	})
	go m.collect()
	<-scraping
	detach()
	close(detached)
}

// FuzzLabels makes sure that a value is written on one line, ends where it
// should, and reads back as it was.
func FuzzLabels(f *testing.F) {
	for _, s := range []string{"", `a"b`, `\`, `\n`, "a\nb\r", `"} 1` + "\nx 2", "\xff", "\u2028", "}", `\\"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		w := newWriter()
		w.With("pipeline", value).Counter(Calls, 1, "vertex", "v")
		lines := strings.Split(strings.TrimSuffix(string(w.text()), "\n"), "\n")
		if len(lines) != 3 {
			t.Fatalf("%q makes %d lines", value, len(lines))
		}
		quoted, ok := strings.CutPrefix(lines[2], `wasmill_vertex_calls_total{pipeline="`)
		quoted, whole := strings.CutSuffix(quoted, `",vertex="v"} 1`)
		if !ok || !whole || !utf8.ValidString(quoted) {
			t.Fatalf("%q is written as %q", value, lines[2])
		}
		var back strings.Builder
		for i := 0; i < len(quoted); i++ {
			switch c := quoted[i]; c {
			case '"':
				t.Fatalf("%q ends its value: %q", value, quoted)
			case '\\':
				if i++; i == len(quoted) || !strings.Contains(`\"n`, quoted[i:i+1]) {
					t.Fatalf("%q is escaped as %q", value, quoted)
				}
				back.WriteString(map[byte]string{'\\': `\`, '"': `"`, 'n': "\n"}[quoted[i]])
			default:
				back.WriteByte(c)
			}
		}
		if want := strings.ToValidUTF8(value, "\uFFFD"); back.String() != want {
			t.Errorf("%q reads as %q", want, back.String())
		}
	})
}
