package storetest

import (
	"bytes"
	"context"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wasmill/wasmill/checkpoint"
)

// Place is where stores in memory keep their objects, as a bucket is: several
// stores may share one.
type Place struct {
	mu      sync.Mutex // guards objects
	objects map[string]kept
}

type kept struct {
	data    []byte
	changed time.Time
}

// Open returns a store of the objects of this place.
func (p *Place) Open() checkpoint.Store { return &memory{place: p} }

// memory is a store in memory.
type memory struct {
	place  *Place
	mu     sync.Mutex // guards closed
	closed bool
}

func (m *memory) ready(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return fs.ErrClosed
	}
	return ctx.Err()
}

func (m *memory) Create(ctx context.Context, name string, data []byte) error {
	return m.store(ctx, name, data, false)
}

func (m *memory) Put(ctx context.Context, name string, data []byte) error {
	return m.store(ctx, name, data, true)
}

func (m *memory) store(ctx context.Context, name string, data []byte, replace bool) error {
	if err := checkpoint.CheckObject(name, len(data)); err != nil {
		return err
	}
	if err := m.ready(ctx); err != nil {
		return err
	}
	p := m.place
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, there := p.objects[name]; there && !replace {
		return checkpoint.ErrExists
	}
	if p.objects == nil {
		p.objects = map[string]kept{}
	}
	p.objects[name] = kept{data: bytes.Clone(data), changed: time.Now()}
	return nil
}

func (m *memory) Get(ctx context.Context, name string) ([]byte, error) {
	if err := checkpoint.CheckName(name); err != nil {
		return nil, err
	}
	if err := m.ready(ctx); err != nil {
		return nil, err
	}
	m.place.mu.Lock()
	defer m.place.mu.Unlock()
	object, ok := m.place.objects[name]
	if !ok {
		return nil, checkpoint.ErrNotFound
	}
	return bytes.Clone(object.data), nil
}

func (m *memory) List(ctx context.Context, prefix string) iter.Seq2[checkpoint.Object, error] {
	return func(yield func(checkpoint.Object, error) bool) {
		if err := m.ready(ctx); err != nil {
			yield(checkpoint.Object{}, err)
			return
		}
		m.place.mu.Lock()
		objects := maps.Clone(m.place.objects)
		m.place.mu.Unlock()
		for _, name := range slices.Sorted(maps.Keys(objects)) {
			if !strings.HasPrefix(name, prefix) {
				continue
			}
			if err := ctx.Err(); err != nil {
				yield(checkpoint.Object{}, err)
				return
			}
			o := objects[name]
			if !yield(checkpoint.Object{Name: name, Bytes: int64(len(o.data)), Changed: o.changed}, nil) {
				return
			}
		}
	}
}

func (m *memory) Delete(ctx context.Context, names ...string) error {
	for _, name := range names {
		if err := checkpoint.CheckName(name); err != nil {
			return err
		}
	}
	if err := m.ready(ctx); err != nil {
		return err
	}
	m.place.mu.Lock()
	defer m.place.mu.Unlock()
	for _, name := range names {
		delete(m.place.objects, name)
	}
	return nil
}

func (m *memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}
