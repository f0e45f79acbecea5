package meter

// settle decides which functions need a check at their entry, and adds what the
// others cost to their callers. Without a check are functions that cost little,
// with all that they call. Every cycle of calls has a check: at the entry of the
// function that a depth-first walk meets again, or before a call through a table.
func (m *module) settle(functions []function) {
	s := settling{functions: functions, state: make([]visit, len(functions)), again: make([]bool, len(functions))}
	for i := range functions {
		s.visit(uint32(i))
	}
	m.indirect = indirect
	for i, f := range functions {
		if f.free && m.taken[i] {
			m.indirect = max(m.indirect, add(indirect, f.cost))
		}
	}
}

type visit byte

const (
	unseen visit = iota
	entered
	left
)

type settling struct {
	functions []function
	state     []visit
	again     []bool // met while entered
}

// visit settles a function after those that it calls.
func (s *settling) visit(i uint32) {
	if s.state[i] != unseen {
		return
	}
	s.state[i] = entered
	f := &s.functions[i]
	for _, callee := range f.calls {
		s.call(f, callee)
	}
	for _, callee := range f.final {
		s.call(f, callee)
	}
	s.state[i] = left
	f.free = !s.again[i] && f.cost <= freeSize
}

// call visits what a function calls.
func (s *settling) call(f *function, callee uint32) {
	s.visit(callee)
	switch c := &s.functions[callee]; {
	case s.state[callee] == entered:
		s.again[callee] = true
	case c.free:
		f.cost = add(f.cost, c.cost)
	}
}
