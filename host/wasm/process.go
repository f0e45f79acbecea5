package wasm

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/tetratelabs/wazero/api"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/stream"
)

// Session is the state and the timers of the keys of the records of one call, ABI.md
// §5.2. One goroutine uses it. It keeps nothing of what it is given; what it gives
// is valid until the next change. An error ends the call, which fails with it.
type Session interface {
	// Get returns the value under a name for the key of a record.
	Get(record int, name []byte) (value []byte, ok bool)

	// Put sets it, for ttl ns of event time from the record on; 0 is for ever.
	Put(record int, name, value []byte, ttl int64) error

	// Delete removes it. A name that is not there is no error.
	Delete(record int, name []byte) error

	// List visits the names that begin with a prefix, in byte order, until visit
	// returns false.
	List(record int, prefix []byte, visit func(name, value []byte) bool)

	// SetTimer sets or moves a timer, by abi.ClockEvent or abi.ClockWall.
	SetTimer(record, clock int, name []byte, at int64) error

	// DeleteTimer removes one. A name that is not there is no error.
	DeleteTimer(record, clock int, name []byte) error
}

// Process is Call for a plugin of kind process, which finds the state of the records'
// keys in s until Process returns. What it wrote there counts if there is no error and
// there are no Failures.
func (t *Transform) Process(ctx context.Context, s Session, in *stream.Batch, out *stream.Output) error {
	return t.guarded(ctx, s, in, out)
}

// session is what functions of the host know of the call under way.
type session struct {
	Session
	records int   // of its frame
	refused error // of the Session: why the call ends
	list    lister
}

var errNoSession = errors.New("there is no state here: it is that of the records' keys, in " + abi.ExportProcess + " of a plugin of kind " + string(abi.KindProcess))

// indexError is a record index that is not in the frame.
type indexError struct{ index, records uint32 }

func (e *indexError) Error() string {
	return fmt.Sprintf("record %d of a frame of %d records", e.index, e.records)
}

// begin opens a session for the frame that the guest is about to get, nil for none.
func (s *session) begin(with Session, records int) {
	s.Session, s.records, s.refused = with, records, nil
}

// end closes it.
func (s *session) end() { s.Session = nil }

// of returns the record and the name that a function of the host was called with:
// the parameters at 0, and at from and after it.
func (i *instance) of(stack []uint64, from int) (record int, name []byte, err error) {
	s := &i.session
	if s.Session == nil {
		return 0, nil, errNoSession
	}
	if index := uint32(stack[0]); uint64(index) >= uint64(s.records) {
		return 0, nil, &indexError{index, uint32(s.records)}
	}
	name, ok := abi.Ref{Addr: uint32(stack[from]), Len: uint32(stack[from+1])}.In(i.refresh())
	if !ok {
		return 0, nil, errRange
	}
	return int(uint32(stack[0])), name, nil
}

// refuse keeps the error of a session for who made the call.
func (s *session) refuse(err error) error {
	s.refused = err
	return err
}

// stateGet implements state_get.
func (i *instance) stateGet(_ api.Memory, stack []uint64) error {
	record, name, err := i.of(stack, 1)
	if err != nil {
		return err
	}
	value, ok := i.session.Get(record, name)
	if !ok {
		stack[0] = api.EncodeI32(-1)
		return nil
	}
	if room := uint32(stack[4]); uint64(len(value)) <= uint64(room) {
		to, ok := abi.Ref{Addr: uint32(stack[3]), Len: uint32(len(value))}.In(i.view)
		if !ok {
			return errRange
		}
		copy(to, value)
	}
	stack[0] = uint64(len(value))
	return nil
}

// statePut implements state_put.
func (i *instance) statePut(_ api.Memory, stack []uint64) error {
	record, name, err := i.of(stack, 1)
	if err != nil {
		return err
	}
	value, ok := abi.Ref{Addr: uint32(stack[3]), Len: uint32(stack[4])}.In(i.view)
	if !ok {
		return errRange
	}
	ttl := int64(stack[5])
	if ttl < 0 {
		return fmt.Errorf("ttl is %d ns", ttl)
	}
	return i.session.refuse(i.session.Put(record, name, value, ttl))
}

// stateDelete implements state_delete.
func (i *instance) stateDelete(_ api.Memory, stack []uint64) error {
	record, name, err := i.of(stack, 1)
	if err != nil {
		return err
	}
	return i.session.refuse(i.session.Delete(record, name))
}

// stateList implements state_list. It goes through the names twice, so that nothing
// is written that does not fit, and nothing is kept here.
func (i *instance) stateList(_ api.Memory, stack []uint64) error {
	record, prefix, err := i.of(stack, 1)
	if err != nil {
		return err
	}
	l := &i.session.list
	if l.visit == nil {
		l.visit = l.add // once, as it is an allocation
	}
	l.to, l.size = nil, 0
	i.session.List(record, prefix, l.visit)
	size := l.size
	if size > math.MaxInt32 {
		return fmt.Errorf("a list of %d bytes is more than any guest can take", size)
	}
	if room := uint32(stack[4]); size > 0 && size <= int64(room) {
		to, ok := abi.Ref{Addr: uint32(stack[3]), Len: uint32(size)}.In(i.view)
		if !ok {
			return errRange
		}
		// The prefix may lie where the list is written to.
		l.prefix = append(l.prefix[:0], prefix...)
		l.to, l.size = to, 0
		i.session.List(record, l.prefix, l.visit)
		l.to = nil
	}
	stack[0] = uint64(size)
	return nil
}

// lister adds up the entries of a list, or writes them.
type lister struct {
	to     []byte // nil: only add up
	size   int64
	prefix []byte
	visit  func(name, value []byte) bool
}

func (l *lister) add(name, value []byte) bool {
	if l.to != nil {
		abi.PutHeader(l.to[l.size:], name, value)
	}
	l.size += int64(abi.HeaderBytes(name, value))
	return true
}

// timerSet implements timer_set.
func (i *instance) timerSet(_ api.Memory, stack []uint64) error {
	record, name, err := i.of(stack, 2)
	if err != nil {
		return err
	}
	clock, err := clockOf(stack[1])
	if err != nil {
		return err
	}
	return i.session.refuse(i.session.SetTimer(record, clock, name, int64(stack[4])))
}

// timerDelete implements timer_delete.
func (i *instance) timerDelete(_ api.Memory, stack []uint64) error {
	record, name, err := i.of(stack, 2)
	if err != nil {
		return err
	}
	clock, err := clockOf(stack[1])
	if err != nil {
		return err
	}
	return i.session.refuse(i.session.DeleteTimer(record, clock, name))
}

func clockOf(parameter uint64) (int, error) {
	if clock := uint32(parameter); clock > abi.ClockWall {
		return 0, fmt.Errorf("clock %d is neither that of events, %d, nor that on the wall, %d", clock, abi.ClockEvent, abi.ClockWall)
	}
	return int(uint32(parameter)), nil
}

// inKind returns what the record table says of a record that came by a port.
func inKind(port uint16) (kind, in uint32) {
	switch port {
	case stream.EventTimer:
		return abi.InEventTimer, 0
	case stream.ClockTimer:
		return abi.InClockTimer, 0
	}
	return abi.InRecord, uint32(port)
}
