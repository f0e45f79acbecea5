package abitest

import (
	"fmt"
	"slices"

	"github.com/wasmill/wasmill/abi"
)

// driver is the simplest host there is, for one instance.
type driver struct {
	guest   Guest
	subject *Subject
	kind    abi.Kind // that the guest declares
	tags    []string // that the guest declares; nil = any
	state   *State
	arena   uint32
	room    uint32
	used    uint32 // bytes of the last frame
}

// output is one entry of an answer, with everything copied out.
type output struct {
	input   uint32
	outcome uint32
	time    int64
	key     string
	value   string
	headers string
	tag     string
}

func (o output) String() string {
	what := "emit"
	if o.outcome == abi.OutcomeError {
		what = "error"
	}
	return fmt.Sprintf("{input %d %s time %d key %.40q value %.80q tag %q}", o.input, what, o.time, o.key, o.value, o.tag)
}

// start brings an instance to where it can process.
func (d *driver) start() error {
	if _, err := d.describe(); err != nil {
		return err
	}
	if !d.guest.HasConfigure() {
		return nil
	}
	n := uint32(len(d.subject.Params))
	if err := d.reserve(n); err != nil {
		return err
	}
	copy(d.guest.Memory()[d.arena:], d.subject.Params)
	packed, err := d.guest.Configure(d.arena, n)
	if err != nil || packed == 0 {
		return err
	}
	message, _ := abi.Unpack(packed).In(d.guest.Memory())
	return fmt.Errorf("%s refuses %s: %s", abi.ExportConfigure, d.subject.Params, message)
}

// reserve makes the arena at least size bytes long.
func (d *driver) reserve(size uint32) error {
	if size <= d.room {
		return nil
	}
	addr, err := d.guest.Input(size)
	switch {
	case err != nil:
		return err
	case addr == 0:
		return fmt.Errorf("%s(%d) returned 0: no room", abi.ExportInput, size)
	case addr%abi.Align != 0:
		return fmt.Errorf("%s(%d) returned %#x, which is not a multiple of %d", abi.ExportInput, size, addr, abi.Align)
	case uint64(addr)+uint64(size) > uint64(len(d.guest.Memory())):
		return fmt.Errorf("%s(%d) returned %#x, which is not inside the %d bytes of memory", abi.ExportInput, size, addr, len(d.guest.Memory()))
	}
	d.arena, d.room = addr, size
	return nil
}

// write lays out a frame with some bytes between header and record table, and
// returns its address.
func (d *driver) write(rs []Record, gap uint32) (uint32, error) {
	records := abi.HeaderSize + gap
	data := records + uint32(len(rs)*abi.InSize)
	size := data
	for _, r := range rs {
		size += uint32(len(r.Key) + len(r.Value) + len(r.Headers))
	}
	if err := d.reserve(size); err != nil {
		return 0, err
	}
	d.used = size
	d.state.Begin(rs)
	frame := d.guest.Memory()[d.arena:][:size]
	header := abi.Header{Count: uint32(len(rs)), Records: d.arena + records, Now: 1, Watermark: -1 << 63, Seed: 42}
	header.Put((*[abi.HeaderSize]byte)(frame))
	put := func(s string) abi.Ref {
		ref := abi.Ref{Addr: d.arena + data, Len: uint32(len(s))}
		data += uint32(copy(frame[data:], s))
		return ref
	}
	for i, r := range rs {
		in := abi.In{Time: r.Time, Key: put(r.Key), Value: put(r.Value), Headers: put(r.Headers), Kind: r.kind}
		in.Put((*[abi.InSize]byte)(frame[records+uint32(i*abi.InSize):]))
	}
	return d.arena, nil
}

// process gives the guest one frame and returns its answer.
func (d *driver) process(rs []Record) ([]output, error) {
	if d.kind == abi.KindProcess {
		return d.withState(rs)
	}
	return d.once(rs)
}

// once gives the guest one frame, whatever it answers.
func (d *driver) once(rs []Record) ([]output, error) {
	frame, err := d.write(rs, 0)
	if err != nil {
		return nil, err
	}
	return d.answer(frame, len(rs))
}

// maxEntries is more than any guest under test has reason to answer.
const maxEntries = 1 << 20

// answer calls the guest and reads what it says, checking all of it.
func (d *driver) answer(frame uint32, n int) ([]output, error) {
	addr, err := d.guest.Process(frame, d.state)
	if err != nil {
		return nil, err
	}
	memory := d.guest.Memory()
	table, err := abi.OutTable(memory, addr, maxEntries)
	if err != nil {
		return nil, err
	}
	outs := make([]output, 0, len(table)/abi.OutSize)
	for k := 0; k < len(table); k += abi.OutSize {
		var e abi.Out
		e.Take((*[abi.OutSize]byte)(table[k:]))
		o, err := d.entry(memory, &e, n)
		if err != nil {
			return nil, fmt.Errorf("output entry %d: %w", k/abi.OutSize, err)
		}
		outs = append(outs, o)
	}
	return outs, nil
}

func (d *driver) entry(memory []byte, e *abi.Out, n int) (output, error) {
	o := output{input: e.Input, outcome: e.Outcome, time: e.Time}
	switch {
	case int64(e.Input) >= int64(n):
		return o, fmt.Errorf("input %d of a frame of %d records", e.Input, n)
	case e.Outcome > abi.OutcomeError:
		return o, fmt.Errorf("outcome %d is not known", e.Outcome)
	case e.Tag.Len > abi.MaxTag:
		return o, fmt.Errorf("tag of %d bytes is over the limit of %d", e.Tag.Len, abi.MaxTag)
	}
	for _, part := range []struct {
		name string
		ref  abi.Ref
		to   *string
	}{{"key", e.Key, &o.key}, {"value", e.Value, &o.value}, {"header block", e.Headers, &o.headers}, {"tag", e.Tag, &o.tag}} {
		b, ok := part.ref.In(memory)
		if !ok {
			return o, fmt.Errorf("%s at %#x with %d bytes is not inside the %d bytes of memory", part.name, part.ref.Addr, part.ref.Len, len(memory))
		}
		*part.to = string(b)
	}
	if !abi.ValidHeaders([]byte(o.headers)) {
		return o, fmt.Errorf("header block %q is malformed", o.headers)
	}
	if o.tag != "" && d.tags != nil && !slices.Contains(d.tags, o.tag) {
		return o, fmt.Errorf("tag %q is not among those that the description lists, %q", o.tag, d.tags)
	}
	return o, nil
}
