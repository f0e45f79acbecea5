package window

import (
	"bytes"
	"hash/maphash"

	"github.com/wasmill/wasmill/host/state"
	"github.com/wasmill/wasmill/host/stream"
)

// cell is a window, or the list of sessions of a key.
type cell struct {
	hash     uint64
	group    state.Group
	name     span        // in the store
	key      stream.Span // in the batch
	acc      stream.Span
	entry    []byte // in the store; nil = it is not there
	old      uint32 // of Accumulators: a copy of entry
	Window          // of records
	was      change
	tail     uint32
	fires    bool // an early result is wanted
	alarmed  bool // and later, at alarm
	alarm    int64
	last     int32  // record
	into     int32  // the cell that it was merged into; -1 = none
	list     int32  // of lists; -1 = it is a window
	first, n uint32 // pairs
}

// span is a part of names.
type span struct{ at, n int }

// pair is a record and a cell, or two cells.
type pair struct{ a, b int32 }

// cell returns the cell of the key of a record, with what is stored.
func (f *folding) cell(i int, is byte, id int64) (int, error) {
	r := &f.in.Records[i]
	g := state.Group(r.Group)
	if is == isList {
		f.name = append(append(f.name[:0], is), f.in.Of(r.Key)...)
	} else {
		f.name = appendName(f.name[:0], is, f.in.Of(r.Key), id)
	}
	if len(f.cells) >= len(f.index)/2 {
		f.grow()
	}
	hash := maphash.Bytes(f.seed, f.name)
	mask := len(f.index) - 1
	at := int(hash) & mask
	for ; f.index[at] != 0; at = (at + 1) & mask {
		c := &f.cells[f.index[at]-1]
		if c.hash == hash && bytes.Equal(f.names[c.name.at:c.name.at+c.name.n], f.name) {
			return int(f.index[at] - 1), nil
		}
	}
	c := cell{hash: hash, group: g, name: span{len(f.names), len(f.name)}, key: r.Key, into: -1, list: -1}
	f.names = append(f.names, f.name...)
	if is == isEntry {
		var err error
		if c.entry, c.was.found = f.editor.Edit(g, f.name); c.was.found {
			if _, c.tail, err = split(c.entry); err != nil {
				return 0, err
			}
			c.acc = f.keep(c.entry)
			c.old = c.acc.Off
			c.acc.Len -= tailSize
		}
	}
	f.cells = append(f.cells, c)
	f.index[at] = uint32(len(f.cells))
	return len(f.cells) - 1, nil
}

// grow doubles the index.
func (f *folding) grow() {
	f.index = make([]uint32, max(1024, 2*len(f.index)))
	mask := len(f.index) - 1
	for i := range f.cells {
		at := int(f.cells[i].hash) & mask
		for f.index[at] != 0 {
			at = (at + 1) & mask
		}
		f.index[at] = uint32(i) + 1
	}
}

// slotOf returns the index slot of a cell.
func (f *folding) slotOf(n int) int {
	mask := len(f.index) - 1
	at := int(f.cells[n].hash) & mask
	for f.index[at] != uint32(n)+1 {
		at = (at + 1) & mask
	}
	return at
}

// root returns the cell that one was merged into in the end.
func (f *folding) root(n int32) int32 {
	for f.cells[n].into >= 0 {
		n = f.cells[n].into
	}
	return n
}
