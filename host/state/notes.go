package state

import (
	"encoding/binary"
	"slices"

	"github.com/wasmill/wasmill/host/stream"
)

// notesTable is the name of the table of Notes. It is one full part, version 1:
//
//	version 1 B │ hash version 1 B │ numbers 2 B │ groups of the whole 4 B │ entries 4 B
//	entries × (group 4 B │ numbers × 8 B)
//
// Numbers are little-endian, groups ascend. Those that are not there are as at the
// beginning.
const (
	notesTable   = "groups"
	notesVersion = 1
	notesHead    = 1 + 1 + 2 + 4 + 4
)

// encode returns the table, and how many groups it has.
func (n *Notes) encode(groups int) (data []byte, entries int) {
	le := binary.LittleEndian
	data = make([]byte, 0, notesHead+groups*n.size())
	data = le.AppendUint16(append(data, notesVersion, HashVersion), uint16(len(n.Fresh)))
	data = le.AppendUint32(le.AppendUint32(data, uint32(groups)), 0)
	numbers := make([]int64, len(n.Fresh))
	for g := range groups {
		copy(numbers, n.Fresh)
		n.Note(Group(g), numbers)
		if stream.Watermark(numbers[0]) == stream.EndOfTime {
			numbers[0] = int64(stream.NoWatermark)
		}
		if slices.Equal(numbers, n.Fresh) {
			continue
		}
		data = le.AppendUint32(data, uint32(g))
		for _, v := range numbers {
			data = le.AppendUint64(data, uint64(v))
		}
		entries++
	}
	le.PutUint32(data[notesHead-4:], uint32(entries))
	return data, entries
}

// size returns how many bytes an entry has.
func (n *Notes) size() int { return 4 + 8*len(n.Fresh) }

// restore makes all groups what a table says. A damaged one changes nothing.
func (n *Notes) restore(groups int, data []byte) error {
	rest, err := n.check(groups, data)
	if err != nil {
		return err
	}
	numbers := make([]int64, len(n.Fresh))
	for g := range groups {
		copy(numbers, n.Fresh)
		if len(rest) > 0 && binary.LittleEndian.Uint32(rest) == uint32(g) {
			for i := range numbers {
				numbers[i] = getInt(rest[4+8*i:])
			}
			rest = rest[n.size():]
		}
		n.Recall(Group(g), numbers)
	}
	return nil
}

// check returns the entries of a table.
func (n *Notes) check(groups int, data []byte) (entries []byte, err error) {
	if len(data) < notesHead {
		return nil, corrupt("the table %s ends within its head", notesTable)
	}
	le := binary.LittleEndian
	numbers, of, count := int(le.Uint16(data[2:])), le.Uint32(data[4:]), le.Uint32(data[8:])
	entries = data[notesHead:]
	switch {
	case data[0] != notesVersion:
		return nil, corrupt("the version of the table %s is %d, known is %d", notesTable, data[0], notesVersion)
	case data[1] != HashVersion:
		return nil, corrupt("its groups are of hash version %d, known is %d", data[1], HashVersion)
	case of != uint32(groups):
		return nil, corrupt("it is of %d key groups, the vertex has %d", of, groups)
	case numbers != len(n.Fresh):
		return nil, corrupt("the table %s has %d numbers of a group, the vertex %d", notesTable, numbers, len(n.Fresh))
	case uint64(len(entries)) != uint64(count)*uint64(n.size()):
		return nil, corrupt("the table %s has %d bytes for %d groups", notesTable, len(entries), count)
	}
	for next, rest := uint32(0), entries; len(rest) > 0; rest = rest[n.size():] {
		g := le.Uint32(rest)
		if g < next || g >= uint32(groups) {
			return nil, corrupt("the table %s has group %d of %d out of order", notesTable, g, groups)
		}
		next = g + 1
	}
	return entries, nil
}
