package state

import (
	"encoding/binary"
	"fmt"

	"github.com/wasmill/wasmill/host/stream"
)

// A snapshot of a group, version 1:
//
//	version 1 B │ number of entries 4 B │ entries
//	entry: uvarint len(key) │ uvarint len(value)<<1 | timed │ [expires 8 B] │ key │ value
//
// Fixed numbers are little-endian. The order is that of the arena, which
// follows from the changes that the group has seen.
const (
	snapshotVersion = 1
	snapshotHead    = 1 + 4
)

// Snapshot implements Snapshots.
func (m *Memory) Snapshot(g Group, dst []byte) []byte { return m.groups[g].snapshot(dst) }

// Restore implements Snapshots.
func (m *Memory) Restore(g Group, data []byte) error {
	s := &m.groups[g]
	if err := s.restore(data); err != nil {
		return err
	}
	s.order, s.follower = nil, nil
	return nil
}

func (t *table) snapshot(dst []byte) []byte {
	start, n := len(dst), uint32(0)
	dst = append(dst, snapshotVersion, 0, 0, 0, 0)
	t.each(func(_ ref, d []byte, e entry) bool {
		n++
		expires := e.expires(d)
		dst = binary.AppendUvarint(dst, uint64(e.key))
		dst = binary.AppendUvarint(dst, uint64(e.value)<<1|uint64(btoi(expires != 0)))
		if expires != 0 {
			dst = binary.LittleEndian.AppendUint64(dst, uint64(expires))
		}
		dst = append(dst, d[e.head:e.head+e.key]...)
		dst = append(dst, e.valueOf(d)...)
		return true
	})
	binary.LittleEndian.PutUint32(dst[start+1:], n)
	return dst
}

// restore builds a new table and puts it in the place of t.
func (t *table) restore(data []byte) error {
	fresh := &table{now: minTime} // nothing is past its time while the entries are counted
	budget := t.arena.purse.budget
	fresh.reset(t.seed, budget)
	if err := readSnapshot(data, fresh.bring); err != nil {
		fresh.reset(t.seed, budget)
		return err
	}
	t.reset(t.seed, budget)
	t.adopt(fresh)
	t.version++
	return nil
}

// bring adds an entry of a snapshot.
func (t *table) bring(key, value []byte, expires int64) error {
	before := t.keys.Load()
	if _, ok := t.put(key, value, expires); !ok {
		return t.arena.purse.budget.full(len(key) + len(value))
	}
	if t.keys.Load() == before {
		return corrupt("two entries have the same key")
	}
	return nil
}

// readSnapshot calls add with all entries of a snapshot.
func readSnapshot(data []byte, add func(key, value []byte, expires int64) error) error {
	switch {
	case len(data) < snapshotHead:
		return corrupt("it ends within its head")
	case data[0] != snapshotVersion:
		return corrupt("its version is %d, known is %d", data[0], snapshotVersion)
	}
	n := binary.LittleEndian.Uint32(data[1:])
	data = data[snapshotHead:]
	for i := range n {
		key, value, expires, rest, ok := readEntry(data)
		if !ok {
			return corrupt("it ends within entry %d of %d", i+1, n)
		}
		data = rest
		if err := add(key, value, expires); err != nil {
			return err
		}
	}
	if len(data) > 0 {
		return corrupt("%d bytes follow the last of %d entries", len(data), n)
	}
	return nil
}

func readEntry(data []byte) (key, value []byte, expires int64, rest []byte, ok bool) {
	k, n := binary.Uvarint(data)
	if n <= 0 {
		return nil, nil, 0, nil, false
	}
	data = data[n:]
	v, n := binary.Uvarint(data)
	if n <= 0 {
		return nil, nil, 0, nil, false
	}
	data = data[n:]
	if v&1 != 0 {
		if len(data) < 8 {
			return nil, nil, 0, nil, false
		}
		expires = getInt(data)
		data = data[8:]
	}
	if v >>= 1; k > uint64(len(data)) || v > uint64(len(data))-k {
		return nil, nil, 0, nil, false
	}
	return data[:k], data[k : k+v], expires, data[k+v:], true
}

func corrupt(format string, args ...any) error {
	return &stream.Error{Code: stream.StateCorrupt, Why: "the snapshot of a key group cannot be read: " + fmt.Sprintf(format, args...)}
}
