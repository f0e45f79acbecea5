package abitest

import (
	"slices"

	"github.com/wasmill/wasmill/abi"
)

// sideCases are guests that ask for side inputs, of which there are none here.
func sideCases(in []Record) []Case {
	name := slices.Concat(Const(nameAddr), Const(4))
	version := func(name ...[]byte) []byte { return slices.Concat(slices.Concat(name...), Call(0)) }
	read := func(parts ...[]byte) []byte { return slices.Concat(slices.Concat(parts...), Call(1)) }
	unless := func(op byte) []byte { return slices.Concat(Op(op), If(), Op(Unreachable), Op(End)) }
	none64 := slices.Concat(Const64(-1), unless(0x52)) // i64.ne
	none32 := slices.Concat(Const(-1), unless(0x47))   // i32.ne
	good := func(name string, body ...[]byte) Case {
		return Case{Name: name, Module: sided(body...), In: in}
	}
	lie := func(name string, body ...[]byte) Case {
		c := good(name, body...)
		c.Refused = true
		return c
	}
	const end = entriesEnd
	return []Case{
		good("a side input that there is not", version(name), none64, read(name, Const(readAddr), Const(64)), none32),
		good("a side input without a name, read to nowhere", version(Const(0), Const(0)), none64, read(Const(0), Const(0), Const(-1), Const(-1)), none32),
		lie("the version of a name across the end of memory", version(Const(end-1), Const(2)), Op(Drop)),
		lie("the version of a name of 4 GiB", version(Const(nameAddr), Const(-1)), Op(Drop)),
		lie("a side input whose name is past the end of memory", read(Const(-2), Const(4), Const(readAddr), Const(64)), Op(Drop)),
	}
}

// ImportSides adds side_version and side_read, functions 0 and 1 of a module.
func ImportSides(a *Asm) {
	a.Import(abi.ModuleWasmill, abi.ImportSideVersion, []byte{I32, I32}, []byte{I64})
	a.Import(abi.ModuleWasmill, abi.ImportSideRead, []byte{I32, I32, I32, I32}, []byte{I32})
}

// sided is a guest that runs instructions in a call and answers nothing.
func sided(body ...[]byte) []byte {
	a := NewGuest(ImportSides)
	a.Data(nameAddr, []byte("name"))
	a.Data(headerAddr, make([]byte, abi.OutHeaderSize))
	a.Func(abi.ExportProcess, []byte{I32}, []byte{I32}, nil, slices.Concat(body...), Const(headerAddr))
	return a.Bytes()
}
