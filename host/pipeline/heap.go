package pipeline

// heap is a queue by key, the least first; equal keys come in any order. It
// keeps its memory. The zero value is empty.
type heap[T any] []keyed[T]

type keyed[T any] struct {
	key   int64
	value T
}

// push adds a value.
func (h *heap[T]) push(key int64, value T) {
	*h = append(*h, keyed[T]{key, value})
	s, i := *h, len(*h)-1
	for i > 0 {
		parent := (i - 1) / 2
		if s[parent].key <= key {
			break
		}
		s[i], i = s[parent], parent
	}
	s[i] = keyed[T]{key, value}
}

// pop removes the value with the least key, which is element 0.
func (h *heap[T]) pop() T {
	s := *h
	first, last := s[0].value, len(s)-1
	s[0], s[last] = s[last], keyed[T]{}
	*h = s[:last]
	h.sink(0)
	return first
}

// retain removes the values that keep turns down.
func (h *heap[T]) retain(keep func(T) bool) {
	s, n := *h, 0
	for _, e := range s {
		if keep(e.value) {
			s[n] = e
			n++
		}
	}
	clear(s[n:])
	*h = s[:n]
	for i := n/2 - 1; i >= 0; i-- {
		h.sink(i)
	}
}

// sink moves element i down to its place.
func (h *heap[T]) sink(i int) {
	s := *h
	if i >= len(s) {
		return
	}
	e := s[i]
	for {
		child := 2*i + 1
		if child+1 < len(s) && s[child+1].key < s[child].key {
			child++
		}
		if child >= len(s) || s[child].key >= e.key {
			break
		}
		s[i], i = s[child], child
	}
	s[i] = e
}
