package state

// restorer is a Memory or Timers as Restore needs it.
type restorer interface {
	table(g Group) *table
	check(it item) error    // of what is no entry of it
	clear(g Group)          // empties the group
	bring(it item) bool     // false: there is no place for it
	take(g Group, k []byte) // deletes a key
	settled(g Group)        // after the last change
}

// restore applies a part. It is read twice, so that a damaged one changes nothing.
func (h *history) restore(r restorer, groups int, data []byte) error {
	p, err := readPart(data, groups)
	if err != nil {
		return err
	}
	if err := p.each(r.check); err != nil {
		return err
	}
	h.settle()
	for g := p.from; g < p.to; g++ {
		if p.kind == 0 {
			r.clear(Group(g))
		}
		a := &r.table(Group(g)).arena
		a.unfollow()
		a.purse.forced = true
	}
	size := 0
	err = p.each(func(it item) error {
		size = len(it.key) + len(it.value)
		if it.gone {
			r.take(it.group, it.key)
		} else if !r.bring(it) {
			return h.budget.full(size)
		}
		return nil
	})
	if err == nil && h.budget.over() {
		err = h.budget.full(size)
	}
	for g := p.from; g < p.to; g++ {
		t := r.table(Group(g))
		if err != nil {
			r.clear(Group(g))
		}
		t.arena.purse.forced = false
		t.tidy()
		r.settled(Group(g))
		t.arena.follow(h)
	}
	h.restored(p, groups, len(data), err == nil)
	return err
}

// restored notes that the state is what the parts so far say, and so what of it is
// saved.
func (h *history) restored(p part, groups, n int, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.chains {
		c := &h.chains[i]
		from, to := h.bounds(i, groups)
		switch {
		case to <= p.from || from >= p.to:
		case from != p.from || to != p.to || !ok:
			c.begun = false
		case p.kind == 0:
			c.Add(true, n)
		case p.kind == partMore:
			c.full += n
		case p.kind&partMore != 0:
			c.deltas += n
		default:
			c.Add(false, n)
		}
	}
}

// reset forgets all snapshots. Nothing is tracked any more.
func (h *history) reset() {
	h.settle()
	h.chains = make([]Chain, len(h.chains))
}

// Reset empties the store, as if nothing had ever been put or restored, nor any time
// passed. Nobody reads a view.
func (m *Memory) Reset() {
	for g := range m.groups {
		m.clear(Group(g))
		m.groups[g].now = minTime
	}
	m.history.reset()
}

// Reset is as Memory.Reset.
func (t *Timers) Reset() {
	for g := range t.groups {
		t.clear(Group(g))
		t.publish(Group(g))
	}
	t.history.reset()
}

func (m *Memory) table(g Group) *table { return &m.groups[g].table }

func (m *Memory) check(item) error { return nil }

func (m *Memory) clear(g Group) {
	s := &m.groups[g]
	s.table.reset(m.seed, m.budget)
	s.order = nil
}

func (m *Memory) bring(it item) bool {
	_, ok := m.groups[it.group].put(it.key, it.value, it.expires)
	return ok
}

func (m *Memory) take(g Group, key []byte) {
	t := &m.groups[g].table
	if slot, _, found := t.find(key); found {
		t.remove(slot)
	}
}

func (m *Memory) settled(Group) {}
