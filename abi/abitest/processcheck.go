package abitest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/wasmill/wasmill/abi"
)

// attempts is how often a frame can lose records that fail.
const attempts = 10_000

// withState gives the guest a frame as a host does: what the call wrote is forgotten
// if it answers errors, and the frame comes again without these records.
func (d *driver) withState(rs []Record) ([]output, error) {
	index := make([]int, len(rs))
	for i := range index {
		index[i] = i
	}
	var failed []output
	for range attempts {
		before := d.state.copy()
		frame := make([]Record, len(index))
		for i, at := range index {
			frame[i] = rs[at]
		}
		outs, err := d.once(frame)
		if err != nil {
			return nil, err
		}
		again := false
		for i := range outs {
			here := int(outs[i].input)
			outs[i].input = uint32(index[here])
			if outs[i].outcome == abi.OutcomeError && !slices.ContainsFunc(failed, func(o output) bool { return o.input == outs[i].input }) {
				again = true
				failed = append(failed, output{input: outs[i].input, outcome: outs[i].outcome, value: outs[i].value})
			}
		}
		if !again {
			return append(outs, failed...), nil
		}
		d.state = before
		index = slices.DeleteFunc(index, func(at int) bool {
			return slices.ContainsFunc(failed, func(o output) bool { return int(o.input) == at })
		})
		if len(index) == 0 {
			return failed, nil
		}
	}
	return nil, errors.New("a frame loses records without end")
}

// forget empties the state.
func (d *driver) forget() { d.state = NewState() }

// keyed is records of seven keys, mixed.
func (d *driver) keyed(n int) []Record {
	rs := d.records(n)
	for i := range rs {
		rs[i].Key = fmt.Sprint("key ", i%7)
	}
	return rs
}

// checkStateOfFrames holds that a frame leaves the state that its records one by one
// leave, and so do the timers that they set.
func checkStateOfFrames(d *driver) error {
	if d.kind != abi.KindProcess || d.subject.Random {
		return nil
	}
	run := func(size int) (all []output, state *State, err error) {
		d.forget()
		for from, rs := 0, d.keyed(50); from < len(rs); from += size {
			outs, err := d.process(rs[from:min(from+size, len(rs))])
			if err != nil {
				return nil, nil, err
			}
			for _, o := range outs {
				o.input += uint32(from)
				all = append(all, o)
			}
		}
		fired, err := d.timers(size)
		return append(sortedByInput(all), fired...), d.state, err
	}
	together, here, err := run(50)
	if err != nil {
		return err
	}
	alone, there, err := run(1)
	if err != nil {
		return err
	}
	if err := same(together, alone, "in a frame of 50", "one by one"); err != nil {
		return err
	}
	return here.differs(there, "after a frame of 50", "after its records one by one")
}

// rounds is how many timers of a key fire in a check.
const rounds = 20

// timers fires what is set, in frames of a size, and returns the answers by key.
func (d *driver) timers(size int) (all []output, err error) {
	for range rounds {
		fired := d.state.fire()
		for from := 0; from < len(fired); from += size {
			outs, err := d.process(fired[from:min(from+size, len(fired))])
			if err != nil {
				return nil, fmt.Errorf("timers: %w", err)
			}
			for _, o := range sortedByInput(outs) {
				o.input += uint32(from)
				all = append(all, o)
			}
		}
	}
	return all, nil
}

// checkKeys holds that records of a key are answered the same whatever others there
// are.
func checkKeys(d *driver) error {
	if d.kind != abi.KindProcess || d.subject.Random {
		return nil
	}
	rs := d.keyed(49)
	d.forget()
	mixed, err := d.process(rs)
	if err != nil {
		return err
	}
	together := d.state
	for k := range 7 {
		var own, with []Record
		var want []output
		for i := k; i < len(rs); i += 7 {
			own, with = append(own, rs[i]), append(with, rs[i])
			for _, o := range mixed {
				if int(o.input) == i {
					o.input = uint32(len(own) - 1)
					want = append(want, o)
				}
			}
		}
		d.forget()
		got, err := d.process(with)
		if err != nil {
			return err
		}
		if err := same(sortedByInput(want), sortedByInput(got), "among those of other keys", "by themselves"); err != nil {
			return fmt.Errorf("records of one key: %w", err)
		}
		if err := together.of(map[string]bool{own[0].Key: true}).differs(d.state, "after records of other keys, too", "after those of the key alone"); err != nil {
			return err
		}
	}
	return nil
}

// checkMoves holds that nothing but the state has to move along when another
// instance takes over.
func checkMoves(d *driver) (err error) {
	if d.kind != abi.KindProcess || d.subject.Random {
		return nil
	}
	first, second := d.keyed(60)[:30], d.keyed(60)[30:]
	d.forget()
	if _, err := d.process(first); err != nil {
		return err
	}
	before := d.state.copy()
	stays, err := d.process(second)
	if err != nil {
		return err
	}
	here := d.state
	return d.subject.run(started(func(other *driver) error {
		other.state = before
		moves, err := other.process(second)
		if err != nil {
			return err
		}
		if err := same(stays, moves, "in the instance that had the records before", "in another one with the same state"); err != nil {
			return err
		}
		return here.differs(other.state, "in the instance that had the records before", "in another one")
	}))
}

func sortedByInput(outs []output) []output {
	slices.SortStableFunc(outs, func(a, b output) int { return int(a.input) - int(b.input) })
	return outs
}
