package abitest

import (
	"github.com/wasmill/wasmill/abi"
)

// Where guests made by NewGuest keep things.
const (
	describeAddr = 0x0400
	headerAddr   = 0x3fff0 // output header
	entriesAddr  = 0x40000 // output entries: room for 37,000
	arenaAddr    = 0x200000
	arenaSize    = 0x200000
	guestPages   = 64 // 4 MiB
)

const describeText = `{"name":"abitest","kind":"map","tags":["seen"]}`

// NewGuest starts a module with all that a plugin needs but wasmill_process:
// an arena of 2 MiB and a description.
func NewGuest(imports ...func(*Asm)) *Asm {
	a := &Asm{}
	for _, add := range imports {
		add(a)
	}
	a.Memory(guestPages)
	a.Data(describeAddr, []byte(describeText))
	a.Func(abi.ExportMarker, nil, nil, nil)
	a.Func(abi.ExportDescribe, nil, []byte{I64}, nil, Const64(describeAddr<<32|int64(len(describeText))))
	a.Func(abi.ExportInput, []byte{I32}, []byte{I32}, nil,
		// size ≤ arenaSize: arenaAddr, else 0
		Get(0), Const(arenaSize), Op(GreaterU), []byte{0x04, I32}, Const(0), []byte{0x05}, Const(arenaAddr), Op(End))
	return a
}

// Identity is a guest that passes every record through, written instruction by
// instruction.
func Identity() []byte {
	const frame, n, record, entry, i = 0, 1, 2, 3, 4
	a := NewGuest()
	a.Func(abi.ExportProcess, []byte{I32}, []byte{I32}, []byte{I32, I32, I32, I32},
		Get(frame), Load(0), Set(n),
		Get(frame), Load(4), Set(record),
		Const(entriesAddr), Set(entry),
		Block(), Loop(),
		Get(i), Get(n), Op(LessU, Eqz), BrIf(1),
		Block(),                        // pass over what is no record
		Get(record), Load(36), BrIf(0), // kind
		Get(entry), Get(record), Const(32), MemoryCopy(),
		Get(entry), Get(i), Store(32),
		Get(entry), Const(0), Store(36),
		Get(entry), Const64(0), Store64(40),
		Get(entry), Const(abi.OutSize), Op(Add), Set(entry),
		Op(End),
		Get(record), Const(abi.InSize), Op(Add), Set(record),
		Get(i), Const(1), Op(Add), Set(i),
		Br(0), Op(End), Op(End),
		// count = (entry - entriesAddr) / OutSize
		Const(headerAddr), Get(entry), Const(-entriesAddr), Op(Add), Const(abi.OutSize), Op(0x6e), Store(0),
		Const(headerAddr), Const(entriesAddr), Store(4),
		Const(headerAddr))
	return a.Bytes()
}

// Canned is a guest that answers every frame with the same output: memory holds
// data at the addresses given, and wasmill_process returns result.
func Canned(result uint32, data map[uint32][]byte) []byte {
	a := NewGuest()
	for addr, content := range data {
		a.Data(addr, content)
	}
	a.Func(abi.ExportProcess, []byte{I32}, []byte{I32}, nil, Const(int32(result)))
	return a.Bytes()
}

// Answer lays an output with entries out for Canned; further data may be added.
func Answer(entries ...abi.Out) map[uint32][]byte {
	header := []byte{byte(len(entries)), 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0} // entries at 0x40000
	table := make([]byte, len(entries)*abi.OutSize)
	for k, e := range entries {
		e.Put((*[abi.OutSize]byte)(table[k*abi.OutSize:]))
	}
	return map[uint32][]byte{headerAddr: header, entriesAddr: table}
}
