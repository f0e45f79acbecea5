package dir

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/wasmill/wasmill/checkpoint"
)

// TestLargeObjectsAreStoredWhole stores objects that do not end or begin with a page.
func TestLargeObjectsAreStoredWhole(t *testing.T) {
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	memory := make([]byte, checkpoint.MaxObject)
	for i := range memory {
		memory[i] = byte(i * i >> 8)
	}
	for i, span := range [][2]int{{0, 1<<20 - 1}, {0, 1 << 20}, {0, 1<<20 + 1}, {0, 3<<20 + 4095}, {1, 2 << 20}, {4096, 2<<20 + 5}, {0, len(memory)}} {
		name, data := fmt.Sprint("a/", i), memory[span[0]:span[1]]
		if err := s.Put(t.Context(), name, data); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Get(t.Context(), name); err != nil || !bytes.Equal(got, data) {
			t.Errorf("from %d to %d: %d bytes, %v", span[0], span[1], len(got), err)
		}
	}
}
