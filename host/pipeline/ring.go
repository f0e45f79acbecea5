package pipeline

// ring is a queue that reuses its memory. The zero value is empty.
type ring[T any] struct {
	buf  []T // length is a power of two
	head int // index of the first element, not reduced
	tail int // index after the last
}

func (r *ring[T]) len() int { return r.tail - r.head }

// at returns element i from the front, 0 ≤ i < len, valid until the next push.
func (r *ring[T]) at(i int) *T { return &r.buf[(r.head+i)&(len(r.buf)-1)] }

// push appends an element and returns its place, which holds what an earlier
// element left there, so that memory inside it can be used again.
func (r *ring[T]) push() *T {
	if r.len() == len(r.buf) {
		grown := make([]T, max(8, 2*len(r.buf)))
		n := r.len()
		for i := range n {
			grown[i] = *r.at(i)
		}
		r.buf, r.head, r.tail = grown, 0, n
	}
	r.tail++
	return r.at(r.len() - 1)
}

// pop removes the first element; its memory stays in the ring.
func (r *ring[T]) pop() { r.head++ }

// cut removes all elements but the first n; their memory stays in the ring.
func (r *ring[T]) cut(n int) { r.tail = r.head + n }
