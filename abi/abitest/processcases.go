package abitest

import (
	"math"
	"slices"

	"github.com/wasmill/wasmill/abi"
)

// Where guests of processCases keep a name, a value, and what they read.
const (
	nameAddr  = 0x1000 // "name"
	valueAddr = 0x1100 // "value"
	readAddr  = 0x1200
)

// processCases are guests that use state and timers, well and badly.
func processCases() []Case {
	in := []Record{{Key: "a", Value: "1"}, {Key: "b", Value: "2"}}
	name := slices.Concat(Const(nameAddr), Const(4))
	value := slices.Concat(Const(valueAddr), Const(5))
	to := slices.Concat(Const(readAddr), Const(64))
	forever := Const64(0)
	call := func(function uint32, parts ...[]byte) []byte {
		return slices.Concat(slices.Concat(parts...), Call(function))
	}
	put := func(record int32) []byte { return call(importPut, Const(record), name, value, forever) }
	wants := func(n int32) []byte { // traps if the result is another
		return slices.Concat(Const(n), Op(0x47), If(), Op(Unreachable), Op(End))
	}
	wantsByte := func(addr, b int32) []byte { return slices.Concat(Const(addr), Op(0x2d, 0, 0), wants(b)) } // i32.load8_u
	good := func(name string, body ...[]byte) Case {
		return Case{Name: name, Module: keyed(body...), Kind: abi.KindProcess, In: in}
	}
	lie := func(name string, body ...[]byte) Case {
		c := good(name, body...)
		c.Refused = true
		return c
	}
	const end = entriesEnd
	outside := slices.Concat(Const(end-1), Const(2))
	wraps := slices.Concat(Const(-1), Const(2))
	return []Case{
		good("a value that was put, of a key and not of another",
			put(0), call(importGet, Const(0), name, to), wants(5), wantsByte(readAddr+4, 'e'),
			call(importGet, Const(1), name, to), wants(-1)),
		good("a value that does not fit, of which nothing is written",
			put(0), call(importGet, Const(0), name, Const(readAddr), Const(4)), wants(5), wantsByte(readAddr, 0)),
		good("a value that does not fit, and so may go anywhere",
			put(0), call(importGet, Const(0), name, Const(-1), Const(4)), wants(5)),
		good("a value that was deleted", put(0), call(importDelete, Const(0), name), call(importGet, Const(0), name, to), wants(-1)),
		good("an empty name and an empty value",
			call(importPut, Const(0), Const(0), Const(0), Const(0), Const(0), Const64(5)), call(importGet, Const(0), Const(0), Const(0), Const(0), Const(0)), wants(0)),
		good("names that are listed",
			put(0), call(importList, Const(0), Const(nameAddr), Const(2), to), wants(17), wantsByte(readAddr, 4), wantsByte(readAddr+8, 'n'), wantsByte(readAddr+16, 'e'),
			call(importList, Const(0), Const(nameAddr), Const(2), Const(-1), Const(16)), wants(17),
			call(importList, Const(1), Const(nameAddr), Const(2), to), wants(0)),
		good("a prefix where the list is written",
			put(0), call(importPut, Const(0), Const(nameAddr), Const(2), value, forever),
			call(importList, Const(0), Const(nameAddr), Const(1), Const(nameAddr), Const(64)), wants(32), wantsByte(nameAddr+15, 4), wantsByte(nameAddr+31, 'e')),
		good("timers of both clocks, at the first and the last moment",
			call(importSetTimer, Const(0), Const(abi.ClockEvent), name, Const64(math.MinInt64)),
			call(importSetTimer, Const(1), Const(abi.ClockWall), name, Const64(math.MaxInt64)),
			call(importDeleteTimer, Const(0), Const(abi.ClockEvent), name), call(importDeleteTimer, Const(0), Const(abi.ClockWall), name)),
		lie("state of a record past the frame", put(2)),
		lie("state of record 4,294,967,295", put(-1)),
		lie("a timer of a record past the frame", call(importSetTimer, Const(2), Const(0), name, Const64(1))),
		lie("a name outside memory", call(importGet, Const(0), outside, to), Op(Drop)),
		lie("a name whose end wraps around", call(importDelete, Const(0), wraps)),
		lie("a value put from outside memory", call(importPut, Const(0), name, outside, forever)),
		lie("a value of 4 GiB", call(importPut, Const(0), name, Const(0), Const(-1), forever)),
		lie("a value for less than no time", call(importPut, Const(0), name, value, Const64(-1))),
		lie("a value got to outside memory", put(0), call(importGet, Const(0), name, Const(end-4), Const(64)), Op(Drop)),
		lie("a value got to where its end wraps around", put(0), call(importGet, Const(0), name, Const(-4), Const(-1)), Op(Drop)),
		lie("a list to outside memory", put(0), call(importList, Const(0), name, Const(end-16), Const(64)), Op(Drop)),
		lie("a prefix outside memory", call(importList, Const(0), outside, to), Op(Drop)),
		lie("a timer with a name outside memory", call(importSetTimer, Const(0), Const(0), outside, Const64(1))),
		lie("a timer by a clock that is none", call(importSetTimer, Const(0), Const(2), name, Const64(1))),
		lie("a timer by clock -1 to delete", call(importDeleteTimer, Const(0), Const(-1), name)),
	}
}

// Indices of what keyed guests import.
const importGet, importPut, importDelete, importList, importSetTimer, importDeleteTimer = 0, 1, 2, 3, 4, 5

// keyed is a guest of kind process that runs instructions in a call and answers
// nothing.
func keyed(body ...[]byte) []byte {
	a := NewGuestOf(abi.KindProcess, ImportState)
	a.Data(nameAddr, []byte("name"))
	a.Data(valueAddr, []byte("value"))
	a.Data(headerAddr, make([]byte, abi.OutHeaderSize))
	a.Func(abi.ExportProcess, []byte{I32}, []byte{I32}, nil, slices.Concat(body...), Const(headerAddr))
	return a.Bytes()
}

// ImportState adds the functions for state and timers to a guest, as its functions 0
// to 5: state_get, state_put, state_delete, state_list, timer_set, timer_delete.
func ImportState(a *Asm) {
	for _, f := range []struct {
		name            string
		params, results []byte
	}{
		{abi.ImportStateGet, []byte{I32, I32, I32, I32, I32}, []byte{I32}},
		{abi.ImportStatePut, []byte{I32, I32, I32, I32, I32, I64}, nil},
		{abi.ImportStateDelete, []byte{I32, I32, I32}, nil},
		{abi.ImportStateList, []byte{I32, I32, I32, I32, I32}, []byte{I32}},
		{abi.ImportTimerSet, []byte{I32, I32, I32, I32, I64}, nil},
		{abi.ImportTimerDelete, []byte{I32, I32, I32, I32}, nil},
	} {
		a.Import(abi.ModuleWasmill, f.name, f.params, f.results)
	}
}

// Counter is a guest of kind process without fault. The event time of its results is
// the number of records and timers of the key so far; each record sets a timer.
func Counter() []byte {
	return identity{keyed: true, each: slices.Concat(count64(Get(index), Get(index)), alarmed)}.module()
}

// ForgetfulOffenders returns guests of kind process that each break one rule, by the
// name of the check that has to find it.
func ForgetfulOffenders() map[string][]byte {
	return map[string][]byte{
		"leaves the state that its records one by one leave":   identity{keyed: true, each: slices.Concat(count64(Get(index), Get(index)), putIndex)}.module(),
		"answers a key the same whatever other keys there are": identity{keyed: true, each: count64(Const(0), Const(0))}.module(),
		"needs nothing of a key but its state":                 identity{keyed: true, each: slices.Concat(Op(0x23, 0), Const64(1), Op(0x7c), Op(0x24, 0), Get(entry), Op(0x23, 0), Store64(0))}.module(),
		"emits nothing for records of unknown kind":            identity{keyed: true, first: putIndexOf(Const(1))}.module(),
	}
}

// count64 adds 1 to the number that a record has under a name of one byte, keeps that
// for another record, and makes it the event time of the entry.
func count64(from, to []byte) []byte {
	return slices.Concat(
		Const(readAddr), Const64(0), Store64(0),
		from, Const(nameAddr), Const(1), Const(readAddr), Const(8), Call(importGet), Op(Drop),
		Const(readAddr), Const(readAddr), Op(0x29, 0, 0), Const64(1), Op(0x7c), Store64(0), // i64.load, i64.add
		to, Const(nameAddr), Const(1), Const(readAddr), Const(8), Const64(1), Call(importPut),
		Get(entry), Const(readAddr), Op(0x29, 0, 0), Store64(0))
}

// alarmed sets a timer for a record, with the same name.
var alarmed = slices.Concat(
	Get(record), Load(36), Op(Eqz), If(),
	Get(index), Const(abi.ClockEvent), Const(nameAddr), Const(1), Get(record), Op(0x29, 0, 0), Call(importSetTimer), Op(End))

// putIndex keeps the index of a record in its frame.
var putIndex = putIndexOf(Get(index))

func putIndexOf(record []byte) []byte {
	return slices.Concat(
		Const(readAddr), record, Store(0),
		record, Const(nameAddr), Const(2), Const(readAddr), Const(4), Const64(0), Call(importPut))
}

// First is a guest of kind process that lets the first record of each key through.
func First() []byte {
	return identity{keyed: true, each: slices.Concat(
		Get(index), Const(nameAddr), Const(1), Const(0), Const(0), Call(importGet), Const(-1), Op(0x47), BrIf(0), // i32.ne
		Get(index), Const(nameAddr), Const(1), Const(0), Const(0), Const64(0), Call(importPut))}.module()
}

// Ringing is a guest of kind process that lets all through, and has a timer by the
// clock fire at once after each record.
func Ringing() []byte { return ringing(nil) }

// RingingBadly is the same, but traps when the timer fires.
func RingingBadly() []byte { return ringing(Op(0x05, Unreachable)) }

func ringing(otherwise []byte) []byte {
	return identity{keyed: true, each: slices.Concat(
		Get(record), Load(36), Op(Eqz), If(),
		Get(index), Const(abi.ClockWall), Const(nameAddr), Const(4), Const64(1), Call(importSetTimer), otherwise, Op(End))}.module()
}
