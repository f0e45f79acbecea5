package wasm

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/stream"
)

// A snapshot of a partition, form 1, is what its guest remembers at a version, or
// what of its memory is another than at an earlier one. Numbers are little-endian.
//
//	form 1 B │ plugin 32 B │ params 32 B │ partition 4 B │ partitions 4 B
//	since 8 B │ version 8 B │ memory 4 B │ arena 4 B │ room 4 B
//	wall 8 B │ nano 8 B │ random 48 B │ n 4 B │ n × global 8 B
//	runs: first 4 B │ count 4 B │ count × unit, or nothing if count has its highest bit set
//
// plugin is the SHA-256 of its file, params that of its parameters. since is the
// earlier version; 0 = none, and the snapshot is whole. memory is its size in pages of
// 64 KiB; arena and room are where frames are written. wall, nano and random are what
// WASI says next of time and chance. Globals are the mutable ones, in the order of
// their indices. A run is units of 4 KiB that lie side by side; those of the highest
// bit are all zero. Runs come in order. Of what is in none there is no change, or it
// is zero if the snapshot is whole.
const (
	snapshotForm = 1
	snapshotHead = 1 + 32 + 32 + 4 + 4 + 8 + 8 + 4 + 4 + 4 + 8 + 8 + 48 + 4
	runHead      = 8
	zeroRun      = 1 << 31
)

func hashParams(params []byte) [32]byte { return sha256.Sum256(params) }

// Version grows with each change of a partition, and is 0 until it starts. One whose
// version is that of its last snapshot need not be stored again.
func (t *Partitions) Version(part int) uint64 { return t.parts[part].version }

// Snapshot appends a snapshot of a partition to dst, between two calls: of all of
// it if since is 0, else of what may have changed since that version, which an
// earlier snapshot was of. A partition that has not started appends nothing. Length
// and checksum are the caller's.
func (t *Partitions) Snapshot(ctx context.Context, part int, since uint64, dst []byte) ([]byte, error) {
	p := &t.parts[part]
	if p.version == 0 {
		return dst, nil
	}
	if p.version != p.shadow.version {
		if err := t.revive(ctx, p); err != nil {
			return dst, err
		}
		if err := p.capture(); err != nil {
			return dst, err
		}
	}
	return t.encode(p, since, dst), nil
}

func (t *Partitions) encode(p *partition, since uint64, dst []byte) []byte {
	le, s := binary.LittleEndian, &p.shadow
	plugin, err := hex.DecodeString(t.plugin.Hash)
	if err != nil || len(plugin) != sha256.Size {
		panic("BUG: the hash of a plugin is none")
	}
	dst = append(dst, snapshotForm)
	dst = append(append(dst, plugin...), t.params[:]...)
	dst = le.AppendUint32(le.AppendUint32(dst, uint32(p.index)), uint32(len(t.parts)))
	dst = le.AppendUint64(le.AppendUint64(dst, since), s.version)
	dst = le.AppendUint32(dst, uint32(len(s.bytes)/PageSize))
	dst = le.AppendUint32(le.AppendUint32(dst, s.arena), s.room)
	dst = le.AppendUint64(le.AppendUint64(dst, uint64(s.wall)), uint64(s.nano))
	dst = le.AppendUint32(append(dst, s.random[:]...), uint32(len(s.globals)))
	for _, g := range s.globals {
		dst = le.AppendUint64(dst, g)
	}
	for k := 0; k < len(s.found); {
		n, zero := s.run(k, since)
		switch {
		case n == 0:
			k++
			continue
		case !zero:
			dst = le.AppendUint32(le.AppendUint32(dst, uint32(k)), uint32(n))
			dst = append(dst, s.bytes[k*unit:(k+n)*unit]...)
		case since > 0:
			dst = le.AppendUint32(le.AppendUint32(dst, uint32(k)), uint32(n)|zeroRun)
		}
		k += n
	}
	return dst
}

// run returns how many units from k on have changed since a version, all of them
// zero or none.
func (s *shadow) run(k int, since uint64) (n int, zero bool) {
	for ; k+n < len(s.found) && s.found[k+n] > since; n++ {
		switch z := isZero(s.bytes[(k+n)*unit:][:unit]); {
		case n == 0:
			zero = z
		case z != zero:
			return n, zero
		}
	}
	return n, zero
}

var zeros [unit]byte

func isZero(b []byte) bool { return bytes.Equal(b, zeros[:len(b)]) }

// Restore makes a partition what a chain of snapshots says: a whole one, and then
// those of what changed, each since the one before or earlier. Nothing, and a chain
// of nothing, is a partition that has not started. No call may be under way. On an
// error the partition is as it was: data that is none is a *stream.Error
// state-corrupt, that of another plugin, of other params or partitions is state-foreign.
func (t *Partitions) Restore(ctx context.Context, part int, chain ...[]byte) error {
	old := &t.parts[part]
	p := partition{index: part}
	for _, data := range chain {
		if len(data) == 0 {
			continue
		}
		if err := t.apply(&p, data); err != nil {
			p.shadow.free()
			return err
		}
	}
	if p.version > 0 {
		if err := t.revive(ctx, &p); err != nil {
			p.shadow.free()
			return err
		}
		p.live.journal = &old.journal
	}
	t.drop(ctx, old)
	old.shadow.free()
	old.journal.reset()
	p.journal, p.fault = old.journal, old.fault
	*old = p
	return nil
}

// apply adds a snapshot to a partition that is being restored.
func (t *Partitions) apply(p *partition, data []byte) error {
	s := &p.shadow
	d, err := parseSnapshot(data)
	if err != nil {
		return err
	}
	if err := t.ours(p, &d); err != nil {
		return err
	}
	switch {
	case d.since > s.version || (d.since == 0) != (s.version == 0):
		return corrupted("it says what changed since version %d, and comes after version %d", d.since, s.version)
	case d.version <= s.version:
		return corrupted("version %d comes after version %d", d.version, s.version)
	case d.memory < len(s.bytes):
		return corrupted("its memory is smaller than that of the one before")
	case len(d.globals) != len(t.plugin.globals):
		return corrupted("it has %d variables outside of memory, the plugin %d", len(d.globals), len(t.plugin.globals))
	case int64(d.memory) > t.plugin.limits.Memory:
		return &stream.Error{
			Code: stream.StateFull, Where: t.place(), Why: fmt.Sprintf("the state has %d KiB of memory, the limit is %d KiB", d.memory>>10, t.plugin.limits.Memory>>10),
			Fix: fmt.Sprintf("set limits.memory of the vertex to %dKiB or more", d.memory>>10),
		}
	}
	if err := s.resize(d.memory, t.plugin.limits.Memory); err != nil {
		return err
	}
	s.version, s.mind, p.version = d.version, d.mind, d.version
	return d.each(func(first, count int, content []byte) {
		to := s.bytes[first*unit:][:count*unit]
		if content == nil {
			clear(to)
		}
		copy(to, content)
		for k := range count {
			s.found[first+k] = d.version
		}
	})
}

// ours refuses what another plugin, or this one otherwise configured, remembered.
func (t *Partitions) ours(p *partition, d *decodedSnapshot) error {
	e := &stream.Error{Code: stream.StateForeign, Where: t.place()}
	switch {
	case hex.EncodeToString(d.plugin[:]) != t.plugin.Hash:
		e.Why = fmt.Sprintf("the state is the memory of another build of the plugin, %x…, this one is %.12s…", d.plugin[:6], t.plugin.Hash)
		e.Fix = "put that build back: with state: memory a plugin cannot be replaced, nor built anew, without losing what it remembers"
	case d.params != t.params:
		e.Why = "the state is the memory of a plugin with other params, which would not be given to it again"
		e.Fix = "put the params back as they were"
	case d.partitions != len(t.parts) || d.partition != p.index:
		e.Why = fmt.Sprintf("the state is that of partition %d of %d, not %d of %d", d.partition, d.partitions, p.index, len(t.parts))
		e.Fix = fmt.Sprintf("write partitions: %d; their number is fixed for the life of the pipeline", d.partitions)
	default:
		return nil
	}
	return e
}

func (t *Partitions) place() string {
	return fmt.Sprintf("%s, plugin %s", t.vertex.Vertex, t.plugin.Description.Name)
}

// decodedSnapshot is a snapshot that has been checked by itself.
type decodedSnapshot struct {
	plugin, params        [32]byte
	partition, partitions int
	since, version        uint64
	memory                int // bytes
	mind
	runs []byte
}

// parseSnapshot checks that a snapshot is one. It copies nothing but the globals.
func parseSnapshot(data []byte) (d decodedSnapshot, err error) {
	if len(data) < snapshotHead {
		return d, corrupted("it ends within its head")
	}
	if data[0] != snapshotForm {
		return d, corrupted("its form is %d, known is %d", data[0], snapshotForm)
	}
	r := fields{data[1:]}
	copy(d.plugin[:], r.next(32))
	copy(d.params[:], r.next(32))
	d.partition, d.partitions = int(r.u32()), int(r.u32())
	d.since, d.version = r.u64(), r.u64()
	pages := r.u32()
	d.arena, d.room = r.u32(), r.u32()
	d.wall, d.nano = int64(r.u64()), int64(r.u64())
	copy(d.random[:], r.next(len(d.random)))
	n, fresh := int64(r.u32()), newWASI()
	switch {
	case pages > 1<<16:
		return d, corrupted("its memory has %d pages", pages)
	case d.version <= d.since:
		return d, corrupted("it is of version %d, since version %d", d.version, d.since)
	case d.arena%abi.Align != 0 || uint64(d.arena)+uint64(d.room) > uint64(pages)*PageSize:
		return d, corrupted("its input arena is not inside of its memory")
	case fresh.resume(0, 0, d.random[:]) != nil:
		return d, corrupted("its random numbers have no state")
	case n*8 > int64(len(r.rest)):
		return d, corrupted("it ends within its globals")
	}
	d.memory = int(pages) * PageSize
	for range n {
		d.globals = append(d.globals, r.u64())
	}
	d.runs = r.rest
	return d, d.each(func(int, int, []byte) {})
}

// each visits the runs; content is nil if they are zero.
func (d *decodedSnapshot) each(visit func(first, count int, content []byte)) error {
	units, next, r := d.memory/unit, 0, fields{d.runs}
	for len(r.rest) > 0 {
		if len(r.rest) < runHead {
			return corrupted("it ends within a run")
		}
		first, word := int(r.u32()), r.u32()
		count, zero := int(word&^zeroRun), word&zeroRun != 0
		switch {
		case count == 0 || first < next || first > units || count > units-first:
			return corrupted("a run of %d from %d on, of %d, follows one up to %d", count, first, units, next)
		case zero:
			visit(first, count, nil)
		case count > len(r.rest)/unit:
			return corrupted("it ends within a run")
		default:
			visit(first, count, r.next(count*unit))
		}
		next = first + count
	}
	return nil
}

// fields takes numbers off bytes that are known to be there.
type fields struct{ rest []byte }

func (f *fields) next(n int) []byte {
	b := f.rest[:n]
	f.rest = f.rest[n:]
	return b
}

func (f *fields) u32() uint32 { return binary.LittleEndian.Uint32(f.next(4)) }
func (f *fields) u64() uint64 { return binary.LittleEndian.Uint64(f.next(8)) }

func corrupted(format string, args ...any) error {
	return &stream.Error{Code: stream.StateCorrupt, Why: "the snapshot of a partition cannot be read", Err: fmt.Errorf(format, args...)}
}
