package checkpoint

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// noise is data that does not compress.
func noise(seed uint64, n int) []byte {
	data := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	_, _ = r.Read(data)
	return data
}

func full(table string, from, to int, data string) Part {
	return Part{Table: table, From: from, To: to, Full: true, Entries: 1, Data: []byte(data)}
}

func delta(table string, from, to int, data string) Part {
	return Part{Table: table, From: from, To: to, Entries: 1, Data: []byte(data)}
}

func snapshot(v stream.VertexID, parts ...Part) Snapshot {
	return Snapshot{Vertex: v, Meta: json.RawMessage(`{"position":"1"}`), Parts: parts}
}

func TestAChainIsRestoredFromOneManifest(t *testing.T) {
	s := newMemory()
	w := claim(t, s)
	big := strings.Repeat("0123456789", 300_000)
	write(t, w, 1, snapshot("b", full("state", 0, 4, "b1"), full("timers", 0, 4, "t")), snapshot("a", full("log", 0, 1, big)))
	write(t, w, 2, snapshot("a", delta("log", 0, 1, "+2")), snapshot("b", delta("state", 1, 3, "+2")))
	write(t, w, 3, snapshot("a"), snapshot("b", full("state", 1, 2, "B3")))
	m := write(t, w, 5, snapshot("a", delta("log", 0, 1, "+5")), snapshot("b", delta("state", 0, 4, "+5")))

	out, got, err := restore(t.Context(), s)
	if err != nil || out.Manifest.Epoch != 5 || out.Highest != 5 || len(out.Skipped) != 0 {
		t.Fatalf("%+v, %v", out, err)
	}
	want := tables{"a/log": {big + "+2+5"}, "b/state": {"b1+5", "B3+5", "b1+2+5", "b1+5"}, "b/timers": {"t", "t", "t", "t"}}
	for k, v := range want {
		if !slices.Equal(got[k], v) {
			t.Errorf("%s is %.60q, want %.60q", k, got[k], v)
		}
	}
	if m.Parent != 3 || len(m.Objects) != 1 || m.Size.New != 4 || m.Size.Total != int64(len(big)+4+2+1+2+2+2) {
		t.Errorf("parent %d, %d objects, sizes %+v", m.Parent, len(m.Objects), m.Size)
	}
	// Epochs 1 to 5 without 4: claim; manifest and record each; one data object.
	if s.puts != 1+4*2+1 {
		t.Errorf("%d objects", s.puts)
	}
	if whole, more := m.Vertex("a").Sizes(); whole != int64(len(big)) || more != 4 {
		t.Errorf("sizes of a: %d, %d", whole, more)
	}
}

func TestAFullPartEndsTheChain(t *testing.T) {
	s := newMemory()
	w := claim(t, s)
	data := string(noise(1, 10_000))
	write(t, w, 1, snapshot("a", full("x", 0, 8, data)))
	write(t, w, 2, snapshot("a", delta("x", 2, 4, data)))
	write(t, w, 3, snapshot("a", full("x", 0, 3, data)))
	m := write(t, w, 4, snapshot("a", full("x", 3, 8, data)))
	if got := m.Vertices[0].Parts; len(got) != 2 || got[0].Epoch != 3 || got[1].Epoch != 4 {
		t.Errorf("%+v", got)
	}
	if len(m.Objects) != 2 || m.Objects[0].Name != dataOf(1, 3, 0) {
		t.Errorf("%+v", m.Objects)
	}
	// A vertex without a snapshot is gone, and so is its state.
	m = write(t, w, 5, snapshot("b"))
	if len(m.Vertices) != 1 || len(m.Objects) != 0 {
		t.Errorf("%+v", m)
	}
}

func TestPartsSpanObjectsAndObjectsAreBounded(t *testing.T) {
	s := newMemory()
	w := claim(t, s)
	var progress []int64
	w.config.Progress = func(_ stream.Epoch, done, total int64) {
		if total != 40<<20+5+100_000 {
			t.Errorf("total %d", total)
		}
		progress = append(progress, done)
	}
	huge := string(noise(2, 40<<20))
	m := write(t, w, 1, snapshot("a", full("x", 0, 1, huge)), snapshot("b", full("x", 0, 1, "small"), full("y", 0, 1, string(noise(3, 100_000)))))
	if len(m.Objects) != 3 || len(m.Vertices[0].Parts[0].At) != 3 {
		t.Fatalf("%d objects, %d extents", len(m.Objects), len(m.Vertices[0].Parts[0].At))
	}
	if !slices.IsSorted(progress) || progress[len(progress)-1] != 40<<20+5+100_000 {
		t.Errorf("progress %v", progress)
	}
	var done int64
	r := &Reader{Store: s, Pipeline: "p", Progress: func(d, _ int64) { done = d }}
	var sizes []int
	for p, err := range r.Parts(t.Context(), m) {
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(p.Data))
		if p.Vertex == "a" && string(p.Data) != huge {
			t.Error("the large part has changed")
		}
	}
	if !slices.Equal(sizes, []int{40 << 20, 5, 100_000}) || done != m.Size.Total {
		t.Errorf("parts of %v bytes, progress %d of %d", sizes, done, m.Size.Total)
	}
	for _, name := range s.names("/data-") {
		if s.gets[name] != 1 {
			t.Errorf("%s was read %d times", name, s.gets[name])
		}
	}
}

func TestEachObjectIsReadOnceThoughTheChainIsLong(t *testing.T) {
	s := newMemory()
	w := claim(t, s)
	for e := range stream.Epoch(20) {
		var all []Snapshot
		for _, v := range []stream.VertexID{"c", "a", "b"} {
			var parts []Part
			for g := range 10 {
				parts = append(parts, Part{Table: "x", From: g, To: g + 1, Full: e == 0, Data: noise(uint64(e), 5000)})
			}
			all = append(all, Snapshot{Vertex: v, Parts: parts})
		}
		write(t, w, e+1, all...)
	}
	if _, _, err := restore(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	for _, name := range s.names("/data-") {
		if s.gets[name] != 1 {
			t.Errorf("%s was read %d times", name, s.gets[name])
		}
	}
}

func TestASmallCheckpointHasFewObjects(t *testing.T) {
	s := newMemory()
	w := claim(t, s)
	before := s.puts
	var all []Snapshot
	for v := range 20 {
		all = append(all, snapshot(stream.VertexID(rune('a'+v)), full("x", 0, 128, string(noise(uint64(v), 30_000))), full("y", 0, 1, "inline")))
	}
	write(t, w, 1, all...)
	if err := w.MarkCommitted(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if n := s.puts - before; n != 4 {
		t.Errorf("%d objects", n)
	}
}

func TestInlinePartsAreBounded(t *testing.T) {
	s := newMemory()
	w := claim(t, s)
	data := string(noise(4, inlinePart))
	write(t, w, 1, snapshot("a", full("x", 0, 1000, data)))
	var m *Manifest
	for e := range stream.Epoch(200) {
		m = write(t, w, e+2, snapshot("a", delta("x", 0, 1000, data)))
	}
	if size := len(s.read("p/" + m.Name())); size > 512<<10 {
		t.Errorf("a manifest has %d bytes", size)
	}
}

func TestAWriterKeepsNoBytesOfSnapshots(t *testing.T) {
	s := newMemory()
	w := claim(t, s)
	part := full("x", 0, 1, "kept")
	first := Snapshot{Vertex: "a", Meta: json.RawMessage(`{"a":1}`), Parts: []Part{part}, Commit: []byte("commit")}
	write(t, w, 1, first)
	copy(part.Data, "XXXX")
	copy(first.Commit, "XXXXXX")
	write(t, w, 2, snapshot("a", delta("x", 0, 1, "+2")))
	if _, got, err := restore(t.Context(), s); err != nil || got["a/x"][0] != "kept+2" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestWhatIsGivenUpIsDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newMemory()
		w := claim(t, s)
		write(t, w, 1, snapshot("a", full("x", 0, 1, string(noise(1, 10_000)))))
		s.faults(func(op, name string) verdict {
			if strings.HasSuffix(name, manifestName) {
				return hang
			}
			return pass
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begun := time.Now()
		_, err := w.Write(ctx, 2, Info{}, []Snapshot{snapshot("a", full("x", 0, 1, string(noise(2, 10_000))))})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) > time.Minute {
			t.Fatalf("%v after %v", err, time.Since(begun))
		}
		s.faults(nil)
		if len(s.names("/data-")) != 2 {
			t.Fatalf("%v", s.names(""))
		}
		if err := w.Discard(t.Context(), 2); err != nil {
			t.Fatal(err)
		}
		if err := w.Discard(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		if got := s.names("/data-"); len(got) != 1 || got[0] != "p/"+dataOf(1, 1, 0) {
			t.Errorf("%v", got)
		}
		write(t, w, 3, snapshot("a", delta("x", 0, 1, "+3")))
		if _, got, err := restore(t.Context(), s); err != nil || got["a/x"][0] != string(noise(1, 10_000))+"+3" {
			t.Errorf("%v", err)
		}
	})
}

func TestNothingIsDeletedOfWhatMayBePublished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newMemory()
		w := claim(t, s)
		write(t, w, 1, snapshot("a", full("x", 0, 1, "1")))
		// The record is stored, and no answer ever comes back.
		s.faults(func(op, name string) verdict {
			switch {
			case op == "create":
				return lose
			case strings.HasPrefix(name, "p/epochs/"):
				return refuse
			}
			return pass
		})
		second := snapshot("a", delta("x", 0, 1, "+2"))
		if _, err := w.Write(t.Context(), 2, Info{}, []Snapshot{second}); err == nil || errors.Is(err, ErrFenced) {
			t.Fatalf("%v", err)
		}
		s.faults(nil)
		if err := w.Discard(t.Context(), 2); err != nil {
			t.Fatal(err)
		}
		if out, got, err := restore(t.Context(), s); err != nil || out.Manifest.Epoch != 2 || got["a/x"][0] != "1+2" {
			t.Errorf("%+v %v %v", out, got, err)
		}
		// The next one builds on what is known to be there.
		if m := write(t, w, 3, snapshot("a", delta("x", 0, 1, "+2+3"))); m.Parent != 1 {
			t.Errorf("parent %d", m.Parent)
		}
		if _, got, err := restore(t.Context(), s); err != nil || got["a/x"][0] != "1+2+3" {
			t.Errorf("%v %v", got, err)
		}
	})
}

func TestChangesSinceACheckpointThatWasGivenUpAreRefused(t *testing.T) {
	s := newMemory()
	w := claim(t, s)
	write(t, w, 1, snapshot("a", full("x", 0, 1, "1")))
	lost := Snapshot{Vertex: "a", Since: 2, Parts: []Part{delta("x", 0, 1, "+3")}}
	if _, err := w.Write(t.Context(), 3, Info{}, []Snapshot{lost}); err == nil || !strings.Contains(err.Error(), "since epoch 2") {
		t.Errorf("%v", err)
	}
	lost.Since = 1
	write(t, w, 4, lost)
	before := s.read("p/" + manifestOf(1, 4))
	if _, err := w.Write(t.Context(), 4, Info{}, nil); err == nil || !bytes.Equal(before, s.read("p/"+manifestOf(1, 4))) {
		t.Error("an epoch was written twice")
	}
}

func TestSnapshotsThatCannotBeAreRefused(t *testing.T) {
	w := claim(t, newMemory())
	for i, s := range [][]Snapshot{
		{{}}, {{Vertex: "a", Meta: json.RawMessage("{")}}, {snapshot("a"), snapshot("a")},
		{snapshot("a", full("x", 1, 1, ""))}, {snapshot("a", full("x", -1, 1, ""))},
	} {
		if _, err := w.Write(t.Context(), stream.Epoch(i+1), Info{}, s); err == nil {
			t.Errorf("%+v is taken", s)
		}
	}
}

func TestUploadsRunAtOnceWithinTheirLimit(t *testing.T) {
	s := newMemory()
	w := claim(t, s)
	w.config.Uploads = 2
	now, most := 0, 0
	slow := &slowStore{memory: s, enter: func(d int) {
		s.mu.Lock()
		defer s.mu.Unlock()
		now += d
		most = max(most, now)
	}}
	w.config.Store = slow
	synctest.Test(t, func(t *testing.T) {
		write(t, w, 1, snapshot("a", full("x", 0, 1, string(noise(1, 70<<20)))))
	})
	if most != 2 {
		t.Errorf("%d uploads at once", most)
	}
}

type slowStore struct {
	*memory
	enter func(int)
}

func (s *slowStore) Put(ctx context.Context, name string, data []byte) error {
	s.enter(1)
	defer s.enter(-1)
	time.Sleep(time.Second)
	return s.memory.Put(ctx, name, data)
}

// TestNothingIsCompressedForALocalDisk writes to one, and then to a bucket.
func TestNothingIsCompressedForALocalDisk(t *testing.T) {
	s := newMemory()
	want := strings.Repeat("compresses well", 1<<20)
	for i, local := range []bool{true, false} {
		w, err := Claim(t.Context(), WriterConfig{Store: s, Pipeline: "p", Local: local})
		if err != nil {
			t.Fatal(err)
		}
		e := stream.Epoch(i + 1)
		m := write(t, w, e, snapshot("a", full("x", 0, 1, want)))
		w.Close()
		largest := int64(0)
		for _, o := range m.Objects {
			largest = max(largest, o.Bytes)
		}
		if stored := m.Size.Stored; local != (stored >= int64(len(want))) || largest > localObject {
			t.Errorf("local: %v, but %d bytes are stored of %d, %d of them in one object", local, stored, len(want), largest)
		}
		if _, got, err := restore(t.Context(), s); err != nil || got["a/x"][0] != want {
			t.Errorf("local: %v, restored: %v", local, err)
		}
	}
}

func TestBlocksSurviveTheirCodec(t *testing.T) {
	for _, compress := range []bool{false, true} {
		blocksSurvive(t, compress)
	}
}

func blocksSurvive(t *testing.T, compress bool) {
	c, err := newEncoder(compress)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	d, err := newDecoder(1)
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	for _, data := range [][]byte{{1}, noise(1, blockBytes), bytes.Repeat([]byte("ab"), blockBytes/2), make([]byte, 100)} {
		block := c.appendBlock(nil, data)
		if len(block) > blockHead+len(data) {
			t.Errorf("%d bytes became %d", len(data), len(block))
		}
		got, rest, err := d.readBlock("o", nil, append(block, 7))
		if err != nil || !bytes.Equal(got, data) || len(rest) != 1 {
			t.Errorf("%d bytes: %v", len(data), err)
		}
		for _, i := range []int{0, 4, 8, 12, blockHead, len(block) - 1} {
			bad := slices.Clone(block)
			bad[i] ^= 1
			if _, _, err := d.readBlock("o", nil, bad); !errors.Is(err, ErrDamaged) {
				t.Errorf("a bit of byte %d: %v", i, err)
			}
		}
	}
}
