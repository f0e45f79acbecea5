package abi

import (
	"bytes"
	"encoding/binary"
)

const headerPrefix = 8 // two u32 lengths

// AppendHeader adds one header to a header block.
func AppendHeader(block []byte, name string, value []byte) []byte {
	block = binary.LittleEndian.AppendUint32(block, uint32(len(name)))
	block = binary.LittleEndian.AppendUint32(block, uint32(len(value)))
	block = append(block, name...)
	return append(block, value...)
}

// NextHeader takes the first header off a block. It returns false at the end of
// the block and where the block is malformed; ValidHeaders tells these apart.
func NextHeader(block []byte) (name, value, rest []byte, ok bool) {
	if len(block) < headerPrefix {
		return nil, nil, nil, false
	}
	n := uint64(binary.LittleEndian.Uint32(block[0:]))
	v := uint64(binary.LittleEndian.Uint32(block[4:]))
	block = block[headerPrefix:]
	if n+v > uint64(len(block)) {
		return nil, nil, nil, false
	}
	return block[:n], block[n : n+v], block[n+v:], true
}

// ValidHeaders says whether a block can be read to its last byte.
func ValidHeaders(block []byte) bool {
	for len(block) > 0 {
		_, _, rest, ok := NextHeader(block)
		if !ok {
			return false
		}
		block = rest
	}
	return true
}

// LookupHeader returns the value of the first header with a name.
func LookupHeader(block []byte, name string) ([]byte, bool) {
	for {
		n, value, rest, ok := NextHeader(block)
		if !ok {
			return nil, false
		}
		if bytes.Equal(n, []byte(name)) {
			return value, true
		}
		block = rest
	}
}

// HeaderBytes returns how much of a block a header takes.
func HeaderBytes(name, value []byte) int { return headerPrefix + len(name) + len(value) }

// PutHeader writes a header to the start of dst, which has room for its HeaderBytes.
func PutHeader(dst, name, value []byte) {
	binary.LittleEndian.PutUint32(dst[0:], uint32(len(name)))
	binary.LittleEndian.PutUint32(dst[4:], uint32(len(value)))
	copy(dst[headerPrefix:], name)
	copy(dst[headerPrefix+len(name):], value)
}
