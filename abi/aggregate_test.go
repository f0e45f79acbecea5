package abi

import (
	"bytes"
	"os"
	"testing"
)

// foldExample is a frame of an aggregate at 0x1000: two windows, of which the first
// has a record.
func foldExample() []byte {
	memory := make([]byte, 8<<10)
	header := FoldHeader{Header{1, 0x1030, 2, 3, 4}, 2, 0x1058}
	header.Put((*[FoldHeaderSize]byte)(memory[0x1000:]))
	r := In{Time: 5, Key: Ref{0x10b8, 1}, Value: Ref{0x10b9, 2}}
	r.Put((*[InSize]byte)(memory[0x1030:]))
	for i, w := range []Window{{0, 10, r.Key, Ref{0x10bb, 3}, 0, 1, FiringEnd}, {10, 20, r.Key, Ref{}, 1, 0, FiringLate}} {
		w.Put((*[WindowSize]byte)(memory[0x1058+i*WindowSize:]))
	}
	copy(memory[0x10b8:], "kvaacc")
	return memory
}

func TestFramesOfAggregates(t *testing.T) {
	memory := foldExample()
	h, windows, records, err := WindowTable(memory, 0x1000)
	if err != nil || h.Windows != 2 || h.Now != 2 || h.Seed != 4 || len(records) != InSize {
		t.Fatalf("header %+v, %d bytes of records, %v", h, len(records), err)
	}
	var w Window
	w.Take((*[WindowSize]byte)(windows))
	if acc, ok := w.Accumulator.In(memory); !ok || string(acc) != "acc" || w.End != 10 || w.Count != 1 {
		t.Errorf("first window %+v", w)
	}
	w.Take((*[WindowSize]byte)(windows[WindowSize:]))
	if w != (Window{Start: 10, End: 20, Key: Ref{0x10b8, 1}, First: 1, Firing: FiringLate}) {
		t.Errorf("second window %+v", w)
	}
	if _, plain, err := InTable(memory, 0x1000); err != nil || !bytes.Equal(plain, records) {
		t.Errorf("as a frame of a map: %v", err)
	}
}

func TestTheSpecificationNamesWhatAggregatesExport(t *testing.T) {
	page, err := os.ReadFile("ABI.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{ExportAdd, ExportResult, ExportMerge, string(KindAggregate)} {
		if !bytes.Contains(page, []byte("`"+name+"`")) {
			t.Errorf("ABI.md does not mention %s", name)
		}
	}
}

func FuzzWindowTable(f *testing.F) {
	f.Add(foldExample(), uint32(0x1000))
	f.Add(bytes.Repeat([]byte{0xff}, 64), uint32(8))
	f.Fuzz(func(t *testing.T, memory []byte, addr uint32) {
		h, windows, records, err := WindowTable(memory, addr)
		if err != nil {
			return
		}
		if len(windows) != int(h.Windows)*WindowSize || len(records) != int(h.Count)*InSize {
			t.Fatalf("%d and %d bytes for %d windows and %d records", len(windows), len(records), h.Windows, h.Count)
		}
		for k := 0; k < len(windows); k += WindowSize {
			var w, again Window
			var raw [WindowSize]byte
			w.Take((*[WindowSize]byte)(windows[k:]))
			w.Put(&raw)
			again.Take(&raw)
			if w != again || !bytes.Equal(raw[:44], windows[k:k+44]) {
				t.Errorf("window %+v does not survive writing", w)
			}
			w.Accumulator.In(memory)
		}
	})
}
