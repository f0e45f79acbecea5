package checkpoint

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// verdict is what happens to a request.
type verdict int

const (
	pass   verdict = iota
	refuse         // it has no effect, and fails
	lose           // it has its effect, and fails
	hang           // it has no effect, and lasts as long as its context
)

var errAway = errors.New("503 slow down")

// memory is a Store whose requests may fail as a test says.
type memory struct {
	mu      sync.Mutex
	objects map[string]memoryObject
	now     time.Time
	fault   func(op, name string) verdict // may be nil; called with mu held
	before  func(op, name string)         // may be nil; called without
	gets    map[string]int
	puts    int
}

type memoryObject struct {
	data    []byte
	changed time.Time
}

func newMemory() *memory {
	return &memory{objects: make(map[string]memoryObject), now: midnight, gets: make(map[string]int)}
}

// do makes a request, whose effect is a function that runs with mu held.
func (m *memory) do(ctx context.Context, op, name string, effect func() error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if m.before != nil {
		m.before(op, name)
	}
	m.mu.Lock()
	v := pass
	if m.fault != nil {
		v = m.fault(op, name)
	}
	var err error
	if v == pass || v == lose {
		err = effect()
	}
	m.mu.Unlock()
	switch v {
	case hang:
		<-ctx.Done()
		return ctx.Err()
	case refuse, lose:
		return errAway
	}
	return err
}

func (m *memory) store(name string, data []byte) error {
	if err := CheckObject(name, len(data)); err != nil {
		return err
	}
	m.now = m.now.Add(time.Millisecond)
	m.objects[name] = memoryObject{slices.Clone(data), m.now}
	m.puts++
	return nil
}

func (m *memory) Create(ctx context.Context, name string, data []byte) error {
	return m.do(ctx, "create", name, func() error {
		if _, ok := m.objects[name]; ok {
			return ErrExists
		}
		return m.store(name, data)
	})
}

func (m *memory) Put(ctx context.Context, name string, data []byte) error {
	return m.do(ctx, "put", name, func() error { return m.store(name, data) })
}

func (m *memory) Get(ctx context.Context, name string) (data []byte, err error) {
	err = m.do(ctx, "get", name, func() error {
		o, ok := m.objects[name]
		if !ok {
			return ErrNotFound
		}
		m.gets[name]++
		data = slices.Clone(o.data)
		return nil
	})
	return data, err
}

func (m *memory) List(ctx context.Context, prefix string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		var all []Object
		err := m.do(ctx, "list", prefix, func() error {
			for _, name := range slices.Sorted(maps.Keys(m.objects)) {
				if o := m.objects[name]; strings.HasPrefix(name, prefix) {
					all = append(all, Object{name, int64(len(o.data)), o.changed})
				}
			}
			return nil
		})
		for _, o := range all {
			if !yield(o, nil) {
				return
			}
		}
		if err != nil {
			yield(Object{}, err)
		}
	}
}

func (m *memory) Delete(ctx context.Context, names ...string) error {
	for _, name := range names {
		err := m.do(ctx, "delete", name, func() error {
			delete(m.objects, name)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (m *memory) Close() error { return nil }

// names lists the objects below the pipeline's folder that contain a text.
func (m *memory) names(containing string) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []string
	for _, name := range slices.Sorted(maps.Keys(m.objects)) {
		if strings.Contains(name, containing) {
			all = append(all, name)
		}
	}
	return all
}

// change replaces an object behind everybody's back; nil removes it.
func (m *memory) change(name string, data []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o := m.objects[name]
	if o.data = data; data == nil {
		delete(m.objects, name)
		return
	}
	m.objects[name] = o
}

func (m *memory) read(name string) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.objects[name].data)
}

// faults makes the store do what a function says, until it is called again.
func (m *memory) faults(f func(op, name string) verdict) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fault = f
}

// claim returns a writer of the pipeline p.
func claim(t *testing.T, s Store) *Writer {
	t.Helper()
	w, err := Claim(t.Context(), WriterConfig{Store: s, Pipeline: "p", Wasmill: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

// write publishes a checkpoint that must succeed.
func write(t *testing.T, w *Writer, e stream.Epoch, snapshots ...Snapshot) *Manifest {
	t.Helper()
	m, err := w.Write(t.Context(), e, Info{Reason: ReasonInterval}, snapshots)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// tables is restored state: data by vertex and table, by group; a part that is not
// full is added to the end of each group.
type tables map[string][]string

func (ts tables) take(p RestoredPart) error {
	key := string(p.Vertex) + "/" + p.Table
	t := ts[key]
	for len(t) < p.To {
		t = append(t, "")
	}
	for g := p.From; g < p.To; g++ {
		if p.Full {
			t[g] = ""
		}
		t[g] += string(p.Data)
	}
	ts[key] = t
	return nil
}

// restore reads the newest checkpoint of p.
func restore(ctx context.Context, s Store) (*Recovery, tables, error) {
	var got tables
	r := &Reader{Store: s, Pipeline: "p", Concurrency: 3}
	out, err := r.Restore(ctx, func(*Manifest) (func(RestoredPart) error, error) {
		got = make(tables)
		return got.take, nil
	})
	return out, got, err
}
