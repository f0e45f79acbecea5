package window

import (
	"encoding/binary"
	"slices"
	"strconv"

	"github.com/wasmill/wasmill/host/state"
)

// Look visits the open windows, each as one JSON object as a result of it would be at
// this moment, without the word when it fired. No call is under way. What visit gets is
// valid during the call.
func (t *Transform) Look(visit func(entry []byte)) {
	name := t.cfg.Aggregate
	var value, entry []byte
	t.store.look(t.cfg.Spec, func(g state.Group, key []byte, w Window, acc []byte) {
		var err error
		if value, err = t.groups[g].agg.Result(value[:0], acc); err != nil {
			value = append(value[:0], "null"...)
		}
		entry = append(append(append(appendWindow(entry[:0], key, w), ','), appendString(nil, name)...), ':')
		visit(append(append(entry, value...), '}'))
	})
}

// Look is that of Transform. What a guest has accumulated is only known by its length.
func (t *Guests) Look(visit func(entry []byte)) {
	var entry []byte
	t.store.look(t.cfg.Spec, func(_ state.Group, key []byte, w Window, acc []byte) {
		entry = append(appendWindow(entry[:0], key, w), `,"bytes":`...)
		visit(append(strconv.AppendInt(entry, int64(len(acc)), 10), '}'))
	})
}

// appendWindow appends the beginning of a JSON object about a window of a key.
func appendWindow(dst, key []byte, w Window) []byte {
	dst = appendText(append(dst, '{'), "key", key)
	dst = appendTime(append(dst, `,"start":`...), w.Start, w)
	return appendTime(append(dst, `,"end":`...), w.End, w)
}

// look visits the windows that are kept. What is damaged is left out.
func (m *memory) look(spec Spec, visit func(g state.Group, key []byte, w Window, acc []byte)) {
	for n := range m.Groups() {
		g := state.Group(n)
		m.Range(g, []byte{isEntry}, func(name, entry []byte) bool {
			acc, _, err := split(entry)
			if at := len(name) - idSize; at >= 1 && err == nil {
				key := slices.Clone(name[1:at])
				id := int64(binary.BigEndian.Uint64(name[at:]) ^ 1<<63)
				visit(g, key, m.windowOf(g, spec, key, id), acc)
			}
			return true
		})
	}
}

// windowOf returns the window of a key that has an id.
func (m *memory) windowOf(g state.Group, spec Spec, key []byte, id int64) Window {
	switch spec.Kind {
	case Global:
		return allTime
	case Session:
		list, _ := m.Value(g, append([]byte{isList}, key...))
		for i := range len(list) / sessionSize {
			if s := sessionAt(list, i); s.id == id {
				return s.Window
			}
		}
		return Window{id, plus(id, int64(spec.Gap))}
	}
	return Window{id, plus(id, int64(spec.Size))}
}
