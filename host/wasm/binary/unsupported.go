package binary

import "fmt"

// Unsupported is the error of a module that uses a proposal beyond
// WebAssembly 2.0 which the rewriter, or the runtime, does not know: its name.
type Unsupported string

func (feature Unsupported) Error() string {
	return "uses " + string(feature) + ", which is not supported"
}

// The proposals that show in types and sections.
const (
	exceptions      = Unsupported("exceptions")
	collection      = Unsupported("garbage collection")
	memory64        = Unsupported("memory64")
	threads         = Unsupported("threads")
	typedReferences = Unsupported("typed function references")
)

// ValueType reads the type of a value.
func (r *Reader) ValueType() ValueType {
	t := ValueType(r.Byte())
	switch {
	case r.err != nil, t >= 0x7b && t <= I32, t == 0x70, t == 0x6f:
	case t == 0x63, t == 0x64: // (ref null …), (ref …)
		r.Fail(typedReferences)
	case t == 0x69, t == 0x74: // exnref, nullexnref
		r.Fail(exceptions)
	case t >= 0x6a && t <= 0x73: // anyref and its subtypes
		r.Fail(collection)
	default:
		r.Fail(fmt.Errorf("type %#x at byte %d is not known", byte(t), r.pos-1))
	}
	return t
}

// HeapType reads what ref.null refers to, and forgets it.
func (r *Reader) HeapType() {
	if r.pos < len(r.data) && r.data[r.pos]&0x40 == 0 { // not negative: the index of a type
		r.Fail(typedReferences)
	}
	r.ValueType()
}
