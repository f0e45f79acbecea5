package control

import (
	"slices"

	"github.com/wasmill/wasmill/abi"
	a "github.com/wasmill/wasmill/abi/abitest"
)

// Where poisoned guests keep things, below their arena.
const (
	nameAt    = 0x1000
	countAt   = 0x1100
	countsAt  = 0x20000 // of an aggregate, by window
	answerAt  = 0x3fff0
	entriesAt = 0x40000
)

// Locals of poisoned guests.
const inFrame, left, record, entry, index = 0, 1, 2, 3, 4

// Instructions that abitest has no name for.
var (
	load8  = a.Op(0x2d, 0, 0)
	load64 = a.Op(0x29, 0, 0)
	add64  = a.Op(0x7c)
	extend = a.Op(0xad)
	equal  = a.Op(0x46)
)

// unreachable traps.
var unreachable = a.Op(a.Unreachable)

// refuse answers an error for the record at hand.
var refuse = slices.Concat(a.Get(entry), a.Const(int32(abi.OutcomeError)), a.Store(36))

// poisonedProcess is a guest that counts the records of each key, and lets them through
// with their count as event time. What begins with an exclamation mark fails after it
// was counted, by instructions such as unreachable and refuse.
func poisonedProcess(fails []byte) []byte {
	m := a.NewGuestOf(abi.KindProcess, a.ImportState)
	m.Data(nameAt, []byte("n"))
	const get, put = 0, 1
	m.Func(abi.ExportProcess, []byte{a.I32}, []byte{a.I32}, []byte{a.I32, a.I32, a.I32, a.I32}, loop(0, 4, abi.InSize,
		a.Const(countAt), a.Const64(0), a.Store64(0),
		a.Get(index), a.Const(nameAt), a.Const(1), a.Const(countAt), a.Const(8), a.Call(get), a.Op(a.Drop),
		a.Const(countAt), a.Const(countAt), load64, a.Const64(1), add64, a.Store64(0),
		a.Get(index), a.Const(nameAt), a.Const(1), a.Const(countAt), a.Const(8), a.Const64(0), a.Call(put),
		a.Get(entry), a.Get(record), a.Const(32), a.MemoryCopy(),
		a.Get(entry), a.Const(countAt), load64, a.Store64(0),
		a.Get(entry), a.Get(index), a.Store(32),
		a.Get(entry), a.Const(int32(abi.OutcomeEmit)), a.Store(36),
		a.Get(entry), a.Const64(0), a.Store64(40),
		a.Get(record), a.Load(16), load8, a.Const('!'), equal, a.If(), fails, a.Op(a.End),
		next))
	return m.Bytes()
}

// poisonedAggregate is a guest that counts the records of each window, in accumulators
// of 8 bytes. Its results are keys, with the count as event time. What begins with an
// exclamation mark fails after all have been counted, and what begins with a question
// mark makes the result of a window trap.
func poisonedAggregate(fails []byte) []byte {
	m := a.NewGuestOf(abi.KindAggregate)
	locals := []byte{a.I32, a.I32, a.I32, a.I32}
	acc := slices.Concat(a.Const(countsAt), a.Get(index), a.Const(8), a.Op(0x6c), a.Op(a.Add)) // i32.mul
	m.Func(abi.ExportAdd, []byte{a.I32}, []byte{a.I32}, locals, slices.Concat(
		pass(32, 36, abi.WindowSize, // windows
			acc, a.Get(record), a.Load(36), extend, a.Store64(0),
			a.Get(record), a.Load(28), a.If(),
			acc, acc, load64, a.Get(record), a.Load(24), load64, add64, a.Store64(0), a.Op(a.End),
			a.Get(entry), a.Const(0), a.Const(abi.OutSize), a.MemoryFill(),
			a.Get(entry), acc, a.Store(16), a.Get(entry), a.Const(8), a.Store(20),
			a.Get(entry), a.Get(index), a.Store(32),
			a.Get(entry), a.Const(int32(abi.OutcomeAccumulator)), a.Store(36),
			next),
		again(0, 4, abi.InSize, // records
			a.Get(record), a.Load(16), load8, a.Const('!'), equal, a.If(),
			a.Get(entry), a.Const(0), a.Const(abi.OutSize), a.MemoryFill(),
			a.Get(entry), a.Get(index), a.Store(32),
			fails, next, a.Op(a.End)),
		answer))
	m.Func(abi.ExportResult, []byte{a.I32}, []byte{a.I32}, locals, loop(32, 36, abi.WindowSize,
		a.Get(record), a.Load(16), load8, a.Const('?'), equal, a.If(), unreachable, a.Op(a.End),
		a.Get(entry), a.Const(0), a.Const(abi.OutSize), a.MemoryFill(),
		a.Get(entry), a.Get(record), a.Load(24), load64, a.Store64(0),
		a.Get(entry), a.Get(record), a.Load(16), a.Store(16), a.Get(entry), a.Get(record), a.Load(20), a.Store(20),
		a.Get(entry), a.Get(index), a.Store(32),
		next))
	return m.Bytes()
}

// next begins another entry of the answer.
var next = slices.Concat(a.Get(entry), a.Const(abi.OutSize), a.Op(a.Add), a.Set(entry))

// answer leaves the address of the answer.
var answer = slices.Concat(
	a.Const(answerAt), a.Get(entry), a.Const(-entriesAt), a.Op(a.Add), a.Const(abi.OutSize), a.Op(0x6e), a.Store(0), // i32.div_u
	a.Const(answerAt), a.Const(entriesAt), a.Store(4),
	a.Const(answerAt))

// loop does something for each of the entries of a table, whose number and address
// stand at offsets in the frame, and leaves the answer.
func loop(count, table uint32, size int32, body ...[]byte) []byte {
	return slices.Concat(pass(count, table, size, body...), answer)
}

// pass is loop without the answer.
func pass(count, table uint32, size int32, body ...[]byte) []byte {
	return slices.Concat(a.Const(entriesAt), a.Set(entry), again(count, table, size, body...))
}

// again is pass that goes on with the answer so far.
func again(count, table uint32, size int32, body ...[]byte) []byte {
	return slices.Concat(
		a.Get(inFrame), a.Load(count), a.Set(left),
		a.Get(inFrame), a.Load(table), a.Set(record),
		a.Const(0), a.Set(index),
		a.Block(), a.Loop(),
		a.Get(index), a.Get(left), a.Op(a.LessU, a.Eqz), a.BrIf(1),
		slices.Concat(body...),
		a.Get(record), a.Const(size), a.Op(a.Add), a.Set(record),
		a.Get(index), a.Const(1), a.Op(a.Add), a.Set(index),
		a.Br(0), a.Op(a.End), a.Op(a.End))
}
