package checkpoint

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/wasmill/wasmill/host/stream"
)

// Snapshot is what a vertex gives to a checkpoint. Whoever gives it away leaves its
// bytes as they are until the checkpoint is published or given up.
type Snapshot struct {
	Vertex stream.VertexID

	// Meta is JSON that only the vertex reads, and people: position, watermark, plugin
	// and so on.
	Meta json.RawMessage

	// Since is the last checkpoint that the vertex knows to be published. Parts that
	// are not full have all that changed since then, and a table without parts has not
	// changed. More than that does no harm; the epoch of one that was given up is
	// refused, as what it had would be lost.
	Since stream.Epoch

	// Parts apply in their order, after those of earlier checkpoints.
	Parts []Part

	// Stream gives further parts, after Parts, for what is not to be in memory twice.
	// They are stored while it runs, and yield blocks as long as Uploads objects are
	// under way and one more is full. Write calls it once, or not at all if it fails
	// before, and does not return while it runs. Data is read during the call of yield
	// only. Once the checkpoint is given up, yield returns an error, which Stream returns;
	// one of its own gives the checkpoint up. nil: there are no further parts.
	Stream func(yield func(Part) error) error

	// Size is about how many bytes Stream will give, for Progress.
	Size int64

	// Commit is for the sink, once the checkpoint is published, in this process or
	// another. Empty: there is nothing to commit.
	Commit []byte
}

// Part is state of the groups From ≤ g < To of a table. A full one replaces all
// that is known of them; another one builds on that. A table without groups has
// the range from 0 to 1.
type Part struct {
	Table    string
	From, To int
	Full     bool
	Entries  int // for people
	Data     []byte
}

// check is for mistakes of the caller.
func (s *Snapshot) check() error {
	if s.Vertex == "" {
		return fmt.Errorf("BUG: a snapshot has no vertex")
	}
	if s.Meta != nil && !json.Valid(s.Meta) {
		return fmt.Errorf("BUG: the snapshot of %s has no JSON for meta", s.Vertex)
	}
	if s.Size < 0 {
		return fmt.Errorf("BUG: the snapshot of %s has a size of %d", s.Vertex, s.Size)
	}
	for _, p := range s.Parts {
		if err := p.check(s.Vertex); err != nil {
			return err
		}
	}
	return nil
}

// check is for mistakes of the caller.
func (p Part) check(v stream.VertexID) error {
	if p.From < 0 || p.From >= p.To || p.Entries < 0 {
		return fmt.Errorf("BUG: the snapshot of %s has a part of table %q from %d to %d with %d entries", v, p.Table, p.From, p.To, p.Entries)
	}
	return nil
}

// bytes is how many there are in the parts, as far as that is known.
func (s *Snapshot) bytes() int64 {
	n := int64(0)
	for _, p := range s.Parts {
		n += int64(len(p.Data))
	}
	if s.Stream != nil {
		n += s.Size
	}
	return n
}

// prune returns the parts of a vertex without those of whose range nothing is left
// that a later full one does not replace.
func prune(parts []PartState) []PartState {
	replaced := make(map[string]ranges)
	kept := make([]PartState, 0, len(parts))
	for _, p := range slices.Backward(parts) {
		r := replaced[p.Table]
		if r.cover(p.From, p.To) {
			continue
		}
		if p.Full {
			replaced[p.Table] = r.add(p.From, p.To)
		}
		kept = append(kept, p)
	}
	slices.Reverse(kept)
	return kept
}

// ranges is a set of integers: disjoint ranges from ≤ n < to in ascending order that
// do not touch.
type ranges [][2]int

func (r ranges) cover(from, to int) bool {
	for _, x := range r {
		if x[0] <= from && to <= x[1] {
			return true
		}
	}
	return false
}

func (r ranges) add(from, to int) ranges {
	out := make(ranges, 0, len(r)+1)
	i := 0
	for ; i < len(r) && r[i][1] < from; i++ {
		out = append(out, r[i])
	}
	for ; i < len(r) && r[i][0] <= to; i++ {
		from, to = min(from, r[i][0]), max(to, r[i][1])
	}
	return append(append(out, [2]int{from, to}), r[i:]...)
}
