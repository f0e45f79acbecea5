package abitest

import (
	"slices"

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

// NewGuest starts a module with all that a plugin of kind map needs but
// wasmill_process: an arena of 2 MiB and a description.
func NewGuest(imports ...func(*Asm)) *Asm { return NewGuestOf(abi.KindMap, imports...) }

// NewGuestOf is NewGuest for a kind.
func NewGuestOf(kind abi.Kind, imports ...func(*Asm)) *Asm {
	describeText := `{"name":"abitest","kind":"` + string(kind) + `","tags":["seen"]}`
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
func Identity() []byte { return identity{}.module() }

// Locals of wasmill_process in an identity.
const frame, count, record, entry, index = 0, 1, 2, 3, 4

// identity makes guests that pass records through, each with a fault of its own.
type identity struct {
	first     []byte // instructions at the start of a call
	table     []byte // leave the address of the record table; nil = read the header
	each      []byte // instructions for each record, after its entry is written
	blind     bool   // takes everything for a record
	skewArena bool
	keyed     bool // is of kind process, has the functions of ImportState, and timers are records
}

func (v identity) module() []byte {
	a := NewGuest()
	if v.keyed {
		a = NewGuestOf(abi.KindProcess, ImportState)
		a.Data(nameAddr, []byte("name"))
	}
	if v.skewArena {
		a.code[2] = vector([]byte{0, 0x41, 4, 0x0b}) // wasmill_input returns 4
	}
	a.Global()
	if v.table == nil {
		v.table = slices.Concat(Get(frame), Load(4))
	}
	kind := slices.Concat(Get(record), Load(36), BrIf(0))
	if v.keyed {
		kind = slices.Concat(Get(record), Load(36), Const(int32(abi.InClockTimer)), Op(GreaterU), BrIf(0))
	}
	if v.blind {
		kind = nil
	}
	a.Func(abi.ExportProcess, []byte{I32}, []byte{I32}, []byte{I32, I32, I32, I32},
		v.first,
		Get(frame), Load(0), Set(count),
		v.table, Set(record),
		Const(entriesAddr), Set(entry),
		Block(), Loop(),
		Get(index), Get(count), Op(LessU, Eqz), BrIf(1),
		Block(), // pass over what is no record
		kind,
		Get(entry), Get(record), Const(32), MemoryCopy(),
		Get(entry), Get(index), Store(32),
		Get(entry), Const(0), Store(36),
		Get(entry), Const64(0), Store64(40),
		v.each,
		Get(entry), Const(abi.OutSize), Op(Add), Set(entry),
		Op(End),
		Get(record), Const(abi.InSize), Op(Add), Set(record),
		Get(index), Const(1), Op(Add), Set(index),
		Br(0), Op(End), Op(End),
		// count = (entry - entriesAddr) / OutSize
		Const(headerAddr), Get(entry), Const(-entriesAddr), Op(Add), Const(abi.OutSize), Op(0x6e), Store(0),
		Const(headerAddr), Const(entriesAddr), Store(4),
		Const(headerAddr))
	return a.Bytes()
}

// Offenders returns guests that each break one rule, by the name of the check
// that has to find it.
func Offenders() map[string][]byte {
	globalGet, globalSet := []byte{0x23, 0}, []byte{0x24, 0}
	add64, extend := Op(0x7c), Op(0xad)
	unless := func(condition ...[]byte) []byte { // trap if it is 0
		return slices.Concat(slices.Concat(condition...), Op(Eqz), If(), Op(Unreachable), Op(End))
	}
	return map[string][]byte{
		"gives an aligned arena of the size asked for": identity{skewArena: true}.module(),
		"processes one record":                         trap(),
		"processes empty values, keys and headers":     identity{each: unless(Get(record), Load(20))}.module(),
		"processes frames of 2 to 10,000 records":      identity{first: unless(Get(frame), Load(0), Const(1000), Op(LessU))}.module(),
		"answers a frame as it answers its records one by one": identity{
			each: slices.Concat(Get(entry), Get(index), extend, Store64(0)),
		}.module(),
		"answers the same frame the same way": identity{
			first: slices.Concat(globalGet, Const64(1), add64, globalSet),
			each:  slices.Concat(Get(entry), globalGet, Store64(0)),
		}.module(),
		"leaves the input arena unchanged":          identity{each: slices.Concat(Get(record), Const(77), Store(0))}.module(),
		"finds the record table wherever it is":     identity{table: slices.Concat(Get(frame), Const(abi.HeaderSize), Op(Add))}.module(),
		"emits nothing for records of unknown kind": identity{blind: true}.module(),
		"keeps its memory bounded over 2,000 frames": identity{
			first: unless(Const(1), MemoryGrow(), Const(-1), Op(0x47)), // i32.ne
		}.module(),
	}
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
