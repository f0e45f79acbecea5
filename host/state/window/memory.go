package window

import "github.com/wasmill/wasmill/host/state"

// memory is the Store of a vertex. The lists of members, which stay as they are while
// each record changes a window, have tables of their own: so they are not between the
// windows, and not in each checkpoint.
type memory struct {
	*state.Memory // windows and sessions
	members       *state.Memory
}

func newMemory(groups int, b *state.Budget) *memory {
	return &memory{state.NewMemory(groups, b), state.NewMemory(groups, b)}
}

// of returns where a key belongs.
func (m *memory) of(key []byte) *state.Memory {
	if key[0] == isMember {
		return m.members
	}
	return m.Memory
}

// Value implements Store.
func (m *memory) Value(g state.Group, key []byte) ([]byte, bool) { return m.of(key).Value(g, key) }

// Put implements Store.
func (m *memory) Put(g state.Group, key, value []byte, expires int64) error {
	return m.of(key).Put(g, key, value, expires)
}

// Delete implements Store.
func (m *memory) Delete(g state.Group, key []byte) { m.of(key).Delete(g, key) }

// reserve makes room for both; release gives it back.
func (m *memory) reserve(g state.Group, windows, members Need) error {
	if err := m.Reserve(g, windows.Entries, windows.Bytes); err != nil || members == (Need{}) {
		return err
	}
	return m.members.Reserve(g, members.Entries, members.Bytes)
}

func (m *memory) release(g state.Group) {
	m.Release(g)
	m.members.Release(g)
}

// usage is that of both.
func (m *memory) usage() state.Usage {
	u, more := m.Usage(), m.members.Usage()
	return state.Usage{Keys: u.Keys + more.Keys, Bytes: u.Bytes + more.Bytes, Held: u.Held + more.Held}
}
