package state

import (
	"context"

	"github.com/wasmill/wasmill/host/stream"
)

// Tables is what a transform with keys remembers, as the part of a stream.Durable
// that is the same for all of them: stores and timers by name, and as the table
// "groups" what else it knows of its key groups. It is made to be embedded.
type Tables struct {
	groups int
	notes  Notes
	tables []Table
}

// Table is a Memory or Timers with its name in checkpoints.
type Table struct {
	Name string
	Held interface {
		Freeze(full bool) *Frozen
		Restore(data []byte) error
		Reset()
	}
}

// Notes are numbers that a transform knows of each group, the same count of each. The
// first is the watermark that the group has reached. EndOfTime is not kept, but
// NoWatermark: a pipeline whose inputs have ended may be restored to find that they
// go on, and says anew what they promise.
type Notes struct {
	Fresh  []int64                  // at the beginning
	Note   func(g Group, n []int64) // sets n, at first as Fresh
	Recall func(g Group, n []int64) // takes any numbers, which it does not keep
}

// NewTables returns the tables of a transform with so many groups.
func NewTables(groups int, n Notes, tables ...Table) Tables { return Tables{groups, n, tables} }

// Freeze implements stream.Durable.
func (t *Tables) Freeze(full bool) stream.Frozen {
	f := &frozenTables{groups: t.groups}
	for _, x := range t.tables {
		f.tables = append(f.tables, namedFrozen{x.Name, x.Held.Freeze(full)})
	}
	f.notes, f.entries = t.notes.encode(t.groups)
	return f
}

// Restore implements stream.Durable.
func (t *Tables) Restore(table string, full bool, data []byte) error {
	if table == notesTable {
		if !full {
			return corrupt("the table %s is not whole", table)
		}
		return t.notes.restore(t.groups, data)
	}
	for _, x := range t.tables {
		if x.Name == table {
			return x.Held.Restore(data)
		}
	}
	return corrupt("it is of the table %q, which the vertex does not have", table)
}

// Reset implements stream.Durable.
func (t *Tables) Reset() {
	for _, x := range t.tables {
		x.Held.Reset()
	}
	for g := range t.groups {
		t.notes.Recall(Group(g), t.notes.Fresh)
	}
}

// Restored implements stream.Durable.
func (t *Tables) Restored(context.Context) error { return nil }

// frozenTables implements stream.Frozen.
type frozenTables struct {
	groups  int
	notes   []byte
	entries int // in notes
	tables  []namedFrozen
}

type namedFrozen struct {
	name string
	*Frozen
}

func (f *frozenTables) Parts(yield func(table string, from, to int, full bool, entries int, data []byte) error) error {
	if err := yield(notesTable, 0, f.groups, true, f.entries, f.notes); err != nil {
		return err
	}
	for _, x := range f.tables {
		err := x.Parts(func(from, to int, full bool, entries int, data []byte) error {
			return yield(x.name, from, to, full, entries, data)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *frozenTables) Size() int64 {
	n := int64(len(f.notes))
	for _, x := range f.tables {
		n += x.Frozen.Size()
	}
	return n
}

func (f *frozenTables) Release(saved bool) {
	for _, x := range f.tables {
		x.Frozen.Release(saved)
	}
}
