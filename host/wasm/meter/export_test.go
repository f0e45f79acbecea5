package meter

// CountAll has every function count the stack, so that tests need no recursion.
func (l Limits) CountAll() Limits {
	l.all = true
	return l
}
