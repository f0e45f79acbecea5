package wasm

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
)

// Where abitest.NewGuest has its arena, and so the first frame.
const arenaAddr = 0x200000

// put stores a 32-bit value at an address.
func put(addr, value uint32) []byte {
	return slices.Concat(abitest.Const(int32(addr)), abitest.Const(int32(value)), abitest.Store(0))
}

// TestAGuestThatOverwritesItsFrameSpoilsNothing has a guest that fills its
// arena, header and records included, and then passes its input on.
func TestAGuestThatOverwritesItsFrameSpoilsNothing(t *testing.T) {
	records := []abitest.Record{{Key: "key", Value: "first"}, {Value: "second"}}
	const data = arenaAddr + abi.HeaderSize + 2*abi.InSize // where the bytes of the records are
	a := abitest.NewGuest()
	var body []byte
	add := func(parts ...[]byte) { body = append(body, slices.Concat(parts...)...) }
	add(abitest.Const(arenaAddr), abitest.Const(0xff), abitest.Const(0x10000), abitest.MemoryFill())
	const table = 0x1000
	add(put(0x800, 2), put(0x804, table))
	add(put(table+8, data), put(table+12, 3), put(table+16, data+3), put(table+20, 5))                 // key and first
	add(put(table+abi.OutSize+16, data+8), put(table+abi.OutSize+20, 6), put(table+abi.OutSize+32, 1)) // second
	a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil, body, abitest.Const(0x800))
	tr := mustTransform(t, mustLoad(t, newEngine(t), a.Bytes()), Config{Vertex: "v"})
	for range 2 { // the same instance
		out := stream.Output{Batch: (&stream.BatchPool{}).New()}
		if err := tr.Call(t.Context(), batchOf(records), &out); err != nil {
			t.Fatal(err)
		}
		if got := recordsOf(out.Batch); !slices.Equal(got, records) {
			t.Errorf("got %+v", got)
		}
	}
}

// TestOutputThatOverlapsItselfAndTheFrame has guests that answer with headers
// and entries on top of each other, of the frame, and of the edges of memory.
func TestOutputThatOverlapsItselfAndTheFrame(t *testing.T) {
	e := newEngine(t)
	records := []abitest.Record{{Key: "key", Value: "value"}, {Value: "another"}}
	const end = 4 << 20
	places := []uint32{0, 8, arenaAddr, arenaAddr + 8, arenaAddr + abi.HeaderSize, arenaAddr + abi.HeaderSize + abi.InSize, end - 64, end - 48, end - 16, end}
	taken, refused := 0, 0
	for _, header := range places[:len(places)-1] {
		for _, table := range places {
			var body []byte
			for k := range uint32(2) {
				edge := func(n int) uint32 { return places[(int(header/8+table/8)+int(k)+n)%len(places)] }
				entry := abi.Out{Input: k, Key: abi.Ref{Addr: edge(0), Len: 3}, Value: abi.Ref{Addr: edge(1), Len: 12}}
				var raw [abi.OutSize]byte
				entry.Put(&raw)
				for off := range uint32(abi.OutSize / 4) {
					if at := table + k*abi.OutSize + 4*off; at+4 <= end {
						body = append(body, put(at, binary.LittleEndian.Uint32(raw[4*off:]))...)
					}
				}
			}
			body = slices.Concat(body, put(header, 2), put(header+4, table))
			a := abitest.NewGuest()
			a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil, body, abitest.Const(int32(header)))
			tr := mustTransform(t, mustLoad(t, e, a.Bytes()), Config{Vertex: "v"})
			in, out := batchOf(records), stream.Output{Batch: (&stream.BatchPool{}).New()}
			err := tr.Call(t.Context(), in, &out)
			if err == nil {
				taken++
				continue
			}
			refused++
			where := fmt.Sprintf("header %#x, table %#x", header, table)
			if code := stream.CodeOf(err); code != stream.GuestOutput && code != stream.GuestLimit {
				t.Errorf("%s: got %v", where, err)
			}
			if !slices.Equal(recordsOf(in), records) || out.Len() != 0 || len(out.Failures) != 0 {
				t.Errorf("%s: a refused answer changed the input or left output", where)
			}
		}
	}
	if taken == 0 || refused == 0 {
		t.Errorf("%d taken, %d refused", taken, refused)
	}
}
