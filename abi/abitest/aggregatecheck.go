package abitest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/wasmill/wasmill/abi"
)

// pane is a window of a key as the suite keeps it.
type pane struct {
	start, end int64
	key        string
	acc        string
	records    []Record
	firing     uint32
}

// aggregateChecks take the place of those from the first record on.
var aggregateChecks = []check{
	{"adds a record and gives a result", true, started(func(d *driver) error { return d.addsAndTells(d.records(1)) })},
	{"adds frames of 2 to 10,000 records", false, started(foldSizes)},
	{"adds empty values, keys and headers", false, started(foldEmpty)},
	{"adds keys, headers and times of all kinds", false, started(foldParts)},
	{"adds a value of 1 MiB, and bytes that are no text", false, started(foldBytes)},
	{"gives results of 1,000 windows", false, started(foldWindows)},
	{"takes a window to which nothing was added", false, started(foldNothing)},
	{"adds records of a frame as it adds them one by one", false, started(foldIndependence)},
	{"merges what it would have added", false, started(foldMerge)},
	{"answers the same frame the same way", false, started(foldRepetition)},
	{"leaves the input arena unchanged", false, started(foldReadOnly)},
	{"finds the tables wherever they are", false, started(foldTables)},
	{"keeps its memory bounded over 2,000 frames", false, started(foldMemory)},
}

// kindOf asks a guest for its kind.
func (s *Subject) kindOf() (kind abi.Kind) {
	_ = s.run(func(d *driver) error {
		text, err := d.describe()
		if err != nil {
			return err
		}
		var desc struct{ Kind abi.Kind }
		err = json.Unmarshal(text, &desc)
		kind = desc.Kind
		return err
	})
	return kind
}

// writeFold lays out a frame of panes with some bytes between its tables.
func (d *driver) writeFold(panes []pane, gap uint32) (frame uint32, records int, err error) {
	size := 0
	for _, p := range panes {
		records += len(p.records)
		size += len(p.key) + len(p.acc)
		for _, r := range p.records {
			size += len(r.Key) + len(r.Value) + len(r.Headers)
		}
	}
	windows := abi.FoldHeaderSize + gap
	table := windows + uint32(len(panes)*abi.WindowSize) + gap
	data := table + uint32(records*abi.InSize)
	size += int(data)
	if err := d.reserve(uint32(size)); err != nil {
		return 0, 0, err
	}
	d.used = uint32(size)
	dst := d.guest.Memory()[d.arena:][:size]
	for i := range dst[:table] { // between the tables, too
		dst[i] = byte(i * 0x55)
	}
	header := abi.FoldHeader{Header: abi.Header{Count: uint32(records), Records: d.arena + table, Now: 1, Watermark: 5, Seed: 42}, Windows: uint32(len(panes)), Table: d.arena + windows}
	header.Put((*[abi.FoldHeaderSize]byte)(dst))
	put := func(s string) abi.Ref {
		ref := abi.Ref{Addr: d.arena + data, Len: uint32(len(s))}
		data += uint32(copy(dst[data:], s))
		return ref
	}
	next := uint32(0)
	for k, p := range panes {
		w := abi.Window{Start: p.start, End: p.end, Key: put(p.key), Accumulator: put(p.acc), First: next, Count: uint32(len(p.records)), Firing: p.firing}
		w.Put((*[abi.WindowSize]byte)(dst[windows+uint32(k*abi.WindowSize):]))
		for _, r := range p.records {
			in := abi.In{Time: r.Time, Key: put(r.Key), Value: put(r.Value), Headers: put(r.Headers)}
			in.Put((*[abi.InSize]byte)(dst[table+next*abi.InSize:]))
			next++
		}
	}
	return d.arena, records, nil
}

// fold calls an export with panes, checks all of the answer, and puts new accumulators
// into panes. It returns what was emitted, and the errors.
func (d *driver) fold(export string, panes []pane, gap uint32) (emitted, failed []output, err error) {
	frame, records, err := d.writeFold(panes, gap)
	if err != nil {
		return nil, nil, err
	}
	return d.foldAnswer(export, frame, panes, records)
}

func (d *driver) foldAnswer(export string, frame uint32, panes []pane, records int) (emitted, failed []output, err error) {
	addr, err := d.guest.Fold(export, frame)
	if err != nil {
		return nil, nil, err
	}
	memory := d.guest.Memory()
	table, err := abi.OutTable(memory, addr, maxEntries)
	if err != nil {
		return nil, nil, err
	}
	for k := 0; k < len(table); k += abi.OutSize {
		var e abi.Out
		e.Take((*[abi.OutSize]byte)(table[k:]))
		limit := len(panes)
		if export == abi.ExportAdd && e.Outcome == abi.OutcomeError {
			limit = records
		}
		wrong := e.Outcome == abi.OutcomeEmit && export != abi.ExportResult || e.Outcome == abi.OutcomeError && export == abi.ExportMerge
		if wrong || e.Outcome > abi.OutcomeAccumulator {
			return nil, nil, fmt.Errorf("output entry %d: outcome %d is not one of %s", k/abi.OutSize, e.Outcome, export)
		}
		o := output{input: e.Input, outcome: e.Outcome}
		if e.Outcome == abi.OutcomeEmit {
			o, err = d.entry(memory, &e, limit)
		} else if value, ok := e.Value.In(memory); !ok {
			err = fmt.Errorf("value at %#x with %d bytes is not inside the %d bytes of memory", e.Value.Addr, e.Value.Len, len(memory))
		} else if o.value = string(value); int64(e.Input) >= int64(limit) {
			err = fmt.Errorf("input %d of a frame of %d windows and %d records", e.Input, len(panes), records)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("output entry %d: %w", k/abi.OutSize, err)
		}
		switch o.outcome {
		case abi.OutcomeEmit:
			emitted = append(emitted, o)
		case abi.OutcomeError:
			failed = append(failed, o)
		default:
			panes[o.input].acc = o.value
		}
	}
	return emitted, failed, nil
}

// addAll adds records to panes, but for those that fail.
func (d *driver) addAll(panes []pane) error {
	for range attempts {
		var now []pane
		var from []int
		for k, p := range panes {
			if len(p.records) > 0 {
				now, from = append(now, p), append(from, k)
			}
		}
		if len(now) == 0 {
			return nil
		}
		_, failed, err := d.fold(abi.ExportAdd, now, 0)
		if err != nil {
			return err
		}
		for i, k := range from {
			if panes[k].records = without(panes[k].records, failed, now[:i]); len(failed) == 0 {
				panes[k].acc, panes[k].records = now[i].acc, nil
			}
		}
	}
	return errors.New("a frame loses records without end")
}

// without returns the records that did not fail, of a pane that comes after others.
func without(records []Record, failed []output, before []pane) (kept []Record) {
	at := 0
	for _, p := range before {
		at += len(p.records)
	}
	for i, r := range records {
		if !slices.ContainsFunc(failed, func(f output) bool { return int(f.input) == at+i }) {
			kept = append(kept, r)
		}
	}
	return kept
}

// told returns the results of panes.
func (d *driver) told(panes []pane) ([]output, error) {
	emitted, failed, err := d.fold(abi.ExportResult, slices.Clone(panes), 0)
	return append(sortedByInput(emitted), failed...), err
}

// minute is a window for all records of a check.
func minute(key string, records []Record) pane {
	for i := range records {
		records[i].Key = key
	}
	return pane{start: 0, end: 60_000_000_000, key: key, records: records}
}

// addsAndTells adds records to a window and asks for its result, early, late and in time.
func (d *driver) addsAndTells(records []Record) error {
	panes := []pane{minute("key", records)}
	if err := d.addAll(panes); err != nil {
		return err
	}
	for _, panes[0].firing = range []uint32{abi.FiringEarly, abi.FiringEnd, abi.FiringLate} {
		if _, err := d.told(panes); err != nil {
			return err
		}
	}
	return nil
}

func foldSizes(d *driver) error {
	for _, n := range []int{2, 3, 1000, 7, 10_000, 1} {
		if err := d.addsAndTells(d.records(n)); err != nil {
			return fmt.Errorf("frame of %d records: %w", n, err)
		}
	}
	return nil
}

func foldEmpty(d *driver) error {
	panes := []pane{minute("", []Record{{}, {Value: string(d.subject.Values[0])}, {}, {Headers: string(abi.AppendHeader(nil, "", nil))}})}
	if err := d.addAll(panes); err != nil {
		return err
	}
	_, err := d.told(panes)
	return err
}

func foldParts(d *driver) error {
	rs := d.records(6)
	for i, t := range []int64{0, -1, 1, 1<<63 - 1, -1 << 63, 1_800_000_000_000_000_000} {
		rs[i].Time = t
		rs[i].Headers = string(abi.AppendHeader(nil, "name", bytes.Repeat([]byte{0xff}, i)))
	}
	panes := []pane{{start: -1 << 63, end: 1<<63 - 1, key: "\x00\xff", records: rs}}
	if err := d.addAll(panes); err != nil {
		return err
	}
	_, err := d.told(panes)
	return err
}

func foldBytes(d *driver) error {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	large := string(bytes.Repeat([]byte("0123456789abcde\n"), 1<<16))
	return d.addsAndTells([]Record{{Value: string(all)}, {Value: "\x00"}, {Value: "\xff\xfe"}, {Value: large}, {Value: "\"\\"}})
}

// windows deals records out to n windows.
func (d *driver) windows(n, records int) []pane {
	rs := d.records(records)
	panes := make([]pane, n)
	for k := range panes {
		panes[k] = pane{start: int64(k), end: int64(k) + 100, key: fmt.Sprint("key ", k%7)}
	}
	for i, r := range rs {
		p := &panes[i%n]
		r.Key = p.key
		p.records = append(p.records, r)
	}
	return panes
}

func foldWindows(d *driver) error {
	panes := d.windows(1000, 3000)
	if err := d.addAll(panes); err != nil {
		return err
	}
	_, err := d.told(panes)
	return err
}

func foldNothing(d *driver) error {
	_, err := d.told([]pane{{start: 0, end: 1, key: "key"}})
	return err
}

// foldIndependence compares results, as accumulators are the guest's business.
func foldIndependence(d *driver) error {
	if d.subject.Random {
		return nil
	}
	together, alone := d.windows(5, 50), d.windows(5, 50)
	if err := d.addAll(together); err != nil {
		return err
	}
	for k := range alone {
		for _, r := range alone[k].records {
			one := []pane{alone[k]}
			one[0].records = []Record{r}
			if err := d.addAll(one); err != nil {
				return err
			}
			alone[k].acc = one[0].acc
		}
	}
	return d.sameResults(together, alone, "in one frame", "one by one")
}

func (d *driver) sameResults(a, b []pane, nameA, nameB string) error {
	first, err := d.told(a)
	if err != nil {
		return err
	}
	second, err := d.told(b)
	if err != nil {
		return err
	}
	return same(first, second, nameA, nameB)
}

// foldMerge merges windows of which each has a part of the records.
func foldMerge(d *driver) error {
	if !d.guest.Merges() || d.subject.Random {
		return nil
	}
	all, parts := d.windows(4, 40), d.windows(4, 40)
	if err := d.addAll(all); err != nil {
		return err
	}
	var pairs []pane
	for _, p := range parts {
		former, latter := p, p
		n := len(p.records) / 2
		former.records, latter.records = p.records[:n], p.records[n:]
		latter.start++
		pairs = append(pairs, former, latter)
	}
	if err := d.addAll(pairs); err != nil {
		return err
	}
	if _, _, err := d.fold(abi.ExportMerge, pairs, 0); err != nil {
		return err
	}
	var merged []pane
	for k := 0; k < len(pairs); k += 2 {
		merged = append(merged, pairs[k])
	}
	return d.sameResults(all, merged, "of all records", "of two parts that were merged")
}

func foldRepetition(d *driver) error {
	if d.subject.Random {
		return nil
	}
	first, second := d.windows(5, 50), d.windows(5, 50)
	if err := errors.Join(d.addAll(first), d.addAll(second)); err != nil {
		return err
	}
	return d.sameResults(first, second, "the first time", "the second time")
}

func foldReadOnly(d *driver) error {
	for _, export := range []string{abi.ExportAdd, abi.ExportResult} {
		panes := d.windows(5, 50)
		if export == abi.ExportResult {
			if err := d.addAll(panes); err != nil {
				return err
			}
		}
		frame, records, err := d.writeFold(panes, 0)
		if err != nil {
			return err
		}
		before := bytes.Clone(d.guest.Memory()[d.arena:][:d.used])
		if _, _, err := d.foldAnswer(export, frame, panes, records); err != nil {
			return err
		}
		if !bytes.Equal(before, d.guest.Memory()[d.arena:][:d.used]) {
			return fmt.Errorf("%s changed the frame (ABI.md §2)", export)
		}
	}
	return nil
}

func foldTables(d *driver) error {
	if d.subject.Random {
		return nil
	}
	near, far := d.windows(5, 20), d.windows(5, 20)
	if _, _, err := d.fold(abi.ExportAdd, near, 0); err != nil {
		return err
	}
	if _, _, err := d.fold(abi.ExportAdd, far, 64); err != nil {
		return err
	}
	return d.sameResults(near, far, "with the tables after the header", "with the tables 64 bytes later")
}

func foldMemory(d *driver) error {
	var settled int
	for i := range 1000 { // two frames each
		panes := d.windows(10, 64)
		if err := d.addAll(panes); err != nil {
			return fmt.Errorf("frame %d: %w", 2*i+1, err)
		}
		if _, err := d.told(panes); err != nil {
			return fmt.Errorf("frame %d: %w", 2*i+2, err)
		}
		if i == 250 {
			settled = len(d.guest.Memory())
		}
	}
	if now := len(d.guest.Memory()); now > 2*settled {
		return fmt.Errorf("memory grew from %d bytes after 500 frames to %d after 2,000: free what a frame allocates, and in Go yield once per frame", settled, now)
	}
	return nil
}
