package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/control"
	"github.com/wasmill/wasmill/host/control/scale"
)

const (
	// swift has the shortest lookback that there may be, and no cooldowns.
	swift = "scale: {min: 0, max: 4, lookback: 1s, targetProcessing: 1s, cooldownUp: 0s, cooldownDown: 0s}"

	// resting is followed with an f that is scaled, and beside it an m that takes memory.
	resting = `name: p
checkpoint: {interval: 50ms, storage: file://./ckpt}
vertices:
  - {name: in, source: {file: {path: in.txt, follow: true, poll: 10ms}}}
  - {name: f, udf: {plugin: identity}, order: input, concurrency: 2, ` + swift + `}
  - {name: m, udf: {plugin: bomb, limits: {memory: 64MiB}}, concurrency: 1, ` + swift + `}
  - {name: out, sink: {file: {path: out.txt}}}
  - {name: none, sink: drop}
edges: [{from: in, to: f}, {from: f, to: out}, {from: in, to: m}, {from: m, to: none}]
`

	// stuck has a sink that nobody takes from, with records of which few find room.
	stuck = `name: p
checkpoint: {interval: 50ms, storage: file://./stuck-ckpt}
vertices:
  - {name: in, source: {file: {path: long.txt, follow: true, poll: 10ms}}}
  - {name: f, udf: {plugin: identity}, order: input, concurrency: 2, batch: {maxRecords: 4}, queue: {maxRecords: 8}, output: {maxRecords: 4}, ` + swift + `}
  - {name: out, sink: {file: {path: pipe}}, queue: {maxRecords: 4}}
edges: [{from: in, to: f}, {from: f, to: out}]
`

	// steady is under way all the time. For the time of its lookback, which is long enough
	// for a slow machine to look once, its rate is not known.
	steady = `name: p
checkpoint: {interval: 50ms, storage: file://./ckpt}
vertices:
  - {name: in, source: {generator: {rate: 200, template: '{{seq}}'}}}
  - {name: f, udf: {plugin: identity}, order: input, concurrency: 1, scale: {min: 0, max: 4, lookback: 3s, targetProcessing: 1s, cooldownUp: 0s, cooldownDown: 0s}}
  - {name: out, sink: {file: {path: out.txt}}}
edges: [{from: in, to: f}, {from: f, to: out}]
`
)

// vertex asks an instance for one of its vertices; ok is false if it does not answer.
func (w *background) vertex(name, vertex string) (v control.VertexStatus, ok bool) {
	w.Helper()
	var answer struct {
		Pipelines []struct{ Vertices []control.VertexStatus }
	}
	if exit := w.asJSON(&answer, "status", name); exit != 0 || len(answer.Pipelines) == 0 {
		return v, false
	}
	for _, v := range answer.Pipelines[0].Vertices {
		if string(v.Vertex) == vertex && v.Scale != nil {
			return v, true
		}
	}
	return v, false // it is starting
}

// rests waits until a vertex has no instances, and looks at what it says of that.
func (w *background) rests(name, vertex string) {
	w.Helper()
	var v control.VertexStatus
	w.until(vertex+" at rest", func() (ok bool) {
		v, ok = w.vertex(name, vertex)
		return ok && v.Scale.Instances == 0 && v.Guests.Instances == 0 && v.Permits == 0 // which are looked at one after the other
	})
	if s := v.Scale; s.Kind != scale.Zero && s.Kind != scale.Asleep || !strings.Contains(s.Reason, "nothing is pending") || s.Pending == nil || *s.Pending != 0 || s.Rate == nil || *s.Rate != 0 || s.Wanted == nil || *s.Wanted != 0 {
		w.Errorf("%s rests: %+v, %+v", vertex, s, v.Guests)
	}
}

// resident is the memory of a process, now and at most so far, in bytes; 0 = this system
// does not say.
func (w *background) resident(pid int) (now, most int) {
	w.Helper()
	if runtime.GOOS != "linux" {
		return 0, 0
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		w.Fatal(err)
	}
	for name, to := range map[string]*int{"VmRSS:": &now, "VmHWM:": &most} {
		_, rest, _ := strings.Cut(string(text), name)
		if _, err := fmt.Sscan(rest, to); err != nil {
			w.Fatal(err)
		}
		*to <<= 10
	}
	return now, most
}

// TestInstanceRestsOnlyWhenNothingComes is A14: known to have nothing, it goes to zero, gives
// its memory back, and wakes. One that has something, of which nothing is taken, stays.
func TestInstanceRestsOnlyWhenNothingComes(t *testing.T) {
	w := newBackground(t)
	w.write("plugins/bomb.wasm", string(bomb(0)))
	w.write("p.yaml", resting)
	w.write("stuck.yaml", stuck)
	w.write("long.txt", strings.Repeat(strings.Repeat("x", 4095)+"\n", 1024))
	if err := syscall.Mkfifo(filepath.Join(w.dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	pipe, err := os.OpenFile(filepath.Join(w.dir, "pipe"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	w.does(0, "create", "b", "-f", "stuck.yaml")
	w.does(0, "create", "a", "-f", "p.yaml", "--wait")
	w.grows("out.txt", 2)
	worker := w.seen("a").Worker
	w.until("what m has to do", func() bool { v, _ := w.vertex("a", "m"); return v.RecordsIn == 3 && v.InFlight == 0 })
	w.rests("a", "f")
	w.rests("a", "m")
	if now, held := w.resident(worker); held > 0 && now > held-48<<20 {
		t.Errorf("with %d MiB at work it has %d at rest", held>>20, now>>20)
	}
	if text := w.does(0, "status", "a"); !strings.Contains(text, "\nf has 0 instances of 0 to 4: nothing is pending\nm has 0 ins") {
		t.Errorf("status does not say why it rests: %s", text)
	}
	w.append("in.txt", "four\n")
	w.grows("out.txt", 3)
	if got := w.read("out.txt"); got != "one\ntwo\nthree\nfour\n" {
		t.Errorf("out.txt has %q", got)
	}
	log := w.does(0, "logs", "a", "-n", "-1")
	for _, want := range []string{`"msg":"scaled","pipeline":"a","vertex":"f","from":[12],"to":0,"reason":"nothing comes and nothing is pending"`, `"vertex":"f","from":0,"to":1`} {
		if !regexp.MustCompile(want).MatchString(log) { // from 1, if the records came late
			t.Errorf("%s is not in %s", want, log)
		}
	}

	counted := regexp.MustCompile(`wasmill_vertex_scale_decisions_total{[^}]*reason="stuck"[^}]*} (\d+)`)
	w.until("four decisions on what is stuck", func() bool {
		v, ok := w.vertex("b", "f")
		if ok && (v.Scale.Instances != 2 || v.Permits != 2) {
			t.Fatalf("what is stuck is scaled: %+v", v.Scale)
		}
		if m := counted.FindStringSubmatch(w.metrics("b")); m != nil {
			n, _ := strconv.Atoi(m[1])
			return n >= 4
		}
		return false
	})
	if v, _ := w.vertex("b", "f"); v.Scale.Pending == nil || *v.Scale.Pending == 0 || v.Scale.Rate == nil || *v.Scale.Rate != 0 || !strings.Contains(v.Scale.Reason, "none is taken") {
		t.Errorf("stuck: %+v", v.Scale)
	}
	got := make([]byte, 1024<<12)
	if _, err := io.ReadFull(pipe, got); err != nil || string(got) != w.read("long.txt") {
		t.Errorf("not all came out of what was stuck: %v", err)
	}
	w.does(0, "shutdown", "b")
	w.does(0, "shutdown", "a")
}

// metrics are those of an instance.
func (w *background) metrics(name string) string {
	w.Helper()
	network, at := "tcp", strings.TrimPrefix(w.seen(name).Admin, "http://") // where the path of a socket is too long
	if path, ok := strings.CutPrefix(at, "unix:"); ok {
		network, at = "unix", path
	}
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, at)
	}}}
	r, err := c.Get("http://localhost/metrics")
	if err != nil {
		w.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		w.Fatalf("%s, %v: %s", r.Status, err, text)
	}
	return string(text)
}

// watch is what was seen of a vertex that must not go to zero.
type watch struct {
	*background
	unknown bool // since the last forget
}

// until polls until something is so, and looks all the time.
func (w *watch) until(what string, so func(v *control.VertexStatus) bool) {
	w.Helper()
	w.background.until(what, func() bool {
		v, ok := w.vertex("a", "f")
		if !ok {
			return false
		}
		if v.Scale.Instances == 0 || v.Permits == 0 {
			w.Fatalf("%s: it is scaled to zero: %+v", what, v.Scale)
		}
		if v.Scale.Rate != nil && *v.Scale.Rate == 0 {
			w.Errorf("%s: no rate is known, and it is %+v", what, v.Scale)
		}
		w.unknown = w.unknown || v.Scale.Rate == nil
		return so(&v)
	})
}

// known waits until there is a rate, which there must not have been before.
func (w *watch) known(what string) {
	w.Helper()
	w.until("the rate "+what, func(v *control.VertexStatus) bool { return v.Scale.Rate != nil && v.Scale.Kind == scale.Steady })
	if !w.unknown {
		w.Errorf("%s the rate is known at once", what)
	}
	w.unknown = false
}

// TestInstanceUnderLoadNeverRests is A13 and B6: what counts dies, is loaded anew and
// begins anew while records come. A rate that is not known is no number, and never zero.
func TestInstanceUnderLoadNeverRests(t *testing.T) {
	w := &watch{background: newBackground(t)}
	w.write("p.yaml", steady)
	w.does(0, "create", "a", "-f", "p.yaml", "--wait")
	for range 2 {
		w.until("what it takes", func(v *control.VertexStatus) bool { return v.RecordsIn > 0 })
		if !w.unknown {
			t.Error("right after a start the rate is known")
		}
		w.unknown = false
		before := w.stored()
		if err := syscall.Kill(before.Worker, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		w.background.until("another worker", func() bool { s := w.stored(); return s.Worker != before.Worker && s.Ready })
	}
	w.known("after two kills")
	file := w.stored().Pipeline
	edit := func(what, text string) {
		t.Helper()
		before := w.stored().Revision
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		w.until(what, func(*control.VertexStatus) bool { return w.stored().Revision > before })
		w.known("after " + what)
	}
	edit("an edit that takes a generation", strings.Replace(steady, "order: input", "order: none", 1))
	w.write("plugins/identity.wasm", string(append(abitest.Identity(), 0, 3, 1, 'v', '2')))
	w.does(0, "reload", "--instance", "a")
	w.until("a rate that is not known after a swap", func(v *control.VertexStatus) bool { return w.unknown })
	if log := w.does(0, "logs", "a", "-n", "-1"); strings.Contains(log, `"to":0`) || strings.Contains(log, `"to": 0`) {
		t.Errorf("it was scaled to zero: %s", log)
	}
	w.does(0, "shutdown", "a")
}

// TestInstanceDrainsWhatRests is P4: a vertex that rests has records when it is paused, and when it
// is shut down.
func TestInstanceDrainsWhatRests(t *testing.T) {
	for name, text := range map[string]string{
		"a concurrency of 0": strings.Replace(followed, "concurrency: 3", "concurrency: 0", 1),
		"scaled to 0":        strings.Replace(followed, "concurrency: 3", "concurrency: 0, "+swift, 1),
	} {
		t.Run(name, func(t *testing.T) {
			w := newBackground(t)
			w.write("p.yaml", text)
			w.write("in.txt", "")
			w.does(0, "create", "a", "-f", "p.yaml", "--wait")
			w.append("in.txt", "one\ntwo\nthree\n")
			still := !strings.Contains(text, "scale")
			read := func(n, taken uint64) {
				t.Helper()
				var answer struct {
					Pipelines []struct {
						Vertices []control.VertexStatus
					}
				}
				w.until("what it reads", func() bool {
					return w.asJSON(&answer, "status", "a") == 0 && answer.Pipelines[0].Vertices[0].RecordsOut == n
				})
				if in := answer.Pipelines[0].Vertices[1].RecordsIn; still && in != taken {
					t.Errorf("what rests has taken %d, want %d", in, taken)
				}
			}
			read(3, 0)
			if out, _ := os.ReadFile(filepath.Join(w.dir, "out.txt")); still && len(out) > 0 { // it is there with the first checkpoint
				t.Errorf("what rests has written %q", out)
			}
			w.does(0, "phase", "a", "paused", "--instance", "a")
			var state struct {
				Pipelines []struct {
					State   string
					Drained bool
				}
			}
			w.until("the pause", func() bool { return w.asJSON(&state, "status", "a") == 0 && state.Pipelines[0].State == "paused" })
			if out := w.read("out.txt"); out != "one\ntwo\nthree\n" || !state.Pipelines[0].Drained {
				t.Errorf("paused, drained %v, it has written %q", state.Pipelines[0].Drained, out)
			}
			w.does(0, "phase", "a", "running", "--instance", "a")
			w.append("in.txt", "four\nfive\n")
			read(5, 3)
			if out := w.read("out.txt"); still && out != "one\ntwo\nthree\n" {
				t.Errorf("what rests has written %q", out)
			}
			if text := w.does(0, "shutdown", "a"); !strings.Contains(text, "all that was read is through") {
				t.Errorf("shutdown says %s", text)
			}
			if out := w.read("out.txt"); out != "one\ntwo\nthree\nfour\nfive\n" {
				t.Errorf("shut down, it has written %q", out)
			}
		})
	}
}
