package abitest

import (
	"math"
	"slices"

	"github.com/wasmill/wasmill/abi"
)

// Where guests of hostCases keep a request and its parts.
const (
	requestAddr = 0x2000
	partsAddr   = 0x2100
)

// hostCases are guests that call functions of the host, well and badly.
func hostCases(in []Record) []Case {
	url := abi.Ref{Addr: partsAddr, Len: 18} // of parts
	parts := append([]byte("http://example.org"), 1, 0, 0, 0, 255, 255, 255, 255)
	asks := func(r abi.HTTPRequest) map[uint32][]byte {
		var b [abi.HTTPRequestSize]byte
		r.Put(&b)
		return map[uint32][]byte{requestAddr: b[:], partsAddr: parts}
	}
	request := func(addr uint32) []byte { return slices.Concat(Const(int32(addr)), Call(importRequest), Set(1)) }
	fetch := func(addr uint32, length ...[]byte) []byte {
		return slices.Concat(Const(int32(addr)), slices.Concat(length...), Call(importResponse))
	}
	size := slices.Concat(Get(1), Op(0xa7)) // i32.wrap_i64
	status := func(want int32) []byte {     // traps if it is another
		return slices.Concat(Get(1), Const64(32), Op(0x87), Const64(int64(want)), Op(0x52), If(), Op(Unreachable), Op(End)) // shr_s, ne
	}
	good := func(name string, data map[uint32][]byte, body ...[]byte) Case {
		return Case{Name: name, Module: caller(data, body...), Grant: abi.Capabilities(), In: in}
	}
	lie := func(name string, data map[uint32][]byte, body ...[]byte) Case {
		c := good(name, data, body...)
		c.Refused = true
		return c
	}
	huge := abi.Ref{Addr: partsAddr, Len: math.MaxUint32}
	end := uint32(entriesEnd)
	plain := asks(abi.HTTPRequest{URL: url})
	return []Case{
		good("a request that is denied, whose reason is fetched", plain, request(requestAddr), status(abi.HTTPDenied), fetch(0x3000, size)),
		good("a request whose answer is not fetched, and another", plain, request(requestAddr), request(requestAddr), status(abi.HTTPDenied), fetch(0x3000, size)),
		good("a request without a URL", asks(abi.HTTPRequest{}), request(requestAddr), status(abi.HTTPInvalid), fetch(0x3000, size)),
		good("a request with a method that is none, and a body", asks(abi.HTTPRequest{URL: url, Method: url, Body: url, Timeout: -1}), request(requestAddr), status(abi.HTTPInvalid)),
		good("sleep for no time, and for less", nil, Const64(0), Call(importSleep), Const64(math.MinInt64), Call(importSleep)),
		lie("a request that is misaligned", plain, request(requestAddr+4)),
		lie("a request across the end of memory", plain, request(end-32)),
		lie("a request past the end of memory", plain, request(math.MaxUint32-7)),
		lie("a URL outside memory", asks(abi.HTTPRequest{URL: abi.Ref{Addr: end - 1, Len: 2}}), request(requestAddr)),
		lie("a method of 4 GiB", asks(abi.HTTPRequest{URL: url, Method: huge}), request(requestAddr)),
		lie("a body of 4 GiB", asks(abi.HTTPRequest{URL: url, Body: huge}), request(requestAddr)),
		lie("headers of 4 GiB", asks(abi.HTTPRequest{URL: url, Headers: huge}), request(requestAddr)),
		lie("headers of a request that are malformed", asks(abi.HTTPRequest{URL: url, Headers: abi.Ref{Addr: partsAddr + 18, Len: 8}}), request(requestAddr)),
		lie("an answer fetched without a request", plain, fetch(0x3000, Const(1))),
		lie("an answer of no bytes fetched without a request", plain, fetch(0x3000, Const(0))),
		lie("an answer fetched twice", plain, request(requestAddr), fetch(0x3000, size), fetch(0x3000, size)),
		lie("an answer fetched in part", plain, request(requestAddr), fetch(0x3000, Const(1))),
		lie("an answer fetched to outside memory", plain, request(requestAddr), fetch(end-1, size)),
		lie("an answer fetched to where its end wraps around", plain, request(requestAddr), fetch(math.MaxUint32, size)),
		lie("a line of 4 GiB", nil, Const(0), Const(0), Const(-1), Call(importLog)),
		lie("random bytes for 4 GiB", nil, Const(0), Const(-1), Call(importRandom)),
	}
}

// Indices of what callers import.
const importRequest, importResponse, importSleep, importLog, importRandom = 0, 1, 2, 3, 4

// caller is a guest that runs instructions in a call, with an i64 in local 1, and
// answers nothing.
func caller(data map[uint32][]byte, body ...[]byte) []byte {
	a := NewGuest(func(a *Asm) {
		a.Import(abi.ModuleWasmill, abi.ImportHTTPRequest, []byte{I32}, []byte{I64})
		a.Import(abi.ModuleWasmill, abi.ImportHTTPResponse, []byte{I32, I32}, nil)
		a.Import(abi.ModuleWasmill, abi.ImportSleep, []byte{I64}, nil)
		a.Import(abi.ModuleWasmill, abi.ImportLog, []byte{I32, I32, I32}, nil)
		a.Import(abi.ModuleWasmill, abi.ImportRandom, []byte{I32, I32}, nil)
	})
	for addr, content := range data {
		a.Data(addr, content)
	}
	a.Data(headerAddr, make([]byte, abi.OutHeaderSize))
	a.Func(abi.ExportProcess, []byte{I32}, []byte{I32}, []byte{I64}, slices.Concat(body...), Const(headerAddr))
	return a.Bytes()
}
