package control

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
)

// fed is a record of a feed.
type fed struct {
	at         int64
	key, value string
}

// feed is a source of what its channel brings, which ends when that is closed.
type feed struct {
	batches chan []fed
	read    byte
}

// fedWith returns a source of records in batches of a size.
func fedWith(size int, records []fed) *feed {
	f := &feed{batches: make(chan []fed, len(records)/size+1)}
	for part := range slices.Chunk(records, size) {
		f.batches <- part
	}
	close(f.batches)
	return f
}

func (f *feed) Open(context.Context, stream.Position) error { return nil }
func (f *feed) Ack(context.Context, stream.Position) error  { return nil }
func (f *feed) Close() error                                { return nil }

func (f *feed) Position(dst []byte) stream.Position { return append(dst, f.read) }

func (f *feed) Read(ctx context.Context, b *stream.Batch) error {
	select {
	case records, more := <-f.batches:
		if !more {
			return io.EOF
		}
		f.read++
		for _, r := range records {
			b.Append(r.at, []byte(r.key), []byte(r.value), nil)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// heard is a record that came to a sink.
type heard struct {
	fed
	headers   map[string]string
	watermark stream.Watermark
}

// ear is a sink that keeps what it hears.
type ear struct {
	mu  sync.Mutex
	all []heard // guarded by mu
}

func (e *ear) Open(context.Context) error  { return nil }
func (e *ear) Flush(context.Context) error { return nil }
func (e *ear) Close() error                { return nil }

func (e *ear) Write(_ context.Context, b *stream.Batch) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, r := range b.Records {
		h := heard{fed{r.Time, string(b.Key(i)), string(b.Value(i))}, map[string]string{}, b.Watermark}
		for block := b.Headers(i); len(block) > 0; {
			name, value, rest, ok := abi.NextHeader(block)
			if !ok {
				break
			}
			h.headers[string(name)], block = string(value), rest
		}
		e.all = append(e.all, h)
	}
	return nil
}

// wired builds a pipeline of a text with plugins from a workshop, if it needs any,
// whose sources named in feeds read those, and whose sinks are all ears.
func wired(t *testing.T, w *workshop, text string, feeds map[string]*feed) (*config.Pipeline, *pipeline.Pipeline, map[string]*ear) {
	t.Helper()
	c, g := graphOf(t, w, text)
	ears := map[string]*ear{}
	for i := range g.Vertices {
		v := &g.Vertices[i]
		v.CallTime = 0 // calls are as large as they may be from the first on
		if f := feeds[string(v.Name)]; f != nil {
			v.Source = f
		}
		if v.Sink != nil {
			e := &ear{}
			v.Sink, ears[string(v.Name)] = e, e
		}
	}
	p, err := pipeline.New(g, pipeline.Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	return c, p, ears
}

func graphOf(t *testing.T, w *workshop, text string) (*config.Pipeline, pipeline.Graph) {
	t.Helper()
	c, err := config.LoadPipeline(config.Layers{Files: []config.File{{Name: "p.yaml", Data: []byte(text)}}}, Catalog())
	if err != nil {
		t.Fatal(err)
	}
	b := Builder{}
	if w != nil {
		b = Builder{Engine: w.engine, PluginsDir: w.dir}
	}
	g, err := b.Build(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return c, g
}

// plugin puts a plugin into the folder.
func (w *workshop) plugin(name string, module []byte) {
	w.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name+".wasm"), module, 0o600); err != nil {
		w.Fatal(err)
	}
}

// member returns a member of a JSON object as text.
func member(t *testing.T, object, name string) string {
	t.Helper()
	var all map[string]json.RawMessage
	if err := json.Unmarshal([]byte(object), &all); err != nil {
		t.Fatalf("%s: %v", object, err)
	}
	return string(all[name])
}
