package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/host/control"
	"github.com/wasmill/wasmill/host/stream"
)

// slowly takes a tenth of a second for a record.
type slowly struct{}

func (slowly) Call(ctx context.Context, in *stream.Batch, out *stream.Output) error {
	for i := range in.Records {
		time.Sleep(100 * time.Millisecond)
		out.AppendFrom(in, i)
	}
	return nil
}

func (slowly) Close(context.Context) error { return nil }

// keyed gives records their first letter as the key.
type keyed struct{ slowly }

func (keyed) Call(_ context.Context, in *stream.Batch, out *stream.Output) error {
	for i := range in.Records {
		out.AppendFrom(in, i)
		out.SetKey(i, in.Value(i)[:1])
	}
	return nil
}

// scaling is a pipeline in a bubble of synctest, with a vertex f that is scaled.
type scaling struct {
	*testing.T
	*Host
	file  string
	in    *io.PipeWriter
	fed   atomic.Int64
	ended chan error

	mu      sync.Mutex // guards the rest
	out     bytes.Buffer
	changes []stream.ScaleChange
}

const usualScale = "{min: 0, max: 8, lookback: 30s, targetProcessing: 5s, cooldownUp: 5s, cooldownDown: 10s, stepUp: 2, stepDown: 2}"

// scaledText is a pipeline of stdin, or another source.
func scaledText(source, more string) string {
	return fmt.Sprintf(`name: p
%s
vertices:
  - {name: in, source: %s}
  - {name: k, udf: {plugin: keyed}, concurrency: 1, order: input}
  - {name: f, udf: {plugin: slowly}, order: key, batch: {maxRecords: 1}, %s}
  - {name: out, sink: stdout}
edges:
  - {from: in, to: k}
  - {from: k, to: f}
  - {from: f, to: out}
`, checkpointsOf(source), source, more)
}

func checkpointsOf(source string) string {
	if source == "stdin" {
		return ""
	}
	return "checkpoint: {storage: file://./cp, interval: 1h}"
}

// openScaling opens it and runs it.
func openScaling(t *testing.T, text string, set ...string) *scaling {
	t.Helper()
	return newScaling(t, text, set...).run()
}

// newScaling opens it.
func newScaling(t *testing.T, text string, set ...string) *scaling {
	t.Helper()
	dir := t.TempDir()
	s := &scaling{T: t, file: filepath.Join(dir, "p.yaml"), ended: make(chan error, 1)}
	s.write(text)
	r, w := io.Pipe()
	s.in = w
	var err error
	s.Host, err = Open(context.Background(), Options{
		Files: []string{s.file}, Set: append([]string{"data.dir=" + dir, "cache.dir=" + t.TempDir()}, set...), Stdin: r, Stdout: s,
		Native: map[string]func() stream.Transform{
			"slowly": func() stream.Transform { return slowly{} },
			"keyed":  func() stream.Transform { return keyed{} },
			"late": func() stream.Transform {
				time.Sleep(5 * time.Second)
				return slowly{}
			},
		},
		Events: func(string) stream.Events {
			return stream.Events{Scaled: func(c stream.ScaleChange) {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.changes = append(s.changes, c)
			}}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// run runs it.
func (s *scaling) run() *scaling {
	go func() { s.ended <- s.Host.Run(context.Background()) }()
	synctest.Wait()
	return s
}

// Write is what the sink does.
func (s *scaling) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.Write(p)
}

// told returns what was told of.
func (s *scaling) told() []stream.ScaleChange {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.changes)
}

func (s *scaling) write(text string) {
	s.Helper()
	if err := os.WriteFile(s.file, []byte(text), 0o600); err != nil {
		s.Fatal(err)
	}
}

// reload puts another config in force.
func (s *scaling) reload(text string) {
	s.Helper()
	s.write(text)
	if _, err := s.Reload(context.Background()); err != nil {
		s.Fatal(err)
	}
	synctest.Wait()
}

// feed lets records come evenly for a time, numbered: of 26 keys, so that it is no matter
// which of them share a slot.
func (s *scaling) feed(rate int, d time.Duration) {
	s.Helper()
	for range rate * int(d/time.Second) {
		time.Sleep(time.Second / time.Duration(rate))
		n := s.fed.Add(1)
		if _, err := fmt.Fprintf(s.in, "%c%d\n", rune('a'+n%26), n); err != nil {
			s.Error(err)
		}
	}
}

// look returns the status of f.
func (s *scaling) look() control.VertexStatus {
	s.Helper()
	synctest.Wait()
	all := s.Status().Pipelines[0].Vertices
	return all[slices.IndexFunc(all, func(v control.VertexStatus) bool { return v.Vertex == "f" })]
}

// wants fails if f has another number of instances.
func (s *scaling) wants(n int) {
	s.Helper()
	v := s.look()
	if v.Scale == nil || v.Scale.Instances != n || v.Permits != n {
		s.Errorf("%d calls and %+v, want %d", v.Permits, v.Scale, n)
	}
}

// end ends it, and looks at what came out: all there is, and in order by key.
func (s *scaling) end() {
	s.Helper()
	s.in.Close()
	s.Drain()
	if err := <-s.ended; err != nil {
		s.Error(err)
	}
	if err := s.Close(context.Background()); err != nil {
		s.Error(err)
	}
	last, got := map[byte]int{}, 0
	for line := range strings.Lines(s.out.String()) {
		n, err := strconv.Atoi(strings.TrimSpace(line[1:]))
		if before, ok := last[line[0]]; err != nil || ok && n <= before {
			s.Errorf("%q after %d: %v", line, before, err)
		}
		last[line[0]] = n
		got++
	}
	if fed := int(s.fed.Load()); fed > 0 && got != fed {
		s.Errorf("%d of %d records came through", got, fed)
	}
}

// endAnyhow ends it with what came out not looked at: another generation may write again
// to stdout what the one before wrote after its last checkpoint.
func (s *scaling) endAnyhow() {
	s.Helper()
	s.in.Close()
	s.Drain()
	if err := errors.Join(<-s.ended, s.Close(context.Background())); err != nil {
		s.Error(err)
	}
}

// came waits until n more records came through, and returns how long that took.
func (s *scaling) came(n int) time.Duration {
	began := time.Now()
	count := func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		return bytes.Count(s.out.Bytes(), []byte("\n"))
	}
	for want := count() + n; count() < want; time.Sleep(time.Millisecond) {
	}
	return time.Since(began)
}
