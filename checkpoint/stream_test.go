package checkpoint

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/stream"
	"pgregory.net/rapid"
)

// streamed is a snapshot whose parts all come by its Stream, in one buffer that is
// used again for each.
func streamed(v stream.VertexID, parts ...Part) Snapshot {
	s := snapshot(v)
	s.Stream = streamOf(parts)
	for _, p := range parts {
		s.Size += int64(len(p.Data))
	}
	return s
}

func streamOf(parts []Part) func(yield func(Part) error) error {
	called := false
	return func(yield func(Part) error) error {
		if called {
			return errors.New("the stream was read before")
		}
		called = true
		var buf []byte
		for _, p := range parts {
			buf = append(buf[:0], p.Data...)
			p.Data = buf
			if err := yield(p); err != nil {
				return err
			}
			for i := range buf {
				buf[i] = '#'
			}
		}
		return nil
	}
}

// alike is a manifest without what differs from writer to writer.
func alike(t interface{ Fatal(...any) }, m *Manifest) string {
	c := *m
	c.Nonce, c.Created, c.Duration = "", time.Time{}, Duration{}
	data, err := c.encode()
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

var (
	anyPart = rapid.Custom(func(t *rapid.T) Part {
		size := rapid.OneOf(rapid.Just(0), rapid.IntRange(1, 8), rapid.IntRange(9, 300)).Draw(t, "size")
		data := noise(rapid.Uint64Range(0, 1000).Draw(t, "seed"), size)
		from := rapid.IntRange(0, 3).Draw(t, "from")
		return Part{
			Table: rapid.SampledFrom([]string{"x", "y"}).Draw(t, "table"), From: from, To: rapid.IntRange(from+1, 4).Draw(t, "to"),
			Full: rapid.Bool().Draw(t, "full"), Entries: size, Data: data,
		}
	})
	anyVertices = rapid.Permutation([]stream.VertexID{"a", "b", "c"})
)

func TestAStreamGivesTheSameCheckpointAsASlice(t *testing.T) {
	mixed := 0 // checkpoints with objects of their parent and several of their own
	rapid.Check(t, func(rt *rapid.T) {
		stores := [2]*memory{newMemory(), newMemory()}
		var writers [2]*Writer
		for i, s := range stores {
			writers[i] = claim(t, s)
			writers[i].small, writers[i].large = 8, 300
		}
		want := make(tables)
		for e := range stream.Epoch(rapid.IntRange(1, 5).Draw(rt, "epochs")) {
			e++
			var slice, split []Snapshot
			vertices := anyVertices.Draw(rt, "vertices")[rapid.IntRange(0, 2).Draw(rt, "without"):]
			for _, v := range vertices {
				parts := rapid.SliceOfN(anyPart, 0, 8).Draw(rt, "parts")
				slice = append(slice, snapshot(v, parts...))
				n := rapid.IntRange(0, len(parts)).Draw(rt, "split")
				s := streamed(v, parts[n:]...)
				s.Parts = parts[:n]
				split = append(split, s)
				for _, p := range parts {
					_ = want.take(RestoredPart{v, e, p})
				}
			}
			maps.DeleteFunc(want, func(k string, _ []string) bool { return !slices.Contains(vertices, stream.VertexID(k[:1])) })

			var before string
			parent := writers[1].Parent()
			if parent != nil {
				before = alike(rt, parent)
			}
			m := write(t, writers[0], e, slice...)
			if got := write(t, writers[1], e, split...); alike(rt, got) != alike(rt, m) {
				rt.Fatalf("epoch %d is\n%s\ninstead of\n%s", e, alike(rt, got), alike(rt, m))
			}
			if parent != nil && alike(rt, parent) != before {
				rt.Fatalf("epoch %d has changed its parent", e)
			}
			checkSizes(rt, stores[1], m)
			if own := len(stores[1].names(folderOf(1, e) + "data-")); own > 1 && own < len(m.Objects) {
				mixed++
			}
		}
		names := stores[0].names("/data-")
		if got := stores[1].names("/data-"); !slices.Equal(got, names) {
			rt.Fatalf("objects %v instead of %v", got, names)
		}
		for _, name := range names {
			if got := stores[1].read(name); string(got) != string(stores[0].read(name)) {
				rt.Fatalf("%s differs", name)
			}
		}
		if _, got, err := restore(t.Context(), stores[1]); err != nil || !maps.EqualFunc(got, want, sameGroups) {
			rt.Fatalf("%v: restored %q instead of %q", err, got, want)
		}
	})
	if mixed == 0 {
		t.Error("no checkpoint had several objects beside those of its parent")
	}
}

// sameGroups compares a table but for empty groups at its end: parts that a later
// one replaces do not come back.
func sameGroups(a, b []string) bool {
	for len(a) > 0 && a[len(a)-1] == "" {
		a = a[:len(a)-1]
	}
	for len(b) > 0 && b[len(b)-1] == "" {
		b = b[:len(b)-1]
	}
	return slices.Equal(a, b)
}

// checkSizes holds a manifest against itself: its sizes, and the order of its objects
// and parts.
func checkSizes(t *rapid.T, s *memory, m *Manifest) {
	var want Size
	last := Extent{}
	each(m.Vertices, func(p *PartState) {
		want.Total += p.Bytes
		if p.Epoch != m.Epoch {
			return
		}
		want.New += p.Bytes
		for _, x := range p.At {
			if x.Object < last.Object || x.Object == last.Object && x.From < last.To {
				t.Fatalf("a part is at %+v, and the one before at %+v", x, last)
			}
			last = x
		}
	})
	fresh := false
	for i, o := range m.Objects {
		own := parseRelative(o.Name).epoch == m.Epoch
		if fresh && !own {
			t.Fatalf("object %d, %s, comes after new ones", i, o.Name)
		}
		if fresh = own; own {
			want.Stored += int64(len(s.read("p/" + o.Name)))
		}
	}
	if m.Size != want {
		t.Fatalf("sizes %+v instead of %+v", m.Size, want)
	}
}

func TestAStreamedPartSpansObjectsBehindThoseOfTheParent(t *testing.T) {
	s := newMemory()
	w := claim(t, s)
	base, huge := string(noise(1, 10_000)), string(noise(2, 40<<20))
	write(t, w, 1, snapshot("b", full("x", 0, 1, base)))
	m := write(t, w, 2, streamed("b", delta("x", 0, 1, huge)), streamed("a", full("x", 0, 1, base)))
	if len(m.Objects) != 4 || m.Objects[0].Name != dataOf(1, 1, 0) || m.Vertices[0].Parts[0].At[0].Object != 1 || len(m.Vertices[1].Parts[1].At) != 3 {
		t.Errorf("%+v", m)
	}
	_, got, err := restore(t.Context(), s)
	if err != nil || got["a/x"][0] != base || got["b/x"][0] != base+huge {
		t.Errorf("it is not restored: %v", err)
	}
}

func TestStreamedInlinePartsAreBoundedWithThoseOfTheParent(t *testing.T) {
	s := newMemory()
	w := claim(t, s)
	var parts []Part
	for g := range inlineTotal / inlinePart * 3 / 4 {
		parts = append(parts, delta("x", g, g+1, string(noise(uint64(g), inlinePart))))
	}
	write(t, w, 1, streamed("a", parts...))
	m := write(t, w, 2, streamed("a", parts...))
	if n := inlineBytes(m.Vertices); n != inlineTotal || len(m.Objects) != 1 {
		t.Errorf("%d bytes are in the manifest, beside %d objects", n, len(m.Objects))
	}
}

func TestProgressOfAStreamIsNeverMoreThanItsTotal(t *testing.T) {
	large := string(noise(1, 10_000))
	for _, c := range []struct {
		name  string
		size  int64
		parts []Part
	}{
		{"nothing is expected", 0, []Part{full("x", 0, 1, "ab"), full("x", 1, 2, large)}},
		{"too little is expected", 3, []Part{full("x", 0, 1, "ab"), full("x", 1, 2, "cd"), full("x", 2, 3, large)}},
		{"as much as comes is expected", 4, []Part{full("x", 0, 1, "ab"), full("x", 1, 2, "cd")}},
		{"too much is expected", 1 << 20, []Part{full("x", 0, 1, large), full("x", 1, 2, "cd")}},
		{"something is expected and nothing comes", 100, nil},
		{"a part replaces another", 4, []Part{full("x", 0, 1, "ab"), full("x", 0, 1, "cd")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := claim(t, newMemory())
			var calls []string
			done, total := int64(0), int64(-1)
			w.config.Progress = func(_ stream.Epoch, d, n int64) {
				calls = append(calls, fmt.Sprintf("%d of %d", d, n))
				if d > n || d < done {
					t.Errorf("%v", calls)
				}
				done, total = d, n
			}
			known := full("x", 0, 4, "known")
			want := int64(len(known.Data))
			for _, p := range c.parts {
				want += int64(len(p.Data))
			}
			a := Snapshot{Vertex: "a", Parts: []Part{known}, Stream: streamOf(c.parts), Size: c.size}
			write(t, w, 1, a)
			if done != want || total != want {
				t.Errorf("%v, where the end is %d", calls, want)
			}
			if first := fmt.Sprintf("5 of %d", 5+c.size); calls[0] != first {
				t.Errorf("%v, where the first is %s", calls, first)
			}
		})
	}
}

func TestPartsOfAStreamThatCannotBeAreRefused(t *testing.T) {
	s := newMemory()
	w := claim(t, s)
	for i, bad := range []Part{full("x", 1, 1, ""), full("x", -1, 1, ""), {Table: "x", To: 1, Entries: -1}} {
		hidden := Snapshot{Vertex: "b", Stream: func(yield func(Part) error) error {
			_ = yield(bad)
			return nil
		}}
		for j, s := range []Snapshot{streamed("a", full("x", 0, 1, "1"), bad), hidden} {
			_, err := w.Write(t.Context(), stream.Epoch(2*i+j+1), Info{}, []Snapshot{s})
			if err == nil || !strings.Contains(err.Error(), "BUG") {
				t.Errorf("%+v: %v", bad, err)
			}
		}
	}
	if _, err := w.Write(t.Context(), 9, Info{}, []Snapshot{{Vertex: "a", Size: -1}}); err == nil {
		t.Error("a size below 0 is taken")
	}
	if got := s.names("/epochs/"); len(got) > 0 {
		t.Errorf("published %v", got)
	}
}
