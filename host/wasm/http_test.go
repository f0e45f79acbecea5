package wasm

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm/fetch"
)

// asks is the configuration of a vertex whose guest may sleep and ask a server.
func asks(t testing.TB, s *httptest.Server) Config {
	t.Helper()
	rule, err := fetch.ParseRule(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return Config{
		Vertex: "v", Grant: []abi.Capability{abi.CapabilityHTTP, abi.CapabilitySleep},
		HTTP: fetch.Policy{Allow: []fetch.Rule{rule}, MaxBytes: 1 << 20, Timeout: time.Minute},
	}
}

// httpGuest builds one of the guests that ask for the URL in their record.
func httpGuest(t testing.TB, name string) []byte {
	t.Helper()
	if !exists("/usr/bin/rustc") || !exists("/usr/bin/clang") {
		needGuests(t, "clang and rustc are not installed")
	}
	return buildGuest(t, "http", name)
}

func TestGuestsOfEveryLanguageAskOverHTTP(t *testing.T) {
	large := strings.Repeat("large ", 100_000)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header()["Date"] = nil
		switch r.URL.Path {
		case "/large":
			io.WriteString(w, large)
		case "/too-large":
			io.WriteString(w, large+large)
		default:
			w.Header().Set("X-Path", r.URL.Path)
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprintf(w, "%s %s %s", r.Method, r.Header.Get("X-Guest"), body)
		}
	}))
	defer s.Close()
	e := newEngine(t)
	for _, name := range []string{"chttp", "rusthttp", "gohttp", "zighttp", "ashttp"} {
		t.Run(name, func(t *testing.T) {
			c := asks(t, s)
			var denied []string
			c.Events.RequestDenied = func(v stream.VertexID, target, why string) {
				denied = append(denied, fmt.Sprint(v, " ", target, " ", why))
			}
			p := mustLoad(t, e, httpGuest(t, name))
			tr := mustTransform(t, p, c)
			in := batchOf([]abitest.Record{
				{Key: "body", Value: s.URL + "/none"}, {Value: s.URL + "/large"}, {Value: s.URL + "/too-large"},
				{Value: "http://169.254.169.254/latest"}, {Value: "gopher://x"}, {Key: "2", Value: s.URL},
			})
			out := stream.Output{Batch: (&stream.BatchPool{}).New()}
			if err := tr.Call(t.Context(), in, &out); err != nil {
				t.Fatal(err)
			}
			values := []string{"404 POST yes body", "200 " + large, "404 POST yes 2"}
			for k, r := range recordsOf(out.Batch) {
				if k >= len(values) || r.Value != values[k] {
					t.Errorf("record %d is %.100q", k, r.Value)
				}
			}
			block := []byte(recordsOf(out.Batch)[0].Headers)
			if path, ok := abi.LookupHeader(block, "x-path"); !ok || string(path) != "/none" {
				t.Errorf("headers are %q", block)
			}
			for k, want := range []string{"-4: the answer is larger", "-2: http://169.254.169.254 is not listed", "-1: the URL does not begin"} {
				if f := out.Failures; len(f) != 3 || f[k].Input != k+2 || !strings.HasPrefix(f[k].Reason, want) {
					t.Fatalf("failures are %+v", f)
				}
			}
			if len(denied) != 1 || denied[0] != "v http://169.254.169.254 http://169.254.169.254 is not listed in http.allow" {
				t.Errorf("reported %q", denied)
			}
			for _, f := range p.Check(t.Context(), nil) {
				if f.Err != nil {
					t.Errorf("%s: %v", f.Check, f.Err)
				}
			}
		})
	}
}

func TestDenialsAreReportedAtTheRateOfLogLines(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	c := asks(t, s)
	var denied int
	var said []string
	c.Events.RequestDenied = func(stream.VertexID, string, string) { denied++ }
	c.Events.GuestLog = func(_ stream.VertexID, _ stream.GuestLevel, text string) { said = append(said, text) }
	limits := DefaultLimits()
	limits.LogLines = 3
	c.Instances, c.Tags = 1, stream.NewTagTable()
	tr, err := mustLoadLimited(t, newEngine(t), httpGuest(t, "chttp"), limits).Transform(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	tr.vertex.said.began = time.Now().Add(time.Hour) // the second does not end
	in := batchOf(slices.Repeat([]abitest.Record{{Value: "http://10.0.0.1"}}, 500))
	out := stream.Output{Batch: (&stream.BatchPool{}).New()}
	if err := tr.Call(t.Context(), in, &out); err != nil {
		t.Fatal(err)
	}
	if err := tr.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if denied != 3 || len(said) != 1 || !strings.HasPrefix(said[0], "497 lines more") {
		t.Errorf("%d denials were reported, and %q", denied, said)
	}
}

func TestGuestsThatWaitForAServerHoldUpNobody(t *testing.T) {
	const n = 64
	var together sync.WaitGroup // the server answers when all have asked
	together.Add(n)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		together.Done()
		together.Wait()
		io.WriteString(w, "all")
	}))
	defer s.Close()
	e := newEngine(t)
	e.Bound(1)
	c := asks(t, s)
	c.Instances = n
	tr := mustTransform(t, mustLoad(t, e, httpGuest(t, "chttp")), c)
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			out := stream.Output{Batch: (&stream.BatchPool{}).New()}
			if err := tr.Call(t.Context(), batchOf([]abitest.Record{{Value: s.URL}}), &out); err != nil || len(out.Failures) > 0 {
				t.Error(err, out.Failures)
			} else if got := recordsOf(out.Batch)[0].Value; got != "200 all" {
				t.Errorf("got %q", got)
			}
		})
	}
	all.Wait()
}

func TestARequestEndsWithItsCall(t *testing.T) {
	asked := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
	}))
	defer s.Close()
	tr := mustTransform(t, mustLoad(t, newEngine(t), httpGuest(t, "chttp")), asks(t, s))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	out := stream.Output{Batch: (&stream.BatchPool{}).New()}
	if err := tr.Call(ctx, batchOf([]abitest.Record{{Value: s.URL}}), &out); err == nil {
		t.Error("the call went on without its context")
	}
}

// BenchmarkWaitingInstances measures the memory of 2,000 instances of a small
// guest in C, all of which wait.
func BenchmarkWaitingInstances(b *testing.B) {
	const n = 2000
	guest := httpGuest(b, "nap")
	for b.Loop() {
		tr := mustTransform(b, mustLoad(b, newEngine(b), guest), Config{Vertex: "v", Instances: n, Grant: []abi.Capability{abi.CapabilitySleep}})
		debug.FreeOSMemory()
		before := resident(b)
		ctx, cancel := context.WithCancel(b.Context())
		var all sync.WaitGroup
		for range n {
			all.Go(func() {
				out := stream.Output{Batch: (&stream.BatchPool{}).New()}
				_ = tr.Call(ctx, batchOf([]abitest.Record{{Value: "x"}}), &out)
			})
		}
		for tr.pool.live.Load() < n {
			time.Sleep(time.Millisecond)
		}
		debug.FreeOSMemory() // what starting them left behind
		b.ReportMetric(float64(resident(b)-before)/n, "B/instance")
		cancel()
		all.Wait()
	}
}

// resident returns the memory that the process has, in bytes.
func resident(b *testing.B) int {
	b.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Skip(err)
	}
	var mapped, pages int
	if _, err := fmt.Sscan(string(text), &mapped, &pages); err != nil {
		b.Fatal(err)
	}
	return pages * os.Getpagesize()
}
