package stream

import "math"

// VertexID is the name of a vertex, unique in its pipeline.
type VertexID string

// SourceID is the index of a source among the sources of its pipeline.
type SourceID uint16

// NoSource is the source of records that came of no single one, such as the
// result of a window. Nothing waits for them to be settled.
const NoSource SourceID = math.MaxUint16

// Seq numbers the records of one source from 0 in the order it read them.
type Seq uint64

// Position says where a source stands after a batch. Only the source that
// made it reads it; it is small, and meaningful in another process.
type Position []byte

// Epoch numbers checkpoints from 1.
type Epoch uint64

// Watermark is a promise in event time, ns since 1970: no later record is
// older, except late ones.
type Watermark int64

// NoWatermark says that nothing is promised yet; EndOfTime that no record will
// follow.
const (
	NoWatermark Watermark = math.MinInt64
	EndOfTime   Watermark = math.MaxInt64
)

// Barrier separates the records before a checkpoint from those after it.
type Barrier struct {
	Epoch Epoch
	Full  bool // every vertex gives all of its state, not only what changed
	Last  bool // it waits until what came before is through, instead of taking that along
}

// Item is what an edge carries: exactly one of a batch, a watermark or a barrier.
type Item struct {
	Batch     *Batch
	Barrier   *Barrier
	Watermark Watermark // valid if Batch and Barrier are nil
	Idle      bool      // with Watermark: the sender has nothing for now, wait for the others only
}

// Tag is a name that a transform gives to a record, interned by a TagTable.
type Tag uint16

// Untagged records leave by the edges without a condition.
const Untagged Tag = 0

// TagTable numbers the tags that the edges of a pipeline ask for, densely from
// 1. All other names share one more number. It is immutable, so guests cannot
// make it grow.
type TagTable struct{ ids map[string]Tag }

// NewTagTable numbers names in the order given; repeated and empty ones do not
// count. There are at most 65,533.
func NewTagTable(names ...string) *TagTable {
	t := &TagTable{ids: make(map[string]Tag, len(names))}
	for _, name := range names {
		if _, ok := t.ids[name]; !ok && name != "" {
			t.ids[name] = Tag(len(t.ids) + 1)
		}
	}
	return t
}

// Tag returns the number of a name: Untagged for the empty one, Other for one
// that is not in the table.
func (t *TagTable) Tag(name []byte) Tag {
	if len(name) == 0 {
		return Untagged
	}
	if id, ok := t.ids[string(name)]; ok {
		return id
	}
	return t.Other()
}

// Other is the number of the names that no edge asks for.
func (t *TagTable) Other() Tag { return Tag(len(t.ids) + 1) }

// DeadLetter is the number of records that their vertex could not handle. No
// name has it. It is the highest.
func (t *TagTable) DeadLetter() Tag { return t.Other() + 1 }
