package process

import (
	"encoding/binary"
	"encoding/json"
	"time"
	"unicode/utf8"

	"github.com/wasmill/wasmill/host/state"
)

// entry is a value or a timer as Look shows it.
type entry struct {
	Key         string `json:"key"`
	KeyBase64   []byte `json:"keyBase64,omitempty"` // if it is no text; so those below
	Name        string `json:"name,omitempty"`
	NameBase64  []byte `json:"nameBase64,omitempty"`
	Value       any    `json:"value,omitempty"`
	ValueBase64 []byte `json:"valueBase64,omitempty"`

	Timer string `json:"timer,omitempty"` // event or clock: it is one of that time
	At    string `json:"at,omitempty"`    // RFC 3339
}

// Look visits what is kept, each value and each timer as one JSON object. No call is
// under way. What visit gets is valid during the call.
func (t *Transform) Look(visit func(entry []byte)) {
	show := func(e entry) {
		text, err := json.Marshal(e)
		if err != nil {
			panic("BUG: process: an entry is no JSON: " + err.Error())
		}
		visit(text)
	}
	for n := range t.Groups() {
		g := state.Group(n)
		t.store.Range(g, nil, func(name, value []byte) bool {
			size, head := binary.Uvarint(name)
			e := entry{Value: ""}
			e.named(name[head:head+int(size)], name[head+int(size):])
			if utf8.Valid(value) {
				e.Value = string(value)
			} else {
				e.Value, e.ValueBase64 = nil, value
			}
			show(e)
			return true
		})
		for clock, kind := range []string{"event", "clock"} {
			t.timers(clock).Each(g, func(at int64, key, name []byte) {
				e := entry{Timer: kind, At: time.Unix(0, at).UTC().Format(time.RFC3339Nano)}
				e.named(key, name)
				show(e)
			})
		}
	}
}

func (e *entry) named(key, name []byte) {
	if utf8.Valid(key) {
		e.Key = string(key)
	} else {
		e.KeyBase64 = key
	}
	if utf8.Valid(name) {
		e.Name = string(name)
	} else {
		e.NameBase64 = name
	}
}
