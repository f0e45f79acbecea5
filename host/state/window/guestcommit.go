package window

import (
	"encoding/binary"

	"github.com/wasmill/wasmill/host/state"
)

// commit puts what became of windows into Store and Timers. Without room for all of
// it nothing has changed.
func (f *folding) commit() error {
	more := len(f.replaced) > 0
	for i := range f.cells { // while entries are where they were
		if c := &f.cells[i]; c.inPlace() {
			copy(c.entry, f.of(c.acc))
			binary.LittleEndian.PutUint32(c.entry[c.acc.Len:], c.tail)
			more = more || c.alarmed || f.spec.Kind == Session
		} else {
			more = true
		}
	}
	if !more {
		return nil
	}
	defer f.release()
	if err := f.reserve(); err != nil {
		f.undo()
		return err
	}
	for i := range f.cells {
		if err := f.write(&f.cells[i]); err != nil {
			return err
		}
	}
	return f.replace()
}

// inPlace says whether an entry has the size that it is to have.
func (c *cell) inPlace() bool {
	return c.list < 0 && c.into < 0 && c.entry != nil && len(c.entry) == int(c.acc.Len)+tailSize
}

// undo brings entries that were changed in place back.
func (f *folding) undo() {
	for i := range f.cells {
		if c := &f.cells[i]; c.inPlace() {
			entry, _ := f.editor.Edit(c.group, f.names[c.name.at:][:c.name.n])
			copy(entry, f.panes.Accumulators[c.old:])
		}
	}
}

// reserve makes room for what is not changed in place.
func (f *folding) reserve() (err error) {
	one := f.spec
	if one.Kind == Sliding {
		one.Slide = one.Size
	}
	t := f.guests
	for i := range f.cells {
		c := &f.cells[i]
		size := c.name.n + int(c.acc.Len) + tailSize
		switch {
		case c.list >= 0:
			l := &f.lists[c.list]
			if !l.changed || len(l.sessions) <= l.stored {
				continue
			}
			err = t.store.Reserve(c.group, 1, c.name.n+len(l.sessions))
		case c.into >= 0:
			continue
		case c.entry == nil || f.spec.Kind == Session && c.was.end <= f.now || c.alarmed:
			windows, members, timers := one.Room(int(c.key.Len), int(c.acc.Len))
			if err = t.store.reserve(c.group, windows, members); err == nil {
				err = t.timers.Reserve(c.group, timers.Entries, timers.Bytes)
			}
		case !c.inPlace():
			err = t.store.Reserve(c.group, 1, size)
		}
		if err != nil {
			return err
		}
	}
	for _, r := range f.replaced {
		g := state.Group(f.in.Records[r.record].Group)
		if err := t.store.Reserve(g, 1, 1+int(r.Key.Len)+idSize+int(r.Accumulator.Len)+tailSize); err != nil {
			return err
		}
	}
	return nil
}

// release gives back what was reserved and not used.
func (f *folding) release() {
	for i := range f.cells {
		f.guests.store.release(f.cells[i].group)
		f.guests.timers.Release(f.cells[i].group)
	}
	for _, r := range f.replaced {
		f.guests.store.release(state.Group(f.in.Records[r.record].Group))
	}
}

// write puts a cell into the store, unless it was changed in place there, and sets
// its timers.
func (f *folding) write(c *cell) error {
	name := f.names[c.name.at : c.name.at+c.name.n]
	switch {
	case c.list >= 0:
		if l := &f.lists[c.list]; l.changed {
			return f.store.Put(c.group, name, l.sessions, 0)
		}
		return nil
	case c.into >= 0:
		if c.entry != nil {
			f.store.Delete(c.group, name)
		}
		return nil
	}
	if !c.inPlace() {
		f.acc = append(f.acc[:0], f.of(c.acc)...)
		f.name = append(f.name[:0], name...)
		if err := f.put(c.group, c.tail); err != nil {
			return err
		}
	}
	if c.was.found && !c.alarmed && f.spec.Kind != Session {
		return nil
	}
	f.name = append(f.name[:0], name...)
	if c.alarmed {
		if err := f.set(c.group, isEarly, c.alarm); err != nil {
			return err
		}
	}
	return f.arm(c.group, c.Window, f.in.Of(c.key), c.was, false, f.now)
}
