package control

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/host/stream"
)

// CheckpointEntry is a checkpoint in a list.
type CheckpointEntry struct {
	Epoch      stream.Epoch          `json:"epoch"`
	Generation checkpoint.Generation `json:"generation,omitempty"`
	State      checkpoint.State      `json:"state"`
	Created    time.Time             `json:"created"` // by the clock of the writer; without a manifest when its last object was stored
	NewBytes   int64                 `json:"new_bytes"`
	TotalBytes int64                 `json:"total_bytes"`
	Vertices   int                   `json:"vertices"`
	Interval   checkpoint.Span       `json:"interval"` // in force; 0s: only on request
	Adaptive   bool                  `json:"adaptive,omitempty"`
	Revision   checkpoint.Revision   `json:"revision"` // of the config
	Reason     checkpoint.Reason     `json:"reason,omitempty"`
	Error      string                `json:"error,omitempty"` // why it is damaged
}

func viewEntry(e *checkpoint.Entry) CheckpointEntry {
	v := CheckpointEntry{Epoch: e.Epoch, Generation: e.Generation, State: e.State, Created: e.Changed}
	if bad, ok := errors.AsType[*stream.Error](e.Err); ok {
		v.Error = bad.Where + ": " + bad.Reason()
	} else if e.Err != nil {
		v.Error = e.Err.Error()
	}
	if m := e.Manifest; m != nil {
		v.Created, v.NewBytes, v.TotalBytes, v.Vertices = m.Created, m.Size.New, m.Size.Total, len(m.Vertices)
		v.Interval, v.Adaptive, v.Revision, v.Reason = m.Config.Interval, m.Config.Adaptive, m.Config.Revision, m.Reason
	}
	return v
}

// CheckpointDetail is a checkpoint with what it has of each vertex.
type CheckpointDetail struct {
	CheckpointEntry
	Parent      stream.Epoch        `json:"parent,omitempty"` // that it builds on
	Wasmill     string              `json:"wasmill"`          // the version that wrote it
	Duration    checkpoint.Duration `json:"duration"`
	StoredBytes int64               `json:"stored_bytes"` // of the new ones, as data objects hold them
	Objects     int                 `json:"objects"`      // data objects that a restore reads
	Holds       []VertexHolding     `json:"holds"`
}

// VertexHolding is what a checkpoint has of a vertex.
type VertexHolding struct {
	Vertex      stream.VertexID `json:"vertex"`
	Position    string          `json:"position,omitempty"` // of a source: the place if it can tell it, or else the text or base64
	Meta        json.RawMessage `json:"meta,omitempty"`     // as the vertex gave it: position, plugin, watermark and so on
	CommitBytes int             `json:"commit_bytes,omitempty"`
	Tables      []TableHolding  `json:"tables"`
}

// TableHolding is what a checkpoint has of a table of a vertex.
type TableHolding struct {
	Table   string        `json:"table"`
	Entries int           `json:"entries"` // in all parts, of which later ones may replace earlier ones
	Bytes   int64         `json:"bytes"`
	Parts   []PartHolding `json:"parts"` // in the order in which they apply
}

// PartHolding is the state of the groups From ≤ g < To of a table.
type PartHolding struct {
	Epoch   stream.Epoch `json:"epoch"` // that it was made in
	From    int          `json:"from"`
	To      int          `json:"to"`
	Full    bool         `json:"full,omitempty"`
	Entries int          `json:"entries"`
	Bytes   int64        `json:"bytes"`
	Inline  bool         `json:"inline,omitempty"` // in the manifest itself
}

// detail turns a checkpoint with a manifest into what people read.
func (c *Checkpoints) detail(e *checkpoint.Entry) *CheckpointDetail {
	m := e.Manifest
	d := &CheckpointDetail{
		CheckpointEntry: viewEntry(e), Parent: m.Parent, Wasmill: m.Wasmill, Duration: m.Duration,
		StoredBytes: m.Size.Stored, Objects: len(m.Objects), Holds: []VertexHolding{},
	}
	for i := range m.Vertices {
		d.Holds = append(d.Holds, c.holding(&m.Vertices[i]))
	}
	return d
}

func (c *Checkpoints) holding(v *checkpoint.VertexState) VertexHolding {
	h := VertexHolding{Vertex: v.Vertex, Meta: v.Meta, CommitBytes: len(v.Commit), Tables: []TableHolding{}}
	var meta struct {
		Position json.RawMessage `json:"position"`
	}
	if json.Unmarshal(v.Meta, &meta) == nil && len(meta.Position) > 0 {
		h.Position = c.position(v.Vertex, meta.Position)
	}
	for _, p := range v.Parts {
		i := slices.IndexFunc(h.Tables, func(t TableHolding) bool { return t.Table == p.Table })
		if i < 0 {
			i = len(h.Tables)
			h.Tables = append(h.Tables, TableHolding{Table: p.Table})
		}
		t := &h.Tables[i]
		t.Entries += p.Entries
		t.Bytes += p.Bytes
		t.Parts = append(t.Parts, PartHolding{Epoch: p.Epoch, From: p.From, To: p.To, Full: p.Full, Entries: p.Entries, Bytes: p.Bytes, Inline: len(p.At) == 0})
	}
	return h
}

// position tells that of a source, which stands in its meta as text, as base64 of
// bytes, or as JSON of its own.
func (c *Checkpoints) position(v stream.VertexID, raw json.RawMessage) string {
	bytes := []byte(raw)
	var text string
	if json.Unmarshal(raw, &text) == nil {
		bytes = []byte(text)
		if data, err := base64.StdEncoding.DecodeString(text); err == nil && printable(data) {
			bytes = data
		}
	}
	if l, ok := c.locators[v]; ok && len(bytes) > 0 {
		if at := l.Locate(stream.Position(bytes), 0); at != "" {
			return at
		}
	}
	if !printable(bytes) {
		return base64.StdEncoding.EncodeToString(bytes)
	}
	return string(bytes)
}

func printable(text []byte) bool {
	return utf8.Valid(text) && strings.IndexFunc(string(text), func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}

// Verification is what reading all of a checkpoint has found.
type Verification struct {
	Epoch    stream.Epoch `json:"epoch"`
	Objects  int          `json:"objects"` // data objects that were read
	Bytes    int64        `json:"bytes"`   // in them
	Problems []Problem    `json:"problems"`
}

// Problem is an object that is damaged.
type Problem struct {
	Object string `json:"object"`
	Why    string `json:"why"`
}

// CheckpointDifference is what lies between two checkpoints of a vertex.
type CheckpointDifference struct {
	Vertex  stream.VertexID `json:"vertex"`
	Only    stream.Epoch    `json:"only,omitempty"` // the one that has it, if the other has not
	Added   DataAmount      `json:"added"`          // parts that only the second has
	Removed DataAmount      `json:"removed"`        // parts that only the first has
	Same    DataAmount      `json:"same"`
	Meta    []MetaChange    `json:"meta,omitempty"`
}

// DataAmount counts parts and their bytes.
type DataAmount struct {
	Parts int   `json:"parts"`
	Bytes int64 `json:"bytes"`
}

// MetaChange is a top-level key of meta with different values; none is left out.
type MetaChange struct {
	Key  string          `json:"key,omitempty"` // empty: all of it
	From json.RawMessage `json:"from,omitempty"`
	To   json.RawMessage `json:"to,omitempty"`
}

func difference(d *checkpoint.Difference) CheckpointDifference {
	v := CheckpointDifference{Vertex: d.Vertex, Only: d.Only, Added: DataAmount(d.Added), Removed: DataAmount(d.Removed), Same: DataAmount(d.Same)}
	for _, change := range d.Meta {
		v.Meta = append(v.Meta, MetaChange(change))
	}
	return v
}
