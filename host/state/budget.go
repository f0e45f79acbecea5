package state

import (
	"fmt"
	"sync/atomic"

	"github.com/wasmill/wasmill/host/stream"
)

// Budget bounds the bytes that the stores and timers of a vertex hold together.
// Any number of goroutines may use one.
type Budget struct {
	where string
	max   int64
	held  atomic.Int64 // by tables; at most max but for what is forced

	copies atomic.Int64 // clones for views and notes of changes, which nothing is refused for
}

// NewBudget returns a budget of max bytes, 0 for no bound. Its errors say where.
func NewBudget(where string, max int64) *Budget { return &Budget{where: where, max: max} }

// Held returns the bytes held at the moment.
func (b *Budget) Held() int64 { return b.held.Load() + b.copies.Load() }

// over says that tables hold far more than they may.
func (b *Budget) over() bool { return b.max > 0 && b.held.Load() > b.max+b.max/4 }

func (b *Budget) take(n int64) bool {
	if held := b.held.Add(n); b.max > 0 && held > b.max && n > 0 {
		b.held.Add(-n)
		return false
	}
	return true
}

// full returns why an entry of size bytes found no room.
func (b *Budget) full(size int) error {
	e := &stream.Error{
		Code: stream.StateFull, Where: b.where,
		Why: fmt.Sprintf("the state holds %d of at most %d bytes and has no room for an entry of %d bytes", b.held.Load(), b.max, size),
		Fix: "raise state.maxBytes of the vertex, or keep less: give entries a TTL, use shorter windows or delete what is done",
	}
	switch {
	case size > maxEntry:
		e.Why = fmt.Sprintf("an entry of %d bytes is over the %d that one may have", size, maxEntry)
		e.Fix = "split the value over several keys"
	case b.max == 0:
		e.Why, e.Fix = "a key group has no place for another entry", "use keys that spread over more key groups"
	}
	return e
}

// purse is what one group draws on: room put aside for it, then the budget.
type purse struct {
	budget *Budget
	room   int64        // taken from the budget and not used yet
	owned  atomic.Int64 // in use by the group
	forced bool         // draw even past the budget
}

// draw accounts for n more bytes in use and reports whether it may. A negative
// n gives bytes back.
func (p *purse) draw(n int64) bool {
	fromRoom := min(p.room, max(n, 0))
	if !p.budget.take(n - fromRoom) {
		if !p.forced {
			return false
		}
		p.budget.held.Add(n - fromRoom)
	}
	p.room -= fromRoom
	p.owned.Add(n)
	return true
}

// reserve raises the room to n bytes.
func (p *purse) reserve(n int64) bool {
	more := n - p.room
	if more > 0 {
		if !p.budget.take(more) {
			return false
		}
		p.room = n
	}
	return true
}

// release gives the room back.
func (p *purse) release() {
	if p.room > 0 {
		p.budget.held.Add(-p.room)
		p.room = 0
	}
}
