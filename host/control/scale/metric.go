package scale

import "fmt"

// Metric is a measurement that is known or not. Its zero value is not known.
type Metric[T any] struct {
	value T
	known bool
}

// Known is a measurement that was made.
func Known[T any](v T) Metric[T] { return Metric[T]{v, true} }

// Unknown is a measurement that could not be made.
func Unknown[T any]() Metric[T] { return Metric[T]{} }

// Value returns what was measured; ok is false, and v means nothing, if it is not known.
func (m Metric[T]) Value() (v T, ok bool) { return m.value, m.known }

// String implements fmt.Stringer.
func (m Metric[T]) String() string {
	if !m.known {
		return "unknown"
	}
	return fmt.Sprint(m.value)
}
