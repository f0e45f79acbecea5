package window

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/wasmill/wasmill/host/state"
)

// The keys that have a window share it, but for sessions: one timer for it in each
// group, and a list of its members, cost a fifth of a timer for each key.
//
// A list is an entry with the number of its last page, 4 bytes, and pages of keys,
// each behind its length as a uvarint. Numbers are big-endian.
const (
	isMember = 'm'    // then the id, and for a page its number
	pageSize = 1 << 8 // bytes of keys, or one longer key
)

func appendPage(dst []byte, id int64, page uint32) []byte {
	dst = appendName(dst, isMember, nil, id)
	return binary.BigEndian.AppendUint32(dst, page)
}

// enlist adds a key that is new in a window to its members. With the first one it
// sets the timer of the window.
func (o *Operator) enlist(g state.Group, w Window, key []byte, now int64) error {
	o.list = appendName(o.list[:0], isMember, nil, w.Start)
	last, found, err := o.lastPage(g)
	if err != nil {
		return err
	}
	if !found {
		is, at := byte(isEnd), w.End
		if w.End <= now {
			is, at = isOver, plus(w.End, int64(o.spec.Lateness))
		}
		if err := o.timers.Set(g, at, nil, append(o.list[1:], is)); err != nil {
			return err
		}
	}
	o.name = appendPage(o.name[:0], w.Start, last)
	page, _ := o.store.Value(g, o.name)
	o.page = append(o.page[:0], page...)
	if turn := len(page) > 0 && len(page)+len(key) > pageSize; turn || !found {
		if turn {
			last++
			o.page = o.page[:0]
		}
		o.name = appendPage(o.name[:0], w.Start, last)
		if err := o.store.Put(g, o.list, o.name[len(o.name)-4:], 0); err != nil {
			return err
		}
	}
	o.page = append(binary.AppendUvarint(o.page, uint64(len(key))), key...)
	return o.store.Put(g, o.name, o.page, 0)
}

// lastPage returns the number of the last page of the list o.list.
func (o *Operator) lastPage(g state.Group) (last uint32, found bool, err error) {
	v, found := o.store.Value(g, o.list)
	if !found {
		return 0, false, nil
	}
	if len(v) != 4 {
		return 0, false, fmt.Errorf("list of members in %d bytes: %w", len(v), ErrCorrupt)
	}
	return binary.BigEndian.Uint32(v), true, nil
}

// wakeAll does what the timer of a window that keys share is about.
func (o *Operator) wakeAll(g state.Group, id int64, is byte, now int64, emit func(Result)) error {
	w, _, err := o.window(g, nil, id)
	if err != nil {
		return err
	}
	over := plus(w.End, int64(o.spec.Lateness))
	if over > now { // else its end is all that is left of it
		o.list = appendName(o.list[:0], isMember, nil, id)
		if err := o.timers.Set(g, over, nil, append(o.list[1:], isOver)); err != nil || is == isOver {
			return err // the lateness was raised
		}
	}
	if err := o.readMembers(g, id, over <= now); err != nil {
		return err
	}
	for _, m := range o.members {
		key := o.keys[m.from : m.from+m.key]
		o.name = appendName(o.name[:0], isEntry, key, id)
		if is == isEnd {
			tail, found, err := o.load(g)
			if err != nil {
				return err
			}
			if !found {
				return fmt.Errorf("member without a window: %w", ErrCorrupt)
			}
			if err := o.fire(key, w, OnTime, emit); err != nil {
				return err
			}
			if over > now {
				if err := o.put(g, tail&early); err != nil {
					return err
				}
			}
		}
		if over <= now {
			o.store.Delete(g, o.name)
		}
	}
	return nil
}

// readMembers reads the members of a window into o.members, by key, and deletes the
// list if so told.
func (o *Operator) readMembers(g state.Group, id int64, remove bool) error {
	o.keys, o.members = o.keys[:0], o.members[:0]
	o.list = appendName(o.list[:0], isMember, nil, id)
	last, found, err := o.lastPage(g)
	if err != nil || !found {
		return err
	}
	for page := uint32(0); page <= last; page++ {
		o.name = appendPage(o.name[:0], id, page)
		rest, found := o.store.Value(g, o.name)
		if !found {
			return fmt.Errorf("list of members without page %d: %w", page, ErrCorrupt)
		}
		for len(rest) > 0 {
			size, n := binary.Uvarint(rest)
			if n <= 0 || size > uint64(len(rest)-n) {
				return fmt.Errorf("member cut off: %w", ErrCorrupt)
			}
			o.members = append(o.members, wake{len(o.keys), int(size)})
			o.keys = append(o.keys, rest[n:n+int(size)]...)
			rest = rest[n+int(size):]
		}
		if remove {
			o.store.Delete(g, o.name)
		}
	}
	if remove {
		o.store.Delete(g, o.list)
	}
	slices.SortFunc(o.members, func(a, b wake) int {
		return bytes.Compare(o.keys[a.from:a.from+a.key], o.keys[b.from:b.from+b.key])
	})
	return nil
}
