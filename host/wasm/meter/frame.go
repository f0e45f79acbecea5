package meter

import (
	"slices"

	wasm "github.com/wasmill/wasmill/host/wasm/binary"
)

// frame estimates how many bytes of native stack a call of a function takes:
//
//	frameBase + slot × (kept + passed + locals × blocks / frameMeets)
//
// wazero's compiler gives each value that it cannot hold in a register a slot of
// its own, for the whole function. A slot has 8 bytes, in functions that have to do
// with vectors 16.
//
// Kept are values that live across a call, or for which there is no register:
// operands below the arguments of a call or above frameRegisters others, and reads
// of a local before which there was a call, or were frameRegisters writes to others,
// since it was last read or written. A loop with calls keeps also what it reads from
// before the loop. Passed is the most arguments and results of a call, above those
// that registers hold. Where ways meet on which a local has different values it gets
// another slot: how often that is so would need more than one pass to tell, and
// frameMeets makes the sum right for Go, Rust and C. It is wrong by more than what
// lies between a sensible limit and wazero's own for functions made for that.
type frame struct {
	*module
	wide     bool // slots have 16 bytes
	locals   int  // parameters included
	blocks   int  // so far, and loops and ifs
	height   int  // operands now
	counted  int  // operands at the bottom that are kept
	kept     int  // values
	passed   int  // the most arguments and results of a call
	open     []scope
	lastCall uint32 // when it was
}

// scope is an open construct, the function's body included.
type scope struct {
	loop    bool
	base    int    // operands below it
	params  int    // that else starts with
	results int    // that it leaves
	start   uint32 // when the innermost loop around was opened, or the function
	before  int    // locals that are read from before start
}

const (
	frameBase      = 128 // return address, frame pointer, saved registers, and what each function keeps
	frameRegisters = 12
	frameArguments = 6
	frameMeets     = 16
)

// newFrame starts the estimate of a function whose locals are known.
func newFrame(m *module, typ wasm.FuncType, f *function) *frame {
	if more := int(f.locals) - len(m.touched); more > 0 {
		m.touched = append(m.touched, make([]uint32, more)...)
	}
	m.now++
	s := &frame{module: m, wide: f.wide, locals: int(f.locals), lastCall: m.now, open: []scope{{results: len(typ.Results), start: m.now}}}
	s.look(typ)
	return s
}

// look looks for vectors in a type.
func (s *frame) look(typ wasm.FuncType) {
	s.wide = s.wide || slices.Contains(typ.Params, wasm.V128) || slices.Contains(typ.Results, wasm.V128)
}

// size returns the estimate.
func (s *frame) size() uint32 {
	slot := 8
	if s.wide {
		slot = 16
	}
	values := s.kept + max(0, s.passed-frameArguments) + s.locals*s.blocks/frameMeets
	return uint32(min(frameBase+slot*values, maxWeight))
}

// step follows one instruction, which has been checked.
func (s *frame) step(in *instruction) {
	switch in.op {
	case opBlock, opLoop, opIf:
		s.enter(in)
	case opElse:
		c := s.scope()
		s.reset(c.base + c.params)
	case opEnd:
		s.leave()
	case opBr, opBrTable, opReturn, opUnreachable, opReturnCall, opReturnCallI:
		s.reset(s.scope().base) // what follows is not reached
	case opBrIf:
		s.take(1)
	case opCall:
		s.call(s.signatures[in.index])
	case opCallIndirect:
		s.take(1)
		s.call(s.in.Types[in.index])
	case opLocalGet:
		s.get(in.index)
		s.push(1)
	case opLocalSet, opLocalTee:
		s.now++
		s.touched[in.index] = s.now
		s.operands(in)
	default:
		s.operands(in)
	}
}

func (s *frame) operands(in *instruction) {
	s.wide = s.wide || in.op>>8 == prefixSIMD
	takes, leaves := effect(in)
	s.take(takes)
	s.push(leaves)
}

func (s *frame) scope() *scope { return &s.open[len(s.open)-1] }

// reset sets the height.
func (s *frame) reset(height int) {
	s.height = height
	s.counted = min(s.counted, height)
}

func (s *frame) take(n int) { s.reset(max(s.height-n, s.scope().base)) }

func (s *frame) push(n int) {
	s.height += n
	s.kept += min(n, max(0, s.height-frameRegisters))
}

// enter opens a construct.
func (s *frame) enter(in *instruction) {
	var params, results int
	switch {
	case in.typed:
		typ := s.in.Types[in.index]
		params, results = len(typ.Params), len(typ.Results)
		s.look(typ)
	case in.index != noType:
		results = 1
	}
	if in.op == opIf {
		s.take(1)
	}
	s.take(params)
	s.blocks++
	c := scope{loop: in.op == opLoop, base: s.height, params: params, results: results, start: s.scope().start}
	if c.loop {
		s.now++
		c.start = s.now
	}
	s.open = append(s.open, c)
	s.push(params)
}

// leave closes a construct.
func (s *frame) leave() {
	c := *s.scope()
	s.reset(c.base)
	if len(s.open) > 1 {
		s.open = s.open[:len(s.open)-1]
	}
	s.push(c.results)
	if c.loop && s.lastCall > c.start {
		s.kept += c.before
		return
	}
	s.scope().before += c.before
}

// call follows a call, whose arguments are on top.
func (s *frame) call(typ wasm.FuncType) {
	s.look(typ)
	s.passed = max(s.passed, len(typ.Params)+len(typ.Results))
	s.take(len(typ.Params))
	s.kept += max(0, min(s.height, frameRegisters)-s.counted) // those above are counted already
	s.counted = s.height
	s.now++
	s.lastCall = s.now
	s.push(len(typ.Results))
}

// get follows the reading of a local.
func (s *frame) get(local uint32) {
	touched := max(s.touched[local], s.open[0].start)
	switch {
	case touched < s.lastCall, s.now-touched > frameRegisters:
		s.kept++
	case touched < s.scope().start:
		s.scope().before++
	}
	s.touched[local] = s.now
}
