package control

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
)

// minutes is a pipeline with windows over two sources, one of which may rest.
const minutes = `name: p
vertices:
  - {name: busy, source: stdin, eventTime: {json: at, format: unix}}
  - {name: quiet, source: stdin, eventTime: {json: at, format: unix}, idleTimeout: 5s}
  - {name: a, ROLE, key: {json: k}, window: {fixed: 1m}, state: {groups: 7}}
  - {name: out, sink: drop}
edges:
  - {from: busy, to: a}
  - {from: quiet, to: a}
  - {from: a, to: out}
`

const (
	counted = "aggregate: count"
	paired  = "join: {left: {left: busy, right: quiet}}"
)

// living is a pipeline in a bubble with time of its own.
type living struct {
	*testing.T
	pipe  *pipeline.Pipeline
	feeds map[string]*feed
	ears  map[string]*ear
	done  chan error
	lows  map[stream.VertexID]stream.Watermark // seen last
}

func live(t *testing.T, text string, sources ...string) *living {
	l := &living{T: t, feeds: map[string]*feed{}, done: make(chan error, 1), lows: map[stream.VertexID]stream.Watermark{}}
	for _, s := range sources {
		l.feeds[s] = &feed{batches: make(chan []fed, 10)}
	}
	_, l.pipe, l.ears = wired(t, nil, text, l.feeds)
	go func() { l.done <- l.pipe.Run(t.Context(), nil) }()
	return l
}

// say lets a source read a record of each key at a time in seconds.
func (l *living) say(source string, at int, keys ...string) {
	var records []fed
	for _, k := range keys {
		records = append(records, fed{0, "", fmt.Sprintf(`{"at":%d,"k":"%s"}`, at, k)})
	}
	l.feeds[source].batches <- records
	l.settle()
}

func (l *living) wait(d time.Duration) {
	time.Sleep(d)
	l.settle()
}

// settle waits until nothing moves, and finds watermarks that went back.
func (l *living) settle() {
	l.Helper()
	synctest.Wait()
	for _, s := range l.pipe.Stats() {
		if low, known := l.lows[s.Vertex]; known && s.Watermark < low {
			l.Errorf("the watermark of %s went back from %d to %d", s.Vertex, low, s.Watermark)
		}
		l.lows[s.Vertex] = s.Watermark
	}
}

// results are the keys and starts of windows that came out since the last call.
func (l *living) results() string {
	l.Helper()
	out := l.ears["out"]
	out.mu.Lock()
	defer out.mu.Unlock()
	var all []string
	for _, h := range out.all {
		if stream.Watermark(h.at) < h.watermark {
			l.Errorf("%s comes after watermark %d", h.value, h.watermark)
		}
		_, clock, _ := strings.Cut(strings.Trim(member(l.T, h.value, "start"), `"Z`), "T")
		all = append(all, h.key+"@"+clock)
	}
	out.all = nil
	slices.Sort(all)
	return strings.Join(all, " ")
}

func (l *living) expect(what, want string) {
	l.Helper()
	if got := l.results(); got != want {
		l.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func TestWindowsCloseWhileASourceIsIdle(t *testing.T) {
	for _, role := range []string{counted, paired} {
		synctest.Test(t, func(t *testing.T) {
			l := live(t, strings.Replace(minutes, "ROLE", role, 1), "busy", "quiet")
			l.say("busy", 10, "a", "b")
			l.say("quiet", 20, "z")
			l.say("busy", 70, "a")
			l.say("busy", 130, "a")
			l.expect("while the other source may still bring something", "")
			l.wait(6 * time.Second)
			quiet := "" // right records without a left one give nothing
			if role == counted {
				quiet = " z@00:00:00"
			}
			l.expect("once it is idle", "a@00:00:00 a@00:01:00 b@00:00:00"+quiet)
			l.say("busy", 190, "a")
			l.expect("with it idle", "a@00:02:00")
			l.say("quiet", 30, "late")
			l.say("busy", 250, "a")
			l.expect("with it back, but behind", "")
			l.say("quiet", 245, "z")
			l.expect("with it there as well", "a@00:03:00")
			l.wait(time.Minute)
			l.expect("with it idle again: the other one is at 00:04:10", "")
			close(l.feeds["quiet"].batches)
			l.settle()
			l.expect("at its end", "")
			l.say("busy", 310, "b")
			if role == counted {
				quiet = " z@00:04:00"
			}
			l.expect("after it", "a@00:04:00"+quiet)
			close(l.feeds["busy"].batches)
			if err := <-l.done; err != nil {
				t.Fatal(err)
			}
			l.expect("at the end of all", "b@00:05:00")
		})
	}
}

// TestNoWindowNeedsARecordToClose has both sources fall silent, and one that ended
// while the other rests.
func TestNoWindowNeedsARecordToClose(t *testing.T) {
	for _, role := range []string{counted, paired} {
		synctest.Test(t, func(t *testing.T) {
			text := strings.Replace(minutes, "format: unix}}", "format: unix, maxOutOfOrder: 30s}, idleTimeout: 20s}", 1)
			l := live(t, strings.Replace(text, "ROLE", role, 1), "busy", "quiet")
			l.say("busy", 10, "a")
			l.say("quiet", 15, "x")
			l.say("busy", 60, "b")
			l.wait(6 * time.Second)
			l.expect("records may come 30 s late", "")
			l.wait(20 * time.Second)
			l.expect("none came for long enough", map[string]string{counted: "a@00:00:00 x@00:00:00", paired: "a@00:00:00"}[role])
			l.say("quiet", 130, "q")
			l.expect("one rests, the other is at 00:02:10", "b@00:01:00")
			close(l.feeds["quiet"].batches)
			l.say("busy", 160, "c")
			l.expect("one has ended, the other is at 00:02:10", "")
			l.wait(time.Minute)
			l.expect("and rests at 00:02:40", "")
			close(l.feeds["busy"].batches)
			if err := <-l.done; err != nil {
				t.Fatal(err)
			}
			end := "c@00:02:00"
			if role == counted {
				end += " q@00:02:00"
			}
			l.expect("at the end", end)
		})
	}
}

// TestOpenWindowsStayOpenAfterADrain has sources stop where others may go on.
func TestOpenWindowsStayOpenAfterADrain(t *testing.T) {
	for _, role := range []string{counted, paired} {
		for _, other := range []string{"goes on", "rests", "has ended", "ends"} {
			synctest.Test(t, func(t *testing.T) {
				l := live(t, strings.Replace(minutes, "ROLE", role, 1), "busy", "quiet")
				l.say("busy", 10, "a")
				l.say("quiet", 20, "a")
				if role == paired {
					l.results() // a pair
				}
				switch other {
				case "rests":
					l.wait(time.Minute)
				case "has ended":
					close(l.feeds["quiet"].batches)
					l.settle()
				case "ends":
					close(l.feeds["busy"].batches)
					close(l.feeds["quiet"].batches)
				}
				if other != "ends" {
					l.pipe.Drain()
				}
				if err := <-l.done; err != nil {
					t.Fatal(err)
				}
				want := ""
				if other == "ends" && role == counted {
					want = "a@00:00:00"
				}
				l.expect("the other source "+other, want)
				for _, s := range l.pipe.Stats() {
					if s.Vertex == "a" && (s.Watermark == stream.EndOfTime) != (other == "ends") {
						t.Errorf("the other source %s: watermark %d", other, s.Watermark)
					}
				}
			})
		}
	}
}

// TestASourceThatFailsClosesNoWindow has it fail with windows open.
func TestASourceThatFailsClosesNoWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := live(t, strings.Replace(minutes, "ROLE", counted, 1), "busy", "quiet")
		l.say("busy", 10, "a")
		close(l.feeds["quiet"].batches)
		l.settle()
		l.feeds["busy"].batches <- []fed{{0, "", `{"k":"a"}`}} // has no time
		err := <-l.done
		if e := (*stream.Error)(nil); !errors.As(err, &e) || e.Code != stream.RecordError {
			t.Fatalf("got %v", err)
		}
		l.expect("after the error", "")
	})
}
