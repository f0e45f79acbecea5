package pipeline

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// broker is the outside system of a source. It may forget what is acknowledged.
type broker struct {
	prunes  bool
	trimmed int
}

// feed reads numbers from a broker in batches of any size.
type feed struct {
	numbers
	*crash
	jitter int
	most   int
	rng    *rand.Rand
	broker *broker
}

func (s *feed) Open(ctx context.Context, after stream.Position) error {
	if err := s.numbers.Open(ctx, after); err != nil {
		return err
	}
	if s.broker.prunes && s.read < s.broker.trimmed {
		s.Errorf("a source is to start at %d, and what is before %d was acknowledged", s.read, s.broker.trimmed)
	}
	return nil
}

func (s *feed) Read(ctx context.Context, b *stream.Batch) error {
	if s.rng.IntN(3) == 0 {
		select {
		case <-time.After(time.Duration(s.rng.IntN(300)) * time.Microsecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.read == s.count {
		return io.EOF
	}
	for n := 1 + s.rng.IntN(s.most); b.Len() < n && s.read < s.count; s.read++ {
		it := sourceItem(s.first, s.read, s.jitter)
		b.Append(it.time, []byte(it.key), []byte(it.value), nil)
	}
	return nil
}

func (s *feed) Ack(_ context.Context, upTo stream.Position) error {
	to := int(binary.BigEndian.Uint64(upTo))
	if to < s.broker.trimmed {
		s.Errorf("acknowledged %d after %d", to, s.broker.trimmed)
	}
	s.broker.trimmed = to
	return nil
}

// hop is a transform without state.
type hop struct {
	*crash
	name  string
	fails *fails
	swap  bool
}

func (x *hop) Call(_ context.Context, in *stream.Batch, out *stream.Output) error {
	dawdle(x.name, string(in.Value(0)))
	if err := refuse(x.fails, in, out); err != nil {
		return err
	}
	records, failed := in.Records, map[int]bool{}
	values := make([]string, len(records))
	for i := range records {
		values[i] = valueOf(in, i)
	}
	for _, f := range out.Failures {
		failed[f.Input] = true
	}
	swap := x.swap && len(failed) == 0
	if swap {
		out.SwapArena(in)
	}
	for i, r := range records {
		if failed[i] {
			continue
		}
		for _, res := range hops(x.name, values[i]) {
			made := r
			if !swap {
				made.Key = out.Store(in.Key(i))
			}
			made.Headers = stream.Span{}
			made.Value, made.Tag = out.Store([]byte(res.value)), res.tag
			out.Records = append(out.Records, made)
		}
	}
	return nil
}

func (x *hop) Close(context.Context) error { return nil }

// dawdle takes a while, as a hash says.
func dawdle(name, value string) {
	if h := hash(name, value); h%50 == 0 {
		time.Sleep(20 * time.Millisecond)
	} else if h%4 == 0 {
		time.Sleep(time.Duration(h%500) * time.Microsecond)
	}
}

// refuse says which records of a call fail, or that all do.
func refuse(f *fails, in *stream.Batch, out *stream.Output) error {
	for i := range in.Records {
		switch fails, trap := f.fail(valueOf(in, i)); {
		case trap:
			return errBoom
		case fails:
			out.Failures = append(out.Failures, stream.Failure{Input: i, Reason: "boom"})
		}
	}
	return nil
}

// cells is a Durable that remembers, by key, either every value that it has seen, and
// must not see again, or those of windows of ten.
type cells struct {
	*crash
	name   string
	fails  *fails
	window bool
	groups []map[string][]string
	calls  atomic.Int32

	mu    sync.Mutex
	dirty map[int]bool   // guarded by mu; groups
	held  []*frozenCells // guarded by mu; not released
}

func (y *cells) Groups() int { return len(y.groups) }

func (y *cells) Key(b *stream.Batch, i int) ([]byte, bool) { return b.Key(i), true }

func (y *cells) Group(key []byte) int { return hash("group", string(key)) % len(y.groups) }

func (y *cells) Call(context.Context, *stream.Batch, *stream.Output) error {
	panic("BUG: called without groups")
}

func (y *cells) Close(context.Context) error { return nil }

func (y *cells) enter() func() {
	y.calls.Add(1)
	return func() { y.calls.Add(-1) }
}

// cell returns where a record belongs.
func (y *cells) cell(key string, at int64) string {
	if y.window {
		return fmt.Sprintf("%s|%d", key, at/10*10)
	}
	return key
}

func (y *cells) In(_ context.Context, in *stream.Batch, out *stream.Output) error {
	defer y.enter()()
	dawdle(y.name, string(in.Value(0)))
	if err := refuse(y.fails, in, out); err != nil || len(out.Failures) > 0 {
		return err
	}
	for i, r := range in.Records {
		value, key := valueOf(in, i), string(in.Key(i))
		if g := y.Group([]byte(key)); g != int(r.Group) {
			y.Errorf("%s gets key %s in group %d, not %d", y.name, key, r.Group, g)
		}
		if r.Port == stream.EventTimer {
			emit(out, in, i, in.Value(i), stream.Untagged)
			out.Records[out.Len()-1].Key = out.Store([]byte(key))
			continue
		}
		cell := y.cell(key, r.Time)
		y.touch(int(r.Group))
		if !y.window && slices.Contains(y.groups[r.Group][cell], value) {
			y.Errorf("%s gets %s twice", y.name, value)
		}
		if y.window && stream.Watermark(r.Time/10*10+10) <= in.Watermark {
			y.Errorf("%s gets %s of time %d after watermark %d", y.name, value, r.Time, in.Watermark)
		}
		y.groups[r.Group][cell] = append(y.groups[r.Group][cell], value)
		if !y.window {
			emit(out, in, i, []byte(value+"/"+y.name+".0"), stream.Untagged)
			out.Records[out.Len()-1].Key = out.Store([]byte(key))
		}
	}
	return nil
}

func (y *cells) touch(g int) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.dirty[g] = true
}

func (y *cells) Due(from, to int) (at stream.Watermark, ok bool) {
	at = stream.EndOfTime
	for g := from; g < to && y.window; g++ {
		for cell := range y.groups[g] {
			at, ok = min(at, stream.Watermark(cellStart(cell)+10)), true
		}
	}
	return at, ok
}

func cellStart(cell string) int64 {
	_, start, _ := strings.Cut(cell, "|")
	n, err := strconv.ParseInt(start, 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

func (y *cells) Alarm(int, int) (int64, bool) { return 0, false }

func (y *cells) Advance(_ context.Context, from, to int, upTo stream.Watermark, _ int64, in *stream.Batch, out *stream.Output) error {
	defer y.enter()()
	left := 4 // at a time
	for g := from; g < to; g++ {
		for cell, values := range y.groups[g] {
			if start := cellStart(cell); stream.Watermark(start+10) <= upTo && left > 0 {
				left--
				y.touch(g)
				delete(y.groups[g], cell)
				key, _, _ := strings.Cut(cell, "|")
				b, port := out.Batch, uint16(0)
				if hash(cell)%2 == 0 {
					b, port = in, stream.EventTimer
				}
				b.Append(start+9, []byte(key), []byte(windowValue(y.name, cell, values)), nil)
				r := &b.Records[b.Len()-1]
				r.Source, r.Port, r.Group = stream.NoSource, port, uint16(g)
			}
		}
	}
	return nil
}

func windowValue(name, cell string, values []string) string {
	sum := 0
	for _, v := range values {
		sum += hash(v)
	}
	return fmt.Sprintf("W/%s/%s/%d/%d", name, cell, len(values), sum)
}

type frozenCells struct {
	of     *cells
	full   bool
	groups map[int][]byte
}

func (y *cells) Freeze(full bool) stream.Frozen {
	if y.calls.Load() > 0 {
		y.Errorf("%s is frozen during a call", y.name)
	}
	y.mu.Lock()
	defer y.mu.Unlock()
	take := y.dirty
	for _, f := range y.held {
		for g := range f.groups {
			take[g] = true
		}
	}
	f := &frozenCells{of: y, full: full, groups: map[int][]byte{}}
	for g := range y.groups {
		if full || take[g] {
			data, err := json.Marshal(map[int]map[string][]string{g: y.groups[g]})
			if err != nil {
				panic(err)
			}
			f.groups[g] = data
		}
	}
	y.dirty = map[int]bool{}
	y.held = append(y.held, f)
	return f
}

func (f *frozenCells) Parts(yield func(table string, from, to int, full bool, entries int, data []byte) error) error {
	for g, data := range f.groups {
		if err := yield("cells", g, g+1, true, 1, data); err != nil {
			return err
		}
	}
	return nil
}

func (f *frozenCells) Size() (n int64) {
	for _, data := range f.groups {
		n += int64(len(data))
	}
	return n
}

func (f *frozenCells) Release(saved bool) {
	f.of.mu.Lock()
	defer f.of.mu.Unlock()
	f.of.held = slices.DeleteFunc(f.of.held, func(h *frozenCells) bool { return h == f })
	for g := range f.groups {
		f.of.dirty[g] = f.of.dirty[g] || !saved
	}
}

func (y *cells) Restore(_ string, _ bool, data []byte) error {
	var groups map[int]map[string][]string
	if err := json.Unmarshal(data, &groups); err != nil {
		return err
	}
	for g, cells := range groups {
		y.groups[g] = cells
	}
	return nil
}

func (y *cells) Reset() {
	for g := range y.groups {
		clear(y.groups[g])
	}
}

func (y *cells) Restored(context.Context) error { return nil }

// outside is the system that a sink writes to.
type outside struct {
	mu     sync.Mutex
	shown  []string            // guarded by mu
	hidden map[string][]string // guarded by mu; by what commits them
	done   map[string]bool     // guarded by mu; commits
	next   int                 // guarded by mu
}

func newOutside() *outside { return &outside{hidden: map[string][]string{}, done: map[string]bool{}} }

// fork returns a copy for another run.
func (o *outside) fork() *outside {
	o.mu.Lock()
	defer o.mu.Unlock()
	return &outside{shown: slices.Clone(o.shown), hidden: maps.Clone(o.hidden), done: maps.Clone(o.done), next: o.next + 1000}
}

// plainSink shows what it has flushed.
type plainSink struct {
	*crash
	*outside
	name  string
	rng   *rand.Rand
	open  []string
	fails bool // at times
}

func (s *plainSink) Open(context.Context) error { return nil }
func (s *plainSink) Close() error               { return nil }

func (s *plainSink) Write(ctx context.Context, b *stream.Batch) error {
	if s.rng.IntN(4) == 0 {
		select {
		case <-time.After(time.Duration(s.rng.IntN(2000)) * time.Microsecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if s.fails = !s.fails && s.rng.IntN(10) == 0; s.fails {
		return errors.New("a bad moment")
	}
	for i := range b.Records {
		s.open = append(s.open, valueOf(b, i))
	}
	return nil
}

func (s *plainSink) Flush(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shown = append(s.shown, s.open...)
	s.open = nil
	return nil
}

// hidingSink is Transactional.
type hidingSink struct{ plainSink }

func (s *hidingSink) Flush(context.Context) error {
	s.Errorf("%s is flushed, not prepared", s.name)
	return nil
}

func (s *hidingSink) Prepare(context.Context, stream.Epoch) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.open) == 0 {
		return nil, nil
	}
	s.next++
	id := fmt.Sprint(s.name, "-", s.next)
	s.hidden[id], s.open = s.open, nil
	return []byte(id), nil
}

func (s *hidingSink) Commit(_ context.Context, commit []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := string(commit)
	if values, ok := s.hidden[id]; ok {
		s.shown = append(s.shown, values...)
		delete(s.hidden, id)
		s.done[id] = true
	}
	if !s.done[id] {
		return fmt.Errorf("nothing was prepared as %s", id)
	}
	return nil
}

func (s *hidingSink) Recover(ctx context.Context, commits [][]byte) error {
	for _, c := range commits {
		if err := s.Commit(ctx, c); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.hidden)
	return nil
}
