package checkpoint_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/checkpoint/storetest"
	"github.com/wasmill/wasmill/host/stream"
)

// mended is a store in memory with another Create or Get.
type mended struct {
	checkpoint.Store
	create func(ctx context.Context, name string, data []byte) error
	get    func(ctx context.Context, name string) ([]byte, error)
}

func (m *mended) Create(ctx context.Context, name string, data []byte) error {
	if m.create != nil {
		return m.create(ctx, name, data)
	}
	return m.Store.Create(ctx, name, data)
}

func (m *mended) Get(ctx context.Context, name string) ([]byte, error) {
	if m.get != nil {
		return m.get(ctx, name)
	}
	return m.Store.Get(ctx, name)
}

func TestProbe(t *testing.T) {
	down := &stream.Error{Code: stream.StoreUnavailable, Why: "the store is down"}
	for _, c := range []struct {
		name   string
		change func(*mended)
		want   stream.Code
		says   string
	}{
		{"a store that keeps its promise", func(*mended) {}, "", ""},
		{"everybody wins", func(m *mended) { m.create = m.Put }, stream.StoreNotAtomic, "16 of 16 creates"},
		{"two win that have looked at the same time", func(m *mended) {
			var looked sync.WaitGroup
			looked.Add(2)
			tickets := make(chan bool, 2)
			tickets <- true
			tickets <- true
			m.create = func(ctx context.Context, name string, data []byte) error {
				select {
				case <-tickets:
					looked.Done()
					looked.Wait()
					return m.Put(ctx, name, data)
				default:
					return checkpoint.ErrExists
				}
			}
		}, stream.StoreNotAtomic, "2 of 16 creates"},
		{"nobody wins", func(m *mended) {
			m.create = func(context.Context, string, []byte) error { return checkpoint.ErrExists }
		}, stream.StoreNotAtomic, "all refused"},
		{"the winner's data is lost", func(m *mended) {
			m.get = func(context.Context, string) ([]byte, error) { return nil, checkpoint.ErrNotFound }
		}, stream.StoreNotAtomic, "is not what"},
		{"the data is a loser's", func(m *mended) {
			m.get = func(ctx context.Context, name string) ([]byte, error) {
				data, err := m.Store.Get(ctx, name)
				return bytes.ToLower(data), err
			}
		}, stream.StoreNotAtomic, "is not what"},
		{"some creates fail", func(m *mended) {
			m.create = func(ctx context.Context, name string, data []byte) error {
				if data[0]%2 == 0 {
					return down
				}
				return checkpoint.ErrExists
			}
		}, stream.StoreUnavailable, "the store is down"},
		{"reading back fails", func(m *mended) {
			m.get = func(context.Context, string) ([]byte, error) { return nil, down }
		}, stream.StoreUnavailable, "the store is down"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var place storetest.Place
			m := &mended{Store: place.Open()}
			c.change(m)
			err := checkpoint.Probe(t.Context(), m)
			if c.want == "" && err != nil || c.want != "" && (stream.CodeOf(err) != c.want || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("got %v, want %q that says %q", err, c.want, c.says)
			}
			for o := range m.List(t.Context(), "") {
				t.Errorf("%s is left", o.Name)
			}
		})
	}
}

func TestProbeCleansUpAfterItsContextHasEnded(t *testing.T) {
	var place storetest.Place
	ctx, cancel := context.WithCancel(t.Context())
	m := &mended{Store: place.Open()}
	m.get = func(context.Context, string) ([]byte, error) {
		cancel()
		return nil, ctx.Err()
	}
	if err := checkpoint.Probe(ctx, m); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	for o := range m.List(t.Context(), "") {
		t.Errorf("%s is left", o.Name)
	}
}
