package meter

// settle decides which functions need a check at their entry, and adds what the
// others cost to their callers. Without a check are functions that cost little,
// with all that they call outside of loops, unless they are reached through a
// table. Every cycle of calls has a function with a check: the one that a
// depth-first walk meets again.
func (m *module) settle(functions []function) {
	s := settling{module: m, functions: functions, state: make([]visit, len(functions)), again: make([]bool, len(functions))}
	for i := range functions {
		s.visit(uint32(i))
	}
}

type visit byte

const (
	unseen visit = iota
	entered
	left
)

type settling struct {
	*module
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
	for _, c := range f.calls {
		s.visit(c.callee)
		switch callee := &s.functions[c.callee]; {
		case s.state[c.callee] == entered:
			s.again[c.callee] = true
		case callee.free:
			f.weights[c.region] = add(f.weights[c.region], callee.weights[0])
		}
	}
	for r := len(f.weights) - 1; r > 0; r-- { // a loop's first round is paid outside
		f.weights[f.outside[r]] = add(f.weights[f.outside[r]], f.weights[r])
	}
	s.state[i] = left
	f.free = !s.again[i] && (f.weights[0] <= freeSize && !s.taken[i] || f.weights[0] <= indirect)
}
