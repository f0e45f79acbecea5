package pipeline

import (
	"sync"

	"github.com/wasmill/wasmill/host/stream"
)

// sequencer keeps what leaves a vertex in order. Each call gets a ticket when
// its input is taken; a watermark or barrier taken in between is due when all
// calls with earlier tickets are finished.
type sequencer struct {
	mu      sync.Mutex
	turn    sync.Cond
	next    uint64     // guarded by mu; the next ticket
	oldest  *call      // guarded by mu; unfinished calls in the order of tickets
	newest  *call      // guarded by mu
	marks   ring[mark] // guarded by mu; in the order of tickets
	aborted bool       // guarded by mu

	emit sync.Mutex // held while marks that are due are sent
}

// mark is a watermark or barrier that follows the calls before its ticket.
type mark struct {
	ticket uint64
	item   stream.Item
}

func newSequencer() *sequencer {
	s := &sequencer{}
	s.turn.L = &s.mu
	return s
}

// begin gives a call its ticket.
func (s *sequencer) begin(c *call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.ticket, c.older, c.newer = s.next, s.newest, nil
	s.next++
	if s.newest == nil {
		s.oldest = c
	} else {
		s.newest.newer = c
	}
	s.newest = c
}

// mark puts an item after all calls that have a ticket.
func (s *sequencer) mark(it stream.Item) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*s.marks.push() = mark{s.next, it}
}

// wait blocks until all calls with earlier tickets are finished, or returns
// false when the pipeline is aborted.
func (s *sequencer) wait(c *call) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.oldest != c && !s.aborted {
		s.turn.Wait()
	}
	return !s.aborted
}

// finish says that everything of a call has been sent.
func (s *sequencer) finish(c *call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.older == nil {
		s.oldest = c.newer
	} else {
		c.older.newer = c.newer
	}
	if c.newer == nil {
		s.newest = c.older
	} else {
		c.newer.older = c.older
	}
	c.older, c.newer = nil, nil
	s.turn.Broadcast()
}

// release sends the marks that are due, in order. Any goroutine may call it.
func (s *sequencer) release(send func(stream.Item) error) error {
	s.emit.Lock()
	defer s.emit.Unlock()
	for {
		it, ok := s.due()
		if !ok {
			return nil
		}
		if err := send(it); err != nil {
			return err
		}
	}
}

// due takes the first mark if no unfinished call precedes it.
func (s *sequencer) due() (stream.Item, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.marks.len() == 0 {
		return stream.Item{}, false
	}
	first := *s.marks.at(0)
	if s.oldest != nil && s.oldest.ticket < first.ticket {
		return stream.Item{}, false
	}
	s.marks.pop()
	return first.item, true
}

// abort ends every wait.
func (s *sequencer) abort() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.aborted = true
	s.turn.Broadcast()
}
