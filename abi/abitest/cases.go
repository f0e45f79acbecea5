package abitest

import (
	"math"
	"slices"

	"github.com/wasmill/wasmill/abi"
)

// Record is one record as a host sees it.
type Record struct {
	Time                int64
	Key, Value, Headers string

	kind uint32 // in the record table
}

// Result is what came of the records given to a host.
type Result struct {
	Record
	Tag string
}

// Case is a guest, what to give it in one frame, and what a host has to make of
// its answer.
type Case struct {
	Name    string
	Module  []byte
	Kind    abi.Kind         // of the guest; process: it is given the state of the keys of In, empty at first
	Grant   []abi.Capability // to the guest; no host is listed for its requests
	In      []Record
	Want    []Result
	Failed  map[int]string // message by input index
	Refused bool           // the call has to fail, and the host has to live on
}

// Address at which cases keep bytes of their own.
const bytesAddr = 0x1000

const entriesEnd = guestPages * 64 << 10

// Cases returns guests that answer well and guests that lie.
func Cases() []Case {
	one := []Record{{Time: 7, Key: "k", Value: "in", Headers: string(abi.AppendHeader(nil, "a", []byte("b")))}}
	two := []Record{{Value: "first"}, {Value: "second"}}
	own := func(off, n uint32) abi.Ref { return abi.Ref{Addr: bytesAddr + off, Len: n} }
	canned := func(data string, entries ...abi.Out) []byte {
		answer := Answer(entries...)
		answer[bytesAddr] = []byte(data)
		return Canned(headerAddr, answer)
	}
	lie := func(name string, module []byte) Case { return Case{Name: name, Module: module, In: one, Refused: true} }
	raw := func(result uint32, header ...byte) []byte {
		return Canned(result, map[uint32][]byte{headerAddr: header, entriesEnd - 16: {1, 0, 0, 0, 0, 0, 4, 0}})
	}
	return append(slices.Concat(hostCases(one), processCases(), sideCases(one)), []Case{
		{Name: "identity", Module: Identity(), In: one, Want: []Result{{Record: one[0]}}},
		{Name: "identity of empty parts", Module: Identity(), In: []Record{{}, {Value: "x"}}, Want: []Result{{}, {Record: Record{Value: "x"}}}},
		{Name: "a filter that lets nothing through", Module: canned(""), In: two},
		{
			Name: "a flat-map with keys, times and tags of its own", In: two,
			Module: canned("keyvalueseenother",
				abi.Out{Time: 1, Input: 1, Key: own(0, 3), Value: own(3, 5), Tag: own(8, 4)},
				abi.Out{Time: -2, Input: 1, Value: own(3, 3), Tag: own(12, 5)}),
			Want: []Result{
				{Record{Time: 1, Key: "key", Value: "value"}, "seen"},
				{Record{Time: -2, Value: "val"}, "other"},
			},
		},
		{
			Name: "an error, which throws the other entries of its input away", In: two,
			Module: canned("badgood", abi.Out{Input: 0, Value: own(3, 4)}, abi.Out{Input: 0, Outcome: abi.OutcomeError, Value: own(0, 3)}, abi.Out{Input: 1, Value: own(3, 4)}),
			Want:   []Result{{Record: Record{Value: "good"}}}, Failed: map[int]string{0: "bad"},
		},
		{
			Name: "spans that overlap, and an empty one that points nowhere", In: one,
			Module: canned("abc", abi.Out{Key: own(0, 2), Value: own(1, 2), Headers: abi.Ref{Addr: math.MaxUint32}}),
			Want:   []Result{{Record: Record{Key: "ab", Value: "bc"}}},
		},
		lie("an output header at 0", raw(0)),
		lie("an output header that is misaligned", raw(headerAddr+4, 0, 0, 0, 0)),
		lie("an output header past the end of memory", raw(math.MaxUint32-7)),
		lie("an output header across the end of memory", raw(entriesEnd-8)),
		lie("more entries than any frame may have", raw(headerAddr, 255, 255, 255, 255, 0, 0, 4, 0)),
		lie("an entry table that is misaligned", raw(headerAddr, 1, 0, 0, 0, 4, 0, 4, 0)),
		lie("an entry table across the end of memory", raw(headerAddr, 2, 0, 0, 0, 0xf8, 0xff, 0x3f, 0)),
		lie("an entry table whose end wraps around", raw(headerAddr, 1, 0, 0, 0, 0xf8, 0xff, 0xff, 0xff)),
		lie("an input index out of range", canned("x", abi.Out{Input: 1})),
		lie("an unknown outcome", canned("x", abi.Out{Outcome: 2})),
		lie("a value outside memory", canned("", abi.Out{Value: abi.Ref{Addr: entriesEnd - 1, Len: 2}})),
		lie("a value whose end wraps around", canned("", abi.Out{Value: abi.Ref{Addr: math.MaxUint32, Len: 2}})),
		lie("a key outside memory", canned("", abi.Out{Key: abi.Ref{Addr: entriesEnd, Len: 1}})),
		lie("a header block outside memory", canned("", abi.Out{Headers: abi.Ref{Addr: entriesEnd, Len: 8}})),
		lie("a header block that is malformed", canned("\x01\x00\x00\x00\xff\xff\xff\xffa", abi.Out{Headers: own(0, 9)})),
		lie("a tag outside memory", canned("", abi.Out{Tag: abi.Ref{Addr: entriesEnd, Len: 1}})),
		lie("a tag that is too long", canned("", abi.Out{Tag: own(0, abi.MaxTag+1)})),
		lie("an error message outside memory", canned("", abi.Out{Outcome: abi.OutcomeError, Value: abi.Ref{Addr: entriesEnd, Len: 1}})),
		lie("a value over the limit of a record", canned("", abi.Out{Value: abi.Ref{Addr: 0, Len: 1<<20 + 1}})),
		lie("a trap", trap()),
	}...)
}

func trap() []byte {
	a := NewGuest()
	a.Func(abi.ExportProcess, []byte{I32}, []byte{I32}, nil, Op(Unreachable))
	return a.Bytes()
}
