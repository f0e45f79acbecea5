package meter

// maxUncounted bounds what functions that do not count the stack take of it, one
// in the other, in bytes as estimated.
const maxUncounted = 64 << 10

// nest decides which functions count the stack: those on cycles of calls count
// their own frame. Of the rest, one that calls down through maxUncounted bytes
// without any that counts does, for all of them.
//
// Calls through tables go to all functions of the type that a table may hold:
// in the graph a type is a node, between its callers and those functions. The
// cycles are found by Tarjan's algorithm (Depth-first search and linear graph
// algorithms, 1972), without recursion, as modules may have millions of
// functions.
func (m *module) nest(functions []function) {
	if m.limits.all {
		for i := range functions {
			functions[i].depth = functions[i].frame
		}
		return
	}
	g := newCalls(m, functions)
	for i := range g.nodes {
		if g.nodes[i].index == 0 {
			g.walk(uint32(i))
		}
	}
	for _, f := range functions {
		for _, last := range f.final {
			functions[last].depth = add(functions[last].frame, maxUncounted)
		}
	}
}

// calls is the graph of calls: functions, then types.
type calls struct {
	functions []function
	nodes     []node
	types     []uint32   // the node of a type, by its index
	held      [][]uint32 // by type node: functions that tables may hold
	visited   uint32
	path      []step   // of the walk
	pending   []uint32 // nodes that were entered, and have no component yet
}

// node is what the walk knows of one.
type node struct {
	index   uint32 // of the visit; 0 = not visited
	low     uint32 // the earliest pending one that it reaches
	pending bool
	self    bool   // it calls itself
	below   uint32 // the most that is taken from here without being counted
}

// step is a node on the path, and how many of its calls were followed.
type step struct {
	node uint32
	next int
}

func newCalls(m *module, functions []function) *calls {
	g := &calls{functions: functions}
	same := map[string]uint32{}
	for _, t := range m.in.Types {
		key := t.String()
		if _, ok := same[key]; !ok {
			same[key] = uint32(len(functions) + len(g.held))
			g.held = append(g.held, nil)
		}
		g.types = append(g.types, same[key])
	}
	g.nodes = make([]node, len(functions)+len(g.held))
	for i, taken := range m.taken {
		if taken {
			t := g.types[m.in.Funcs[i]] - uint32(len(functions))
			g.held[t] = append(g.held[t], uint32(i))
		}
	}
	return g
}

// call returns the nth node that one calls.
func (g *calls) call(from uint32, n int) (to uint32, ok bool) {
	if k := int(from) - len(g.functions); k >= 0 {
		if n < len(g.held[k]) {
			return g.held[k][n], true
		}
		return 0, false
	}
	f := &g.functions[from]
	switch {
	case n < len(f.calls):
		return f.calls[n], true
	case n-len(f.calls) < len(f.tables):
		return g.types[f.tables[n-len(f.calls)]], true
	}
	return 0, false
}

func (g *calls) enter(i uint32) {
	g.visited++
	g.nodes[i] = node{index: g.visited, low: g.visited, pending: true}
	g.pending = append(g.pending, i)
	g.path = append(g.path, step{node: i})
}

// walk visits what can be reached from a node.
func (g *calls) walk(root uint32) {
	g.enter(root)
	for len(g.path) > 0 {
		at := &g.path[len(g.path)-1]
		from := &g.nodes[at.node]
		to, more := g.call(at.node, at.next)
		at.next++
		switch {
		case !more:
			g.leave()
		case g.nodes[to].index == 0:
			g.enter(to)
		case g.nodes[to].pending:
			from.low = min(from.low, g.nodes[to].index)
			from.self = from.self || to == at.node
		default:
			from.below = max(from.below, g.nodes[to].below)
		}
	}
}

// leave ends the visit of the last node on the path.
func (g *calls) leave() {
	i := g.path[len(g.path)-1].node
	g.path = g.path[:len(g.path)-1]
	n := &g.nodes[i]
	if n.low == n.index {
		g.component(i)
	}
	if len(g.path) > 0 {
		caller := &g.nodes[g.path[len(g.path)-1].node]
		caller.low = min(caller.low, n.low)
		caller.below = max(caller.below, n.below)
	}
}

// component takes the nodes that reach each other off the pending ones, back to
// the first of them.
func (g *calls) component(first uint32) {
	cycle := g.pending[len(g.pending)-1] != first || g.nodes[first].self
	for {
		i := g.pending[len(g.pending)-1]
		g.pending = g.pending[:len(g.pending)-1]
		n := &g.nodes[i]
		n.pending = false
		if int(i) < len(g.functions) {
			n.below = g.functions[i].settle(cycle, n.below)
		}
		if i == first {
			return
		}
	}
}

// settle decides what a function counts that calls others which take below
// without counting, and returns what it takes without that itself.
func (f *function) settle(cycle bool, below uint32) uint32 {
	all := add(f.frame, below)
	switch {
	case cycle:
		f.depth = f.frame
	case all > maxUncounted:
		f.depth = all
	default:
		return all
	}
	return 0
}
