package host

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/checkpoint/dir"
	"github.com/wasmill/wasmill/checkpoint/storetest/s3server"
	"github.com/wasmill/wasmill/host/control"
	"github.com/wasmill/wasmill/host/stream"
)

// checkpointed is a host that runs a pipeline without an end and takes checkpoints.
type checkpointed struct {
	*testing.T
	*Host
	ended  chan error
	failed chan string // why checkpoints did; the first of them
}

// openCheckpointed opens and runs one with its checkpoints in a storage. It serves
// pages, and has ended with the test.
func openCheckpointed(t *testing.T, storage, more string, set ...string) *checkpointed {
	t.Helper()
	file := filepath.Join(t.TempDir(), "p.yaml")
	text := fmt.Sprintf(`name: p
vertices:
  - {name: in, source: {generator: {rate: 1000}}}
  - {name: n, aggregate: count, window: {global: true}, key: {key: true}}
  - {name: out, sink: {file: {path: out.txt}}}
edges: [{from: in, to: n}, {from: n, to: out}]
checkpoint: {storage: %q, interval: 20ms%s}
`, storage, more)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	failed := make(chan string, 1)
	events := func(string) stream.Events {
		return stream.Events{CheckpointFailed: func(_ stream.Epoch, err error) {
			select {
			case failed <- err.Error():
			default:
			}
		}}
	}
	h, err := Open(t.Context(), Options{Files: []string{file}, Events: events, Admin: true, Set: append(set, "admin.listen=127.0.0.1:0", "data.dir="+t.TempDir()), Env: []string{"KEY=test"}})
	if err != nil {
		t.Fatal(err)
	}
	c := &checkpointed{t, h, make(chan error, 1), failed}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	go func() { c.ended <- h.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		c.end()
		if err := h.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return c
}

// end waits for the end, once or again.
func (c *checkpointed) end() error {
	err := <-c.ended
	c.ended <- err
	return err
}

// status is that of the checkpoints, as /status has it.
func (c *checkpointed) status() *control.CheckpointStatus {
	c.Helper()
	var s Status
	if err := json.Unmarshal([]byte(page(c.Host, "/status")), &s); err != nil || s.Pipelines[0].Checkpoint == nil {
		c.Fatalf("the status is %+v, %v", s, err)
	}
	return s.Pipelines[0].Checkpoint
}

// series returns the value of a metric of checkpoints, with its further labels.
func (c *checkpointed) series(name, labels string) (value float64) {
	c.Helper()
	want := fmt.Sprintf(`wasmill_checkpoint_%s{pipeline="p"%s} `, name, labels)
	for line := range strings.Lines(page(c.Host, "/metrics")) {
		if rest, ok := strings.CutPrefix(line, want); ok {
			if _, err := fmt.Sscan(rest, &value); err != nil {
				c.Fatal(err)
			}
			return value
		}
	}
	c.Fatalf("there is no %s", want)
	return 0
}

// until polls for something to become true.
func (c *checkpointed) until(what string, is func() bool) {
	c.Helper()
	for range 12_000 { // a minute
		if is() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	c.Fatalf("%s: it did not come to that: %+v", what, c.status())
}

func TestCheckpointsAreInStatusAndMetrics(t *testing.T) {
	folder := t.TempDir()
	c := openCheckpointed(t, "file://"+folder, "")
	c.until("three are complete", func() bool { return c.status().Completed >= 3 })
	s := c.status()
	if *s.Interval != 0.02 || s.By != checkpoint.ByConfig || s.Revision != 1 || s.Next == nil || s.Last == nil || s.Last.Epoch < 3 || s.Last.Age < 0 || s.Last.Age > 60 || s.Restored != nil || s.Adaptive != nil || s.LastError != nil {
		t.Errorf("the status is %+v", s)
	}
	for _, phase := range []string{"align", "pause", "upload", "commit"} {
		if n := c.series("duration_seconds_count", `,phase="`+phase+`"`); n < 3 {
			t.Errorf("%s has %g durations", phase, n)
		}
		if sum := c.series("duration_seconds_sum", `,phase="`+phase+`"`); sum <= 0 {
			t.Errorf("%s took %g s", phase, sum)
		}
	}
	if c.series("bytes_total", `,kind="full"`) == 0 || c.series("completed_total", "") < 3 || c.series("interval_seconds", "") != 0.02 || c.series("restore_seconds", "") <= 0 {
		t.Error("figures are missing")
	}
	c.until("old ones are collected", func() bool { n := c.status().Kept; return n != nil && *n == 3 })
	c.until("the metrics say so", func() bool { return c.series("kept_epochs", "") == 3 })

	h, err := Open(t.Context(), Options{Files: []string{c.Pipelines()[0].File}})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close(t.Context())
	if n, err := h.Kept(t.Context(), h.Pipelines()[0]); err != nil || n < 3 {
		t.Errorf("there are %d, %v", n, err)
	}
	c.Drain()
	if err := c.end(); err != nil {
		t.Fatal(err)
	}
	last := c.Status().Pipelines[0].Checkpoint
	again := openCheckpointed(t, "file://"+folder, "")
	again.until("it is restored", func() bool { return again.status().Restored != nil })
	if r := again.status(); r.Restored.Epoch != last.Last.Epoch || r.Restored.Seconds <= 0 || r.Restored.Bytes == 0 || r.Revision != 2 {
		t.Errorf("it went on from %+v, where the last was %+v", r.Restored, last.Last)
	}
}

// openInBucket is openCheckpointed with a server that can break.
func openInBucket(t *testing.T, more string) (*checkpointed, *s3server.Server) {
	server := s3server.Start()
	server.AccessKey = "test"
	t.Cleanup(server.Close)
	c := openCheckpointed(t, "s3://"+server.Bucket, more, "s3.endpoint="+server.Endpoint(), "s3.accessKey.env=KEY", "s3.secretKey.env=KEY", "s3.requestTimeout=30s")
	return c, server
}

func TestFailuresOfCheckpointsAreCountedByReason(t *testing.T) {
	denied := s3server.Fault{Status: 403, Code: "AccessDenied"}
	reasons := []string{"snapshot", "upload", "timeout", "commit", "fenced"}
	for _, test := range []struct {
		reason, timeout, key string
		fault                s3server.Fault
		says                 string
	}{
		{"upload", "0s", "manifest", denied, "AccessDenied"},
		{"timeout", "3s", "manifest", s3server.Fault{Hang: true}, "not published within 3s"},
		{"commit", "0s", "committed", denied, "AccessDenied"},
		{"commit", "3s", "committed", s3server.Fault{Hang: true}, "its sinks did not commit in time"},
	} {
		t.Run(test.reason+" "+test.timeout, func(t *testing.T) {
			t.Parallel() // they wait for retries
			c, server := openInBucket(t, ", tolerableFailures: 1000, timeout: "+test.timeout)
			t.Cleanup(server.Heal)
			c.until("one is complete", func() bool { return c.status().Completed >= 1 })
			server.Break("PUT", test.key, 0, test.fault)
			failures := func(reason string) float64 { return c.series("failures_total", `,reason="`+reason+`"`) }
			c.until("it fails", func() bool { return failures(test.reason) > 0 })
			for _, other := range reasons {
				if n := failures(other); n > 0 && other != test.reason {
					t.Errorf("%g failures of %s are counted", n, other)
				}
			}
			if said := <-c.failed; !strings.Contains(said, test.says) {
				t.Errorf("it was said that %s", said)
			}
			if s := c.status(); s.LastError == nil || strings.Contains(*s.LastError, "\n") {
				t.Errorf("the last error is %v", s.LastError)
			}
		})
	}
}

func TestARunThatIsFencedCountsIt(t *testing.T) {
	folder := t.TempDir()
	c := openCheckpointed(t, "file://"+folder, "")
	c.until("one is complete", func() bool { return c.status().Completed >= 1 })
	store, err := dir.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	other, err := checkpoint.Claim(t.Context(), checkpoint.WriterConfig{Store: store, Pipeline: "p"})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := c.end(); stream.ExitCode(err) != stream.ExitFenced {
		t.Errorf("the run ended with %v", err)
	}
	if n := c.Pipelines()[0].Durable.Checkpoints().Totals.Failures; n.Fenced != 1 || n.Timeout+n.Upload+n.Commit+n.Snapshot != 0 {
		t.Errorf("counted are %+v", n)
	}
}

func TestAnEndThatWaitsForACheckpointSaysSo(t *testing.T) {
	c, server := openInBucket(t, "")
	c.until("one is complete", func() bool { return c.status().Completed >= 1 })
	server.Break("PUT", "manifest", 0, s3server.Fault{Hang: true})
	c.Drain()
	c.until("it is all there is", func() bool {
		err := c.Stuck(time.Second)
		return err != nil && strings.Contains(err.Error(), "not through after 1s: checkpoint ") && strings.Contains(err.Error(), "is publishing for ")
	})
	server.Heal()
	if err := c.end(); err != nil {
		t.Fatal(err)
	}
	if err := c.Stuck(time.Second); err != nil {
		t.Error(err)
	}
}

func TestWhatTheEndWaitsFor(t *testing.T) {
	wrong := "s3://b: no"
	for want, c := range map[string]*control.CheckpointStatus{
		"[]": nil,
		"[checkpoint 4 (final) is aligning for 1.5 s and waits for [a b]]":              {InFlight: []control.CheckpointFlight{{Epoch: 4, Reason: "final", Phase: "aligning", Age: 1.5, WaitsFor: []stream.VertexID{"a", "b"}}}},
		"[checkpoint 4 (final) is committing for 1.5 s; the error before: s3://b: no]":  {InFlight: []control.CheckpointFlight{{Epoch: 4, Reason: "final", Phase: "committing", Age: 1.5}}, InARow: 1, LastError: &wrong},
		"[the last checkpoint failed and is tried again; the error before: s3://b: no]": {InARow: 1, LastError: &wrong},
	} {
		if got := fmt.Sprint(unfinished(c)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got := unfinished(&control.CheckpointStatus{LastError: &wrong}); got != nil {
		t.Errorf("an error that is over: %v", got)
	}
}
