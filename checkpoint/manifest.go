package checkpoint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// Format is the version of manifests, records and data objects that are written,
// and the highest that is read. A change that an old reader would misread raises it;
// fields that it may leave out do not.
const Format = 1

// Manifest is a complete checkpoint: what the vertices said, and where their state
// is. It alone is enough to restore. It is JSON, made to be read with jq.
type Manifest struct {
	Format     int          `json:"format"`
	Wasmill    string       `json:"wasmill"` // the version that wrote it
	Pipeline   string       `json:"pipeline"`
	Generation Generation   `json:"generation"`
	Epoch      stream.Epoch `json:"epoch"`
	Parent     stream.Epoch `json:"parent,omitempty"` // whose parts go on in it; 0: none
	Nonce      string       `json:"nonce"`            // of the writer
	Created    time.Time    `json:"created"`          // by the clock of the writer

	Reason   Reason   `json:"reason"`
	Config   Config   `json:"config"`
	Duration Duration `json:"duration"`
	Size     Size     `json:"size"`

	Vertices []VertexState `json:"vertices"`
	Objects  []DataObject  `json:"objects,omitempty"` // that the parts are in
}

// Config is what of the config was in force.
type Config struct {
	Revision Revision `json:"revision"`
	Interval Span     `json:"interval"`
	Adaptive bool     `json:"adaptive,omitempty"`
}

// Duration says how long the steps took. The time that the manifest itself and its
// record took is not in it.
type Duration struct {
	Align    Span `json:"align"`    // from the trigger to the last barrier
	Snapshot Span `json:"snapshot"` // from there to the last snapshot
	Upload   Span `json:"upload"`   // of the data objects
}

// Size counts bytes.
type Size struct {
	New    int64 `json:"new"`    // of the parts of this checkpoint, as the vertices gave them
	Stored int64 `json:"stored"` // of those, as data objects hold them
	Total  int64 `json:"total"`  // of all parts: what a restore reads
}

// Span is a duration that JSON has as text, such as "1m30s".
type Span time.Duration

// MarshalText implements encoding.TextMarshaler.
func (s Span) MarshalText() ([]byte, error) { return []byte(time.Duration(s).String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Span) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	*s = Span(d)
	return err
}

// VertexState is what a checkpoint has of a vertex.
type VertexState struct {
	Vertex stream.VertexID `json:"vertex"`
	Meta   json.RawMessage `json:"meta,omitempty"`
	Commit []byte          `json:"commit,omitempty"` // for its sink; empty: nothing to commit
	Parts  []PartState     `json:"parts,omitempty"`  // in the order in which they apply
}

// PartState is a part and where its data is: in Data, or in objects.
type PartState struct {
	Epoch   stream.Epoch `json:"epoch"` // that it was made in
	Table   string       `json:"table"`
	From    int          `json:"from"`
	To      int          `json:"to"`
	Full    bool         `json:"full,omitempty"`
	Entries int          `json:"entries"`
	Bytes   int64        `json:"bytes"` // of its data, uncompressed
	Data    []byte       `json:"data,omitempty"`
	At      []Extent     `json:"at,omitempty"`
}

// Extent is a run of whole blocks in a data object.
type Extent struct {
	Object int   `json:"object"` // index in Objects
	From   int64 `json:"from"`
	To     int64 `json:"to"`
}

// DataObject is an object with the data of parts.
type DataObject struct {
	Name   string `json:"name"` // below the pipeline's folder
	Bytes  int64  `json:"bytes"`
	CRC32C Sum    `json:"crc32c"`
}

// Sum is a CRC-32C (Castagnoli), in JSON as 8 hexadecimal digits.
type Sum uint32

// MarshalText implements encoding.TextMarshaler.
func (s Sum) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%08x", uint32(s)), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Sum) UnmarshalText(text []byte) error {
	var n uint32
	if _, err := fmt.Sscanf(string(text), "%08x", &n); err != nil || fmt.Sprintf("%08x", n) != string(text) {
		return fmt.Errorf("%q is no CRC-32C", text)
	}
	*s = Sum(n)
	return nil
}

// Name is that of the manifest's object, below the pipeline's folder.
func (m *Manifest) Name() string { return manifestOf(m.Generation, m.Epoch) }

// Vertex returns what there is of a vertex, or nil.
func (m *Manifest) Vertex(name stream.VertexID) *VertexState {
	for i := range m.Vertices {
		if m.Vertices[i].Vertex == name {
			return &m.Vertices[i]
		}
	}
	return nil
}

// Sizes returns the bytes in full parts and in those that build on them, by which a
// vertex decides when a full one is due.
func (v *VertexState) Sizes() (full, delta int64) {
	for _, p := range v.Parts {
		if p.Full {
			full += p.Bytes
		} else {
			delta += p.Bytes
		}
	}
	return full, delta
}

// encode returns the JSON of a manifest, which fits one object.
func (m *Manifest) encode() ([]byte, error) {
	data, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode the manifest of epoch %d: %w", m.Epoch, err)
	}
	if len(data) > MaxObject {
		return nil, fmt.Errorf("the manifest of epoch %d has %d bytes, where an object may have %d: its vertices have too many parts", m.Epoch, len(data), MaxObject)
	}
	return data, nil
}

// DecodeManifest reads a manifest, named in errors, and checks that all in it fits
// together: nothing has to be checked again but the objects' contents.
func DecodeManifest(name string, data []byte) (*Manifest, error) {
	m := new(Manifest)
	err := json.Unmarshal(data, m)
	if err != nil || m.Format != Format {
		if e := checkFormat(name, data); e != nil {
			return nil, e
		}
	}
	if err != nil {
		return nil, damaged(name, "the manifest is no JSON of format %d: %v", Format, err)
	}
	if why := m.check(); why != "" {
		return nil, damaged(name, "the manifest contradicts itself: %s", why)
	}
	return m, nil
}

// checkFormat reads the version and nothing that a later one may change.
func checkFormat(name string, data []byte) error {
	var head struct {
		Format int `json:"format"`
	}
	if err := json.NewDecoder(bytes.NewReader(data)).Decode(&head); err != nil {
		return damaged(name, "it is no JSON: %v", err)
	}
	if head.Format > Format {
		return tooNew(name, head.Format)
	}
	if head.Format < 1 {
		return damaged(name, "it has no format")
	}
	return nil
}

// check returns what is wrong, or "".
func (m *Manifest) check() string {
	if m.Epoch == 0 || m.Parent >= m.Epoch || m.Generation == 0 || m.Nonce == "" {
		return fmt.Sprintf("generation %d, epoch %d after %d, nonce %q", m.Generation, m.Epoch, m.Parent, m.Nonce)
	}
	objects := make(map[string]bool)
	for i, o := range m.Objects {
		p := parseRelative(o.Name)
		if p.kind != dataKind || p.epoch > m.Epoch || objects[o.Name] || o.Bytes < objectHead || o.Bytes > MaxObject {
			return fmt.Sprintf("objects[%d] is %q of %d bytes", i, o.Name, o.Bytes)
		}
		objects[o.Name] = true
	}
	vertices := make(map[stream.VertexID]bool)
	for i := range m.Vertices {
		v := &m.Vertices[i]
		if v.Vertex == "" || vertices[v.Vertex] {
			return fmt.Sprintf("vertices[%d] is %q", i, v.Vertex)
		}
		vertices[v.Vertex] = true
		var last stream.Epoch
		for j := range v.Parts {
			p := &v.Parts[j]
			if why := m.checkPart(p); why != "" || p.Epoch < last {
				return fmt.Sprintf("part %d of vertex %s, of epoch %d: %s", j, v.Vertex, p.Epoch, why)
			}
			last = p.Epoch
		}
	}
	return ""
}

func (m *Manifest) checkPart(p *PartState) string {
	if p.Epoch == 0 || p.Epoch > m.Epoch || p.From < 0 || p.From >= p.To || p.Entries < 0 || p.Bytes < 0 {
		return "numbers out of range"
	}
	if len(p.At) == 0 {
		if int64(len(p.Data)) != p.Bytes {
			return fmt.Sprintf("%d bytes, where %d belong", len(p.Data), p.Bytes)
		}
		return ""
	}
	if len(p.Data) > 0 {
		return "it is both here and in an object"
	}
	room := int64(0)
	for i, x := range p.At {
		if x.Object < 0 || x.Object >= len(m.Objects) || x.From < objectHead || x.From >= x.To || x.To > m.Objects[x.Object].Bytes || i > 0 && x.Object <= p.At[i-1].Object {
			return fmt.Sprintf("extent %d from %d to %d in object %d", i, x.From, x.To, x.Object)
		}
		room += (x.To - x.From) / (blockHead + 1) * blockBytes
	}
	if p.Bytes > room || p.Bytes == 0 {
		return fmt.Sprintf("%d bytes do not fit its extents", p.Bytes)
	}
	return ""
}
