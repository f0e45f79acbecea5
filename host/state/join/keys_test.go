package join

import (
	"fmt"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/stream"
)

// TestKeysOfAnySize joins records with the shortest key and with one of 1 MiB.
func TestKeysOfAnySize(t *testing.T) {
	for _, outer := range []bool{false, true} {
		c := fixed(outer)
		c.MaxBytes = 64 << 20
		w := newWorld(t, c)
		long := strings.Repeat("k", 1<<20)
		for _, key := range []string{"", long, long[1:], "k"} {
			b := w.batch()
			w.append(b, left, key, 5, `"l"`)
			w.append(b, left, key, 6, `"l"`)
			w.append(b, right, key, 7, `"r"`)
			if w.in(b); len(w.said) != 2 || !strings.Contains(w.said[0], `"`+key+`"`) {
				t.Errorf("a key of %d bytes gave %d pairs", len(key), len(w.said))
			}
			w.said = nil
		}
		w.advance(stream.EndOfTime)
		w.empty()
	}
}

// TestAFullStateGoesOn fills it with left records. Those that are there are joined once
// windows before them have left room.
func TestAFullStateGoesOn(t *testing.T) {
	c := fixed(true)
	c.MaxBytes = 64 << 10
	w := newWorld(t, c)
	there := 0
	for i := range 5000 {
		b := w.batch()
		w.append(b, left, fmt.Sprint("key ", i), 5, "1")
		switch err := w.In(t.Context(), b, &stream.Output{Batch: &stream.Batch{}}); {
		case err == nil:
			there++
		case stream.CodeOf(err) != stream.StateFull:
			t.Fatal(err)
		}
	}
	if there < 50 || there == 5000 {
		t.Fatalf("%d keys had room", there)
	}
	w.advance(stream.Watermark(fixed(true).Spec.Size))
	if n := len(w.said); n != there {
		t.Errorf("%d left records came out alone, want %d", n, there)
	}
	w.said = nil
	b := w.batch()
	next := int64(fixed(true).Spec.Size) + 5
	w.append(b, left, "key", next, "1")
	w.append(b, right, "key", next, "2")
	if w.in(b); len(w.said) != 1 {
		t.Errorf("after them %d pairs", len(w.said))
	}
	w.advance(stream.EndOfTime)
	w.empty()
}
