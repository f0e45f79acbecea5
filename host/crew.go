package host

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// crew is the seats of a host. Its zero value has none.
type crew struct {
	mu     sync.Mutex // guards the rest
	seats  []*seat
	run    func(*seat) // nil = no seat runs yet
	closed bool        // no seat is added any more
	drain  chan struct{}
	wait   sync.WaitGroup // for what runs
}

// all returns the seats as they are now.
func (c *crew) all() []*seat {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.seats)
}

// add takes a seat, in the place of one that has ended; nil = behind all others. start, to
// be called once, runs it if others do. ok is false if the host ends: the seat is not
// taken then.
func (c *crew) add(s, instead *seat) (start func(), ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, false
	}
	c.seats = slices.Clone(c.seats)
	if i := slices.Index(c.seats, instead); i >= 0 {
		c.seats[i] = s
	} else {
		c.seats = append(c.seats, s)
	}
	if c.run == nil {
		return func() {}, true
	}
	c.wait.Add(1) // before it can be closed
	return func() {
		go func() {
			defer c.wait.Done()
			c.run(s)
		}()
	}, true
}

// remove lets go of a seat that has ended.
func (c *crew) remove(s *seat) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seats = slices.DeleteFunc(slices.Clone(c.seats), func(other *seat) bool { return other == s })
}

// runAll runs all seats, and those that are added, until each has ended; if it is to stay,
// until it is drained or ctx ends, too. The error joins those of the seats that it has then.
func (c *crew) runAll(ctx context.Context, stay bool, run func(*seat) error) error {
	c.mu.Lock()
	drained := c.drained()
	c.run = func(s *seat) { s.err = run(s) }
	for _, s := range c.seats {
		c.wait.Go(func() { c.run(s) })
	}
	if stay {
		c.wait.Go(func() {
			select {
			case <-drained:
			case <-ctx.Done():
				c.close()
			}
		})
	} else {
		c.closed = true
	}
	c.mu.Unlock()
	c.wait.Wait()
	var errs []error
	for _, s := range c.all() {
		errs = append(errs, s.err)
	}
	return errors.Join(errs...)
}

// close lets nobody add a seat any more.
func (c *crew) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
}

// leaves says that nobody comes any more.
func (c *crew) leaves() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// drained is closed when the crew is drained. It is called with mu held.
func (c *crew) drained() chan struct{} {
	if c.drain == nil {
		c.drain = make(chan struct{})
	}
	return c.drain
}

// drainAll ends the sources of all, for good.
func (c *crew) drainAll() {
	c.mu.Lock()
	c.closed = true
	select {
	case <-c.drained():
	default:
		close(c.drain)
	}
	seats := slices.Clone(c.seats)
	c.mu.Unlock()
	for _, s := range seats {
		s.drain()
	}
}
