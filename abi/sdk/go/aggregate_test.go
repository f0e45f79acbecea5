package wasmill

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unsafe"

	"github.com/wasmill/wasmill/abi"
)

// longest is an accumulator: the longest value.
type longest struct{ length uint32 }

func (l *longest) Append(to []byte) []byte { return binary.LittleEndian.AppendUint32(to, l.length) }
func (l *longest) Read(from []byte)        { l.length = binary.LittleEndian.Uint32(from) }

// foldFrame lays out windows of a key with values each, and accumulators.
func foldFrame(accumulators []string, values ...[]string) uint32 {
	size := abi.FoldHeaderSize + 1<<12
	at := input(uint32(size))
	records := uint32(0)
	next := uint32(abi.FoldHeaderSize + len(values)*abi.WindowSize)
	for _, v := range values {
		records += uint32(len(v))
	}
	header := abi.FoldHeader{Header: abi.Header{Count: records, Records: at + next, Watermark: 2}, Windows: uint32(len(values)), Table: at + abi.FoldHeaderSize}
	header.Put((*[abi.FoldHeaderSize]byte)(arena))
	table := next
	next += records * abi.InSize
	put := func(s string) abi.Ref {
		ref := abi.Ref{Addr: at + next, Len: uint32(len(s))}
		next += uint32(copy(arena[next:], s))
		return ref
	}
	first := uint32(0)
	for k, vs := range values {
		w := abi.Window{Start: int64(k), End: 10, Key: put("k"), Accumulator: put(accumulators[k]), First: first, Count: uint32(len(vs))}
		w.Put((*[abi.WindowSize]byte)(arena[abi.FoldHeaderSize+k*abi.WindowSize:]))
		for _, v := range vs {
			in := abi.In{Value: put(v)}
			in.Put((*[abi.InSize]byte)(arena[table+first*abi.InSize:]))
			first++
		}
	}
	return at
}

func answered() string {
	var s []string
	for _, r := range out.Results {
		s = append(s, fmt.Sprintf("%d/%d/%s/%q@%d", r.outcome, r.input, r.Key, r.Value, r.Time))
	}
	return strings.Join(s, " ")
}

func TestAggregates(t *testing.T) {
	Aggregate(`{}`, Functions[*longest]{
		Add: func(l *longest, r *Record) error {
			if len(r.Value) == 0 {
				return errors.New("empty")
			}
			l.length = max(l.length, uint32(len(r.Value)))
			return nil
		},
		Merge: func(l, other *longest) { l.length = max(l.length, other.length) },
		Result: func(l *longest, w *Window, out *Output) error {
			if l.length == 9 {
				return errors.New("nine")
			}
			out.Buf = fmt.Append(out.Buf, l.length)
			w.Emit(out, out.Take())
			if l.length == 3 {
				*l = longest{}
			}
			return nil
		},
	})
	three, nine := "\x03\x00\x00\x00", "\x09\x00\x00\x00"
	add(foldFrame([]string{"", nine, three}, []string{"a", "bb"}, []string{"c"}, []string{"", "dddd"}))
	if got, want := answered(), `2/0//"\x02\x00\x00\x00"@0 2/1//"\t\x00\x00\x00"@0 1/3//"empty"@0 2/2//"\x04\x00\x00\x00"@0`; got != want {
		t.Errorf("add: got %s", got)
	}
	merge(foldFrame([]string{three, nine, "", three}, nil, nil, nil, nil))
	if got, want := answered(), `2/0//"\t\x00\x00\x00"@0 2/2//"\x03\x00\x00\x00"@0`; got != want {
		t.Errorf("merge: got %s", got)
	}
	result(foldFrame([]string{three, nine, ""}, nil, nil, nil))
	if got, want := answered(), `0/0/k/"3"@9 2/0//"\x00\x00\x00\x00"@0 1/1//"nine"@0 0/2/k/"0"@9`; got != want {
		t.Errorf("result: got %s", got)
	}
	at := foldFrame([]string{three, nine}, []string{"a", "b", "c"}, []string{"d"})
	if n := testing.AllocsPerRun(10, func() { add(at) }); n > 0 {
		t.Errorf("%v allocations per call", n)
	}
	if unsafe.Sizeof(fold{}) != abi.FoldHeaderSize || unsafe.Sizeof(window{}) != abi.WindowSize {
		t.Error("the layouts are not those of ABI.md")
	}
}
