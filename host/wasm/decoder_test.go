package wasm

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
)

// FuzzDecoder gives the decoder memories that a lying guest could leave: a
// header and entries whose fields come from the fuzzer, mixed with values that
// are near the edges of memory and of the frame.
func FuzzDecoder(f *testing.F) {
	const size, frameData = 4096, 1024
	records := []abitest.Record{{Key: "k", Value: "value"}, {Value: "another", Headers: string(abi.AppendHeader(nil, "h", []byte("v")))}}
	f.Add([]byte{}, uint32(8), uint16(1))
	f.Add(bytes.Repeat([]byte{7}, 200), uint32(16), uint16(3))
	f.Add(binary.LittleEndian.AppendUint32(nil, frameData), uint32(2048), uint16(2))
	f.Fuzz(func(t *testing.T, choices []byte, addr uint32, entries uint16) {
		edges := []uint32{0, 1, 2, 8, frameData, frameData + 1, frameData + 5, frameData + 30, 2048, size - 1, size, size + 1, 1 << 31, 1<<32 - 1}
		next := func() uint32 {
			if len(choices) == 0 {
				return 0
			}
			c := choices[0]
			choices = choices[1:]
			if int(c) < len(edges) {
				return edges[c]
			}
			return uint32(c)
		}
		memory := make([]byte, size)
		in := batchOf(records)
		before := recordsOf(in)
		copy(memory[frameData:], in.Arena())
		if addr %= 4000; addr%2 == 0 {
			addr &^= 7
		}
		binary.LittleEndian.PutUint32(memory[addr&^7:], uint32(entries))
		binary.LittleEndian.PutUint32(memory[addr&^7+4:], 2048)
		for k := 2048; k+abi.OutSize <= size && len(choices) > 0; k += abi.OutSize {
			e := abi.Out{
				Key: abi.Ref{Addr: next(), Len: next()}, Value: abi.Ref{Addr: next(), Len: next()}, Headers: abi.Ref{Addr: next(), Len: next()},
				Input: next() % 4, Outcome: next() % 3, Tag: abi.Ref{Addr: next(), Len: next()},
			}
			e.Put((*[abi.OutSize]byte)(memory[k:]))
		}
		d := decoder{limits: DefaultLimits(), tags: stream.NewTagTable("a"), memory: memory, data: frameData}
		out := stream.Output{Batch: (&stream.BatchPool{}).New()}
		if err := d.decode(addr, in, &out); err != nil {
			if !slices.Equal(recordsOf(in), before) || out.Len() != 0 || len(out.Failures) != 0 {
				t.Fatal("a refused answer changed the input or left output")
			}
			return
		}
		for i, r := range out.Records {
			if r.Tag > 2 || r.Source != 3 {
				t.Fatalf("record %+v", r)
			}
			out.Key(i)
			out.Value(i)
			if !abi.ValidHeaders(out.Headers(i)) {
				t.Fatal("a malformed header block came through")
			}
		}
		for _, failure := range out.Failures {
			if failure.Input < 0 || failure.Input >= len(records) {
				t.Fatalf("failure of input %d", failure.Input)
			}
		}
	})
}
