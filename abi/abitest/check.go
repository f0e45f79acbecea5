package abitest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/wasmill/wasmill/abi"
)

// Guest is a live instance of a plugin, driven by hand: each method calls the
// export of its name. After an error it is not used again.
type Guest interface {
	Describe() (packed uint64, err error)
	Configure(addr, n uint32) (packed uint64, err error)
	HasConfigure() bool
	Input(size uint32) (addr uint32, err error)
	Process(frame uint32, s *State) (addr uint32, err error) // s is for a guest of kind process
	Fold(export string, frame uint32) (addr uint32, err error)
	Merges() bool   // it exports wasmill_merge
	Memory() []byte // valid until the next call
	Close() error
}

// Finding is the result of one check. Err is nil if the guest passed, and
// ErrNotRun if an earlier failure left nothing to check.
type Finding struct {
	Check string
	Err   error
}

// ErrNotRun says that a check was left out.
var ErrNotRun = errors.New("not run, because the guest does not work at all")

// Subject is a plugin under test.
type Subject struct {
	Open   func() (Guest, error) // a fresh instance, after _initialize
	Params []byte                // JSON object for wasmill_configure
	Random bool                  // it may answer the same frame differently
	Values [][]byte              // sample values; nil = the suite's own
}

// CheckGuest runs the suite: one finding for each check, in order.
func CheckGuest(s Subject) []Finding {
	if s.Values == nil {
		s.Values = sampleValues()
	}
	if len(s.Params) == 0 {
		s.Params = []byte("{}")
	}
	var findings []Finding
	dead := false
	list := checks
	if s.kindOf() == abi.KindAggregate {
		list = slices.Concat(checks[:beforeRecords], aggregateChecks)
	}
	for _, c := range list {
		err := ErrNotRun
		if !dead {
			err = s.run(c.run)
			dead = err != nil && c.vital
		}
		findings = append(findings, Finding{c.name, err})
	}
	return findings
}

// run gives a check an instance of its own.
func (s *Subject) run(check func(*driver) error) (err error) {
	g, err := s.Open()
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	return check(&driver{guest: g, subject: s, state: NewState()})
}

type check struct {
	name  string
	vital bool
	run   func(*driver) error
}

// beforeRecords is how many checks come before the first record.
const beforeRecords = 3

// checks are in the order in which a guest's author would want to hear of them.
// A vital one that fails leaves nothing for the others to check.
var checks = []check{
	{"describes itself, the same each time", true, checkDescription},
	{"gives an aligned arena of the size asked for", true, checkArena},
	{"accepts its parameters", true, (*driver).start},
	{"processes one record", true, started(func(d *driver) error { return d.check(d.records(1)) })},
	{"processes frames of 2 to 10,000 records", false, started(checkSizes)},
	{"processes empty values, keys and headers", false, started(checkEmpty)},
	{"processes keys, headers and times of all kinds", false, started(checkParts)},
	{"processes a value of 1 MiB", false, started(checkLarge)},
	{"processes bytes that are no text", false, started(checkBinary)},
	{"answers a frame as it answers its records one by one", false, started(checkIndependence)},
	{"leaves the state that its records one by one leave", false, started(checkStateOfFrames)},
	{"answers a key the same whatever other keys there are", false, started(checkKeys)},
	{"needs nothing of a key but its state", false, started(checkMoves)},
	{"answers the same frame the same way", false, started(checkRepetition)},
	{"leaves the input arena unchanged", false, started(checkReadOnly)},
	{"finds the record table wherever it is", false, started(checkTable)},
	{"emits nothing for records of unknown kind", false, started(checkKind)},
	{"keeps its memory bounded over 2,000 frames", false, started(checkMemory)},
}

// started brings an instance to where it can process before a check.
func started(check func(*driver) error) func(*driver) error {
	return func(d *driver) error {
		if err := d.start(); err != nil {
			return err
		}
		return check(d)
	}
}

func sampleValues() [][]byte {
	return [][]byte{
		[]byte(`203.0.113.9 - alice [10/Oct/2026:13:55:36 +0000] "GET /cart?id=7 HTTP/1.1" 200 2326 "https://example.org/" "Mozilla/5.0"`),
		[]byte(`{"type":"bid","auction":1001,"bidder":2002,"price":12345,"channel":"Google","url":"https://example.org/a/b/c","dateTime":"2015-07-15T00:00:00.000Z","extra":"cc"}`),
		[]byte("ERROR disk full on /dev/sda1"),
		[]byte("héllo wörld, 今日は"),
		[]byte("42"),
		[]byte(`"`),
	}
}

func (d *driver) records(n int) []Record {
	rs := make([]Record, n)
	for i := range rs {
		rs[i] = Record{Time: int64(i) * 1e9, Value: string(d.subject.Values[i%len(d.subject.Values)])}
	}
	return rs
}

func checkDescription(d *driver) error {
	first, err := d.describe()
	if err != nil {
		return err
	}
	if _, err := abi.ParseDescription(first); err != nil {
		return err
	}
	second, err := d.describe()
	if err == nil && !bytes.Equal(first, second) {
		err = errors.New("the second description differs from the first")
	}
	return err
}

func checkArena(d *driver) error {
	for _, size := range []uint32{1, 64, 4096, 64 << 10, 1 << 20} {
		if err := d.reserve(size); err != nil {
			return err
		}
		arena := d.guest.Memory()[d.arena:][:size]
		for i := range arena {
			arena[i] = byte(i)
		}
	}
	return nil
}

func checkSizes(d *driver) error {
	for _, n := range []int{2, 3, 1000, 7, 10_000, 1} {
		if err := d.check(d.records(n)); err != nil {
			return fmt.Errorf("frame of %d records: %w", n, err)
		}
	}
	return nil
}

func checkEmpty(d *driver) error {
	return d.check([]Record{{}, {Value: string(d.subject.Values[0])}, {}, {Key: "k"}, {Headers: string(abi.AppendHeader(nil, "", nil))}})
}

func checkParts(d *driver) error {
	rs := d.records(6)
	for i, t := range []int64{0, -1, 1, 1<<63 - 1, -1 << 63, 1_800_000_000_000_000_000} {
		rs[i].Time = t
		rs[i].Key = string(bytes.Repeat([]byte{byte(i)}, i*i))
		block := abi.AppendHeader(nil, "name", []byte("value"))
		rs[i].Headers = string(abi.AppendHeader(block, "name", bytes.Repeat([]byte{0xff}, i)))
	}
	return d.check(rs)
}

func checkLarge(d *driver) error {
	return d.check([]Record{{Value: string(bytes.Repeat([]byte("0123456789abcde\n"), 1<<16))}})
}

func checkBinary(d *driver) error {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	return d.check([]Record{{Value: string(all)}, {Value: "\x00"}, {Value: "\xff\xfe"}, {Value: "\xed\xa0\x80"}, {Value: "\"\\"}})
}

func checkIndependence(d *driver) error {
	if d.subject.Random {
		return nil
	}
	rs := d.records(50)
	together, err := d.process(rs)
	if err != nil {
		return err
	}
	d.forget()
	var alone []output
	for i := range rs {
		out, err := d.process(rs[i : i+1])
		if err != nil {
			return err
		}
		for _, o := range out {
			o.input = uint32(i)
			alone = append(alone, o)
		}
	}
	return same(sortedByInput(together), alone, "in a frame of 50", "one by one")
}

func checkRepetition(d *driver) error {
	if d.subject.Random {
		return nil
	}
	first, err := d.process(d.records(100))
	if err != nil {
		return err
	}
	d.forget()
	second, err := d.process(d.records(100))
	if err != nil {
		return err
	}
	return same(first, second, "the first time", "the second time")
}

func same(a, b []output, nameA, nameB string) error {
	if len(a) != len(b) {
		return fmt.Errorf("%d entries %s, %d %s", len(a), nameA, len(b), nameB)
	}
	for i := range a {
		if a[i] != b[i] {
			return fmt.Errorf("entry %d is %s %s, and %s %s", i, a[i], nameA, b[i], nameB)
		}
	}
	return nil
}

func checkReadOnly(d *driver) error {
	frame, err := d.write(d.records(100), 0)
	if err != nil {
		return err
	}
	before := bytes.Clone(d.guest.Memory()[d.arena:][:d.used])
	if _, err := d.answer(frame, 100); err != nil {
		return err
	}
	after := d.guest.Memory()[d.arena:][:d.used]
	for i := range before {
		if before[i] != after[i] {
			return fmt.Errorf("byte %d of the frame was %#x and is %#x after the call (ABI.md §2)", i, before[i], after[i])
		}
	}
	return nil
}

func checkTable(d *driver) error {
	rs := d.records(20)
	want, err := d.once(rs)
	if err != nil {
		return err
	}
	d.forget()
	frame, err := d.write(rs, 64)
	if err != nil {
		return err
	}
	got, err := d.answer(frame, len(rs))
	if err != nil || d.subject.Random {
		return err
	}
	return same(want, got, "with the table after the header", "with the table 64 bytes later")
}

func checkKind(d *driver) error {
	rs := d.records(3)
	frame, err := d.write(rs, 0)
	if err != nil {
		return err
	}
	_, table, err := abi.InTable(d.guest.Memory(), frame)
	if err != nil {
		return err
	}
	table[abi.InSize+36] = 9 // the kind of the middle one
	out, err := d.answer(frame, len(rs))
	if err != nil {
		return err
	}
	for _, o := range out {
		if o.input == 1 {
			return fmt.Errorf("answered %s to a record of kind 9", o)
		}
	}
	if d.state.wrote[1] {
		return errors.New("changed the state of the key of a record of kind 9")
	}
	return nil
}

func checkMemory(d *driver) error {
	rs := d.records(64)
	var settled int
	for i := range 2000 {
		if _, err := d.process(rs); err != nil {
			return fmt.Errorf("frame %d: %w", i+1, err)
		}
		if i == 500 {
			settled = len(d.guest.Memory())
		}
		if i%50 == 0 {
			d.forget()
		}
	}
	if now := len(d.guest.Memory()); now > 2*settled {
		return fmt.Errorf("memory grew from %d bytes after 500 frames to %d after 2,000: free what a frame allocates, and in Go yield once per frame", settled, now)
	}
	return nil
}

func (d *driver) check(rs []Record) error {
	_, err := d.process(rs)
	return err
}

func (d *driver) describe() ([]byte, error) {
	packed, err := d.guest.Describe()
	if err != nil {
		return nil, err
	}
	text, ok := abi.Unpack(packed).In(d.guest.Memory())
	if !ok {
		return nil, errors.New("the description is not inside memory")
	}
	text = bytes.Clone(text)
	var desc struct {
		Kind abi.Kind
		Tags []string
	}
	if err := json.Unmarshal(text, &desc); err == nil {
		d.kind, d.tags = desc.Kind, desc.Tags
	}
	return text, nil
}
