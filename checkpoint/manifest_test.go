package checkpoint

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/stream/scripttest"
)

// valid is a manifest with one of everything.
func valid() *Manifest {
	return &Manifest{
		Format: 1, Wasmill: "v1", Pipeline: "p", Generation: 2, Epoch: 5, Parent: 4, Nonce: "n", Created: midnight,
		Reason: ReasonInterval, Config: Config{Revision: 3, Interval: Span(10 * time.Second), Adaptive: true},
		Duration: Duration{Span(time.Millisecond), 0, Span(90 * time.Second)}, Size: Size{1, 2, 3},
		Vertices: []VertexState{
			{Vertex: "a", Meta: json.RawMessage(`{"x":1}`), Commit: []byte("c"), Parts: []PartState{
				{Epoch: 4, Table: "t", From: 0, To: 128, Full: true, Entries: 9, Bytes: 100, At: []Extent{{0, 8, 60}, {1, 8, 90}}},
				{Epoch: 5, Table: "t", From: 3, To: 4, Entries: 1, Bytes: 2, Data: []byte("ab")},
			}},
			{Vertex: "b"},
		},
		Objects: []DataObject{{Name: dataOf(1, 4, 0), Bytes: 60, CRC32C: 1}, {Name: dataOf(1, 4, 1), Bytes: 90, CRC32C: 0xffffffff}},
	}
}

func TestAManifestIsReadAsItWasWritten(t *testing.T) {
	m := valid()
	data, err := m.encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := DecodeManifest("m", data)
	if err != nil {
		t.Fatal(err)
	}
	again, err := got.encode()
	if err != nil || !bytes.Equal(data, again) {
		t.Errorf("%v\n%s\n%s", err, data, again)
	}
	for _, want := range []string{`"interval":"10s"`, `"upload":"1m30s"`, `"crc32c":"ffffffff"`, `"crc32c":"00000001"`} {
		if !strings.Contains(string(data), want) {
			t.Errorf("no %s in %s", want, data)
		}
	}
}

func TestAManifestThatContradictsItselfIsDamaged(t *testing.T) {
	for name, change := range map[string]func(m *Manifest){
		"no format":                  func(m *Manifest) { m.Format = 0 },
		"no epoch":                   func(m *Manifest) { m.Epoch, m.Parent = 0, 0 },
		"its own parent":             func(m *Manifest) { m.Parent = 5 },
		"no generation":              func(m *Manifest) { m.Generation = 0 },
		"no nonce":                   func(m *Manifest) { m.Nonce = "" },
		"two vertices of a name":     func(m *Manifest) { m.Vertices[1].Vertex = "a" },
		"a vertex without a name":    func(m *Manifest) { m.Vertices[1].Vertex = "" },
		"a foreign object":           func(m *Manifest) { m.Objects[0].Name = "../other/data" },
		"an object of a later epoch": func(m *Manifest) { m.Objects[0].Name = dataOf(1, 6, 0) },
		"an object twice":            func(m *Manifest) { m.Objects[1].Name = m.Objects[0].Name },
		"too large an object":        func(m *Manifest) { m.Objects[0].Bytes = MaxObject + 1 },
		"an object without a head":   func(m *Manifest) { m.Objects[0].Bytes = 7 },
		"a part of a later epoch":    func(m *Manifest) { m.Vertices[0].Parts[0].Epoch = 6 },
		"parts out of order":         func(m *Manifest) { slices.Reverse(m.Vertices[0].Parts) },
		"an empty range":             func(m *Manifest) { m.Vertices[0].Parts[0].From = 128 },
		"a range below 0":            func(m *Manifest) { m.Vertices[0].Parts[0].From = -1 },
		"an object that is not":      func(m *Manifest) { m.Vertices[0].Parts[0].At[1].Object = 2 },
		"an object below 0":          func(m *Manifest) { m.Vertices[0].Parts[0].At[0].Object = -1 },
		"an extent past its object":  func(m *Manifest) { m.Vertices[0].Parts[0].At[1].To = 91 },
		"an extent in the head":      func(m *Manifest) { m.Vertices[0].Parts[0].At[1].From = 7 },
		"an empty extent":            func(m *Manifest) { m.Vertices[0].Parts[0].At[1].From = 90 },
		"extents in one object":      func(m *Manifest) { m.Vertices[0].Parts[0].At[1].Object = 0 },
		"data here and there":        func(m *Manifest) { m.Vertices[0].Parts[0].Data = []byte("x") },
		"more data than is said":     func(m *Manifest) { m.Vertices[0].Parts[1].Bytes = 1 },
		"more bytes than fit":        func(m *Manifest) { m.Vertices[0].Parts[0].Bytes = 1 << 40 },
		"no bytes in an object":      func(m *Manifest) { m.Vertices[0].Parts[0].Bytes = 0 },
	} {
		m := valid()
		change(m)
		data, err := m.encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := DecodeManifest("m", data); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := DecodeManifest("m", []byte(`{"format":7,"epoch":"new"}`)); stream.CodeOf(err) != stream.CheckpointFormat {
		t.Errorf("a later format: %v", err)
	}
}

func FuzzDecodeManifest(f *testing.F) {
	data, err := valid().encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"format":1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := DecodeManifest("m", data)
		if err != nil {
			return
		}
		// What is accepted can be written, and is then the same.
		again, err := m.encode()
		if err != nil {
			t.Fatal(err)
		}
		n, err := DecodeManifest("m", again)
		if err != nil {
			t.Fatal(err)
		}
		if last, err := n.encode(); err != nil || !bytes.Equal(again, last) {
			t.Errorf("%s became %s", again, last)
		}
		// And a restore of it, without its objects, fails and no more.
		for _, err := range (&Reader{Store: newMemory(), Pipeline: "p"}).Parts(t.Context(), m) {
			if err != nil && !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrNotFound) {
				t.Error(err)
			}
		}
	})
}

func FuzzReadBlocks(f *testing.F) {
	c, err := newEncoder(true)
	if err != nil {
		f.Fatal(err)
	}
	d, err := newDecoder(1)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(c.appendBlock(nil, bytes.Repeat([]byte("block"), 100)))
	f.Add(c.appendBlock(c.appendBlock(nil, noise(1, 100)), []byte{0}))
	f.Fuzz(func(t *testing.T, data []byte) {
		for rest := data; len(rest) > 0; {
			var out []byte
			var err error
			if out, rest, err = d.readBlock("o", []byte("before"), rest); err != nil {
				if !errors.Is(err, ErrDamaged) {
					t.Error(err)
				}
				return
			}
			if len(out) <= 6 || len(out) > 6+blockBytes || string(out[:6]) != "before" {
				t.Errorf("%d bytes", len(out))
			}
		}
	})
}

// FuzzReadFrame is FuzzReadBlocks behind the sum: the fuzzer makes what zstd gets.
func FuzzReadFrame(f *testing.F) {
	c, err := newEncoder(true)
	if err != nil {
		f.Fatal(err)
	}
	d, err := newDecoder(1)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint32(500), c.appendBlock(nil, bytes.Repeat([]byte("block"), 100))[blockHead:])
	f.Fuzz(func(t *testing.T, size uint32, frame []byte) {
		block := c.appendBlock(nil, []byte{0})[:blockHead]
		block = append(block, frame...)
		putHead(block, int(size%(2*blockBytes)), codecZstd)
		out, _, err := d.readBlock("o", nil, block)
		if err == nil && len(out) != int(size%(2*blockBytes)) || err != nil && !errors.Is(err, ErrDamaged) {
			t.Errorf("%d bytes, %v", len(out), err)
		}
	})
}

func FuzzDecodeRecord(f *testing.F) {
	data, err := record{Format: 1, Epoch: 3, Generation: 1, Nonce: "n", Manifest: manifestOf(1, 3), Bytes: 9, CRC32C: 7}.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := decodeRecord("r", 3, data)
		if err == nil && r.Epoch != 3 || err != nil && !errors.Is(err, ErrDamaged) && stream.CodeOf(err) != stream.CheckpointFormat {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

func TestNamesSayWhatObjectsAre(t *testing.T) {
	l := layout("p")
	for name, want := range map[string]place{
		l.claim(3):                       {claimKind, 3, 0},
		l.start(3, 9):                    {startKind, 3, 9},
		l.adoption(3):                    {adoptionKind, 3, 0},
		l.record(4):                      {recordKind, 0, 4},
		l.mark(4):                        {markKind, 0, 4},
		"p/" + manifestOf(1, 2):          {manifestKind, 1, 2},
		"p/" + dataOf(1, 2, 9):           {dataKind, 1, 2},
		"p/epochs/4":                     {},
		"p/epochs/" + digits(4) + "/x":   {},
		"p/" + folderOf(1, 2) + "data-1": {},
		"p/" + folderOf(1, 2) + "other":  {},
		"q/epochs/" + digits(4):          {},
		"p/gen-x/y/manifest.json":        {},
	} {
		if got := l.parse(name); got != want {
			t.Errorf("%s is %+v", name, got)
		}
		if err := CheckName(name); err != nil {
			t.Error(err)
		}
	}
}

func TestPruneKeepsWhatIsStillNeeded(t *testing.T) {
	part := func(from, to int, full bool) PartState { return PartState{Table: "t", From: from, To: to, Full: full} }
	for _, c := range []struct {
		name string
		in   []PartState
		keep []int
	}{
		{"a delta builds on what is before", []PartState{part(0, 8, true), part(2, 4, false)}, []int{0, 1}},
		{"a full one of all ends the chain", []PartState{part(0, 8, true), part(2, 4, false), part(0, 8, true)}, []int{2}},
		{"full ones end it together", []PartState{part(0, 8, true), part(4, 8, true), part(0, 4, true)}, []int{1, 2}},
		{"also if they overlap", []PartState{part(2, 6, false), part(0, 5, true), part(4, 8, true)}, []int{1, 2}},
		{"a hole keeps it", []PartState{part(0, 8, true), part(5, 8, true), part(0, 4, true)}, []int{0, 1, 2}},
		{"a full one does not end a wider one", []PartState{part(0, 8, false), part(1, 7, true)}, []int{0, 1}},
		{"another table is another chain", []PartState{{Table: "u", To: 1}, part(0, 8, true)}, []int{0, 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var want []PartState
			for _, i := range c.keep {
				want = append(want, c.in[i])
			}
			if got := prune(c.in); !reflect.DeepEqual(got, want) {
				t.Errorf("%+v", got)
			}
		})
	}
}

// golden is a checkpoint that each later version must read: three epochs, of which
// the last builds on the others.
func TestTheGoldenCheckpointIsRead(t *testing.T) {
	const dir = "testdata/golden-1"
	if _, err := os.Stat(dir); scripttest.Rewrite() && err != nil { // a format is written once
		writeGolden(t, dir)
	}
	s := newMemory()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		return s.Put(t.Context(), filepath.ToSlash(name), data)
	})
	if err != nil {
		t.Fatal(err)
	}
	out, got, err := restore(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	m := out.Manifest
	if m.Epoch != 3 || m.Generation != 1 || m.Format != 1 || m.Reason != ReasonDirty || m.Config != (Config{7, Span(10 * time.Second), true}) {
		t.Errorf("%+v", m)
	}
	if len(out.Commits) != 1 || string(out.Commits[0].Data) != "rename 3" {
		t.Errorf("commits %+v", out.Commits)
	}
	want := tables{"count/state": slices.Repeat([]string{"base;"}, 8), "count/timers": {goldenTimers(), goldenTimers()}}
	want["count/state"][3] = "base;delta 2;"
	want["count/state"][5] = "full 3;"
	for k := range want {
		if !slices.Equal(got[k], want[k]) {
			t.Errorf("%s is %.200q", k, got[k])
		}
	}
	var meta struct{ Position, Plugin string }
	if err := json.Unmarshal(m.Vertex("source").Meta, &meta); err != nil || meta.Position != "300" {
		t.Errorf("%+v, %v", meta, err)
	}
	r := &Reader{Store: s, Pipeline: "p"}
	if report, err := r.Verify(t.Context(), 3); err != nil || len(report.Problems) > 0 || report.Objects != 2 {
		t.Errorf("%+v, %v", report, err)
	}
}

func goldenTimers() string { return strings.Repeat("timer ", 2000) + string(noise(9, 5000)) }

func writeGolden(t *testing.T, dir string) {
	s := newMemory()
	w := claim(t, s)
	source := func(at string) Snapshot {
		return Snapshot{Vertex: "source", Meta: json.RawMessage(`{"position":"` + at + `","plugin":"parse-log"}`)}
	}
	sink := func(commit string) Snapshot { return Snapshot{Vertex: "sink", Commit: []byte(commit)} }
	publish := func(e stream.Epoch, all ...Snapshot) {
		info := Info{Reason: ReasonDirty, Config: Config{7, Span(10 * time.Second), true}, Align: time.Millisecond}
		if _, err := w.Write(t.Context(), e, info, all); err != nil {
			t.Fatal(err)
		}
	}
	publish(1, source("100"), sink("rename 1"), snapshot("count", full("state", 0, 8, "base;"), full("timers", 0, 2, goldenTimers())))
	publish(2, source("200"), sink("rename 2"), snapshot("count", delta("state", 3, 4, "delta 2;"), delta("log", 0, 1, string(noise(8, 5000)))))
	publish(3, source("300"), sink("rename 3"), snapshot("count", full("state", 5, 6, "full 3;")))
	for _, e := range []stream.Epoch{1, 2} {
		if err := w.MarkCommitted(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	claimed := `{"format":1,"generation":1,"nonce":"` + w.nonce + `","process":"golden","created":"2026-01-01T00:00:00Z","host":"golden","pid":1,"wasmill":"test"}`
	s.change(layout("p").claim(1), []byte(claimed))
	for name, o := range s.objects {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, o.data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
