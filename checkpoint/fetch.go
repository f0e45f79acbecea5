package checkpoint

import (
	"context"
	"sync"
)

// fetch gets the objects of a checkpoint when they are asked for, and some ahead, in
// the order in which they are first needed. It keeps each until the last part that
// is in it has it.
type fetch struct {
	s     *partStream
	ctx   context.Context
	order []int // objects by first use

	mu      sync.Mutex
	next    int // index in order of what to fetch ahead
	objects map[int]*fetched
	held    int // begun and not yet forgotten
}

type fetched struct {
	uses  int // parts that still need it
	begun bool
	ready chan struct{} // closed when data and err are there
	data  []byte
	err   error
}

func newFetch(ctx context.Context, s *partStream) *fetch {
	f := &fetch{s: s, ctx: ctx, objects: make(map[int]*fetched)}
	for _, p := range s.plan {
		for _, x := range p.state.At {
			o := f.objects[x.Object]
			if o == nil {
				o = &fetched{ready: make(chan struct{})}
				f.objects[x.Object] = o
				f.order = append(f.order, x.Object)
			}
			o.uses++
		}
	}
	return f
}

// use returns an object. Each part calls it once, and release after that.
func (f *fetch) use(ctx context.Context, i int) ([]byte, error) {
	f.mu.Lock()
	o := f.objects[i]
	f.begin(i)
	f.ahead()
	f.mu.Unlock()
	select {
	case <-o.ready:
		return o.data, o.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// ahead begins to fetch what comes next, as long as there is room.
func (f *fetch) ahead() {
	for ; f.next < len(f.order) && f.held <= f.s.limit; f.next++ {
		f.begin(f.order[f.next])
	}
}

// begin fetches an object unless that has begun, or it is not needed any more.
func (f *fetch) begin(i int) {
	o := f.objects[i]
	if o == nil || o.begun {
		return
	}
	o.begun = true
	f.held++
	f.s.group.Go(func() {
		about := f.s.m.Objects[i]
		o.data, o.err = getObject(f.ctx, f.s.store, f.s.layout.object(about.Name), about)
		close(o.ready)
	})
}

// release says that a part has what it needs of an object.
func (f *fetch) release(i int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	o := f.objects[i]
	if o.uses--; o.uses == 0 {
		f.held--
		delete(f.objects, i)
	}
}
