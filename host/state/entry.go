package state

import "encoding/binary"

// An entry in an arena, and in parts of version 3:
//
//	flags 1 B │ key, capacity, value: three lengths of 1, 2 or 4 B │ [expires 8 B] │ key │ value … capacity
const (
	widthBits = 3 // lengths of 1, 2 or 4 bytes
	timed     = 4 // expires is there
	dead      = 8 // nothing refers to the entry

	// smallHead is the head of an entry of lengths below 256 and without a time.
	smallHead = 1 + 3

	// maxEntry bounds a key and a value together, in bytes.
	maxEntry = 1 << 30
	// maxHead is the most that an entry takes beside key and value.
	maxHead = 1 + 3*4 + 8
)

// entry is the head of an entry, decoded.
type entry struct {
	head, key, room, value int // bytes of head, key, capacity, value
	timed                  bool
}

// layout returns the head of a new entry.
func layout(key, room, value int, timed bool) entry {
	e := entry{key: key, room: room, value: value, timed: timed}
	switch most := max(key, room); {
	case most < 1<<8:
		e.head = 1 + 3
	case most < 1<<16:
		e.head = 1 + 3*2
	default:
		e.head = 1 + 3*4
	}
	if timed {
		e.head += 8
	}
	return e
}

// small says whether d begins with an entry in use whose head is a smallHead.
func small(d []byte) bool { return d[0] == 0 }

// decode reads the head of the entry that d begins with.
func decode(d []byte) (e entry) {
	flags := d[0]
	switch flags & widthBits {
	case 0:
		e.key, e.room, e.value, e.head = int(d[1]), int(d[2]), int(d[3]), 1+3
	case 1:
		e.key, e.room, e.value = int(binary.LittleEndian.Uint16(d[1:])), int(binary.LittleEndian.Uint16(d[3:])), int(binary.LittleEndian.Uint16(d[5:]))
		e.head = 1 + 3*2
	default:
		e.key, e.room, e.value = int(binary.LittleEndian.Uint32(d[1:])), int(binary.LittleEndian.Uint32(d[5:])), int(binary.LittleEndian.Uint32(d[9:]))
		e.head = 1 + 3*4
	}
	if flags&timed != 0 {
		e.timed = true
		e.head += 8
	}
	return e
}

// readEntry is decode for bytes that may be no entry.
func readEntry(d []byte) (e entry, ok bool) {
	if len(d) < 1 || d[0]&widthBits == widthBits || d[0]&^(widthBits|timed|dead) != 0 {
		return e, false
	}
	if head := 1 + 3<<(d[0]&widthBits) + 8*btoi(d[0]&timed != 0); len(d) < head {
		return e, false
	}
	e = decode(d)
	return e, e.value <= e.room && e.key+e.value <= maxEntry && e.size() <= len(d)
}

// encode writes the head to the beginning of d.
func (e entry) encode(d []byte, expires int64) {
	switch e.head - 8*btoi(e.timed) {
	case 1 + 3:
		d[0], d[1], d[2], d[3] = 0, byte(e.key), byte(e.room), byte(e.value)
	case 1 + 3*2:
		d[0] = 1
		binary.LittleEndian.PutUint16(d[1:], uint16(e.key))
		binary.LittleEndian.PutUint16(d[3:], uint16(e.room))
		binary.LittleEndian.PutUint16(d[5:], uint16(e.value))
	default:
		d[0] = 2
		binary.LittleEndian.PutUint32(d[1:], uint32(e.key))
		binary.LittleEndian.PutUint32(d[5:], uint32(e.room))
		binary.LittleEndian.PutUint32(d[9:], uint32(e.value))
	}
	if e.timed {
		d[0] |= timed
		binary.LittleEndian.PutUint64(d[e.head-8:], uint64(expires))
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// size is what the entry takes of its chunk; need is that without spare room.
func (e entry) size() int { return e.head + e.key + e.room }
func (e entry) need() int { return e.head + e.key + e.value }

func (e entry) keyOf(d []byte) []byte { return d[e.head : e.head+e.key : e.head+e.key] }

func (e entry) valueOf(d []byte) []byte {
	at := e.head + e.key
	return d[at : at+e.value : at+e.value]
}

// expires returns when the entry ends, 0 for never.
func (e entry) expires(d []byte) int64 {
	if !e.timed {
		return 0
	}
	return int64(binary.LittleEndian.Uint64(d[e.head-8:]))
}
