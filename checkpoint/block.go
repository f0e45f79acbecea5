package checkpoint

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"slices"

	"github.com/klauspost/compress/zstd"
)

// A data object, format 1: a head, then blocks.
//
//	object │ "wmck" │ format 4 B │ block │ block │ …
//	block  │ bytes 4 B │ stored bytes 4 B │ codec 4 B │ CRC-32C 4 B │ stored bytes
//
// Numbers are little-endian. Codec 0 stores the bytes as they are, 1 as one zstd
// frame. The CRC is of all of the block but itself. A block holds bytes of one part
// alone, at most blockBytes.
const (
	objectMagic = "wmck"
	objectHead  = 8
	blockHead   = 16
	blockBytes  = 1 << 20
)

const (
	codecNone uint32 = iota
	codecZstd
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func sumOf(data []byte) Sum { return Sum(crc32.Checksum(data, castagnoli)) }

// of returns the sum of what s is of, and data behind it.
func (s Sum) of(data []byte) Sum { return Sum(crc32.Update(uint32(s), castagnoli, data)) }

// encoder makes blocks, one at a time.
type encoder struct{ zstd *zstd.Encoder } // nil: bytes are stored as they are

func newEncoder(compress bool) (*encoder, error) {
	if !compress {
		return &encoder{}, nil
	}
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithAllLitEntropyCompression(true), zstd.WithWindowSize(blockBytes), zstd.WithEncoderCRC(false), zstd.WithLowerEncoderMem(true))
	return &encoder{z}, err
}

func (c *encoder) close() {
	if c.zstd != nil {
		_ = c.zstd.Close()
	}
}

// decoder decompresses blocks. Any goroutine may call it at any time.
type decoder struct{ zstd *zstd.Decoder }

// newDecoder takes the number of goroutines that decompress at once.
func newDecoder(limit int) (*decoder, error) {
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(limit), zstd.WithDecoderMaxMemory(blockBytes), zstd.WithDecoderMaxWindow(blockBytes), zstd.WithDecoderLowmem(true))
	return &decoder{z}, err
}

func (c *decoder) close() { c.zstd.Close() }

// startObject begins an object.
func startObject(dst []byte) []byte {
	return binary.LittleEndian.AppendUint32(append(dst, objectMagic...), Format)
}

// appendBlock adds a block of 1 to blockBytes bytes.
func (c *encoder) appendBlock(dst, data []byte) []byte {
	start := len(dst)
	dst = append(dst, make([]byte, blockHead)...)
	kind := codecNone
	if c.zstd != nil {
		kind = codecZstd
		dst = c.zstd.EncodeAll(data, dst)
	}
	if kind == codecNone || len(dst)-start-blockHead >= len(data) {
		kind = codecNone
		dst = append(dst[:start+blockHead], data...)
	}
	putHead(dst[start:], len(data), kind)
	return dst
}

// putHead fills in the head of a block of so many bytes.
func putHead(block []byte, size int, kind uint32) {
	binary.LittleEndian.PutUint32(block, uint32(size))
	binary.LittleEndian.PutUint32(block[4:], uint32(len(block)-blockHead))
	binary.LittleEndian.PutUint32(block[8:], kind)
	binary.LittleEndian.PutUint32(block[12:], blockSum(block))
}

// blockSum is the CRC-32C of a block's head without the sum, and its bytes.
func blockSum(block []byte) uint32 {
	return crc32.Update(crc32.Checksum(block[:blockHead-4], castagnoli), castagnoli, block[blockHead:])
}

// checkObject reads the head of an object.
func checkObject(name string, data []byte) error {
	if len(data) < objectHead || string(data[:4]) != objectMagic {
		return damaged(name, "it is no data object")
	}
	if format := binary.LittleEndian.Uint32(data[4:]); format > Format {
		return tooNew(name, int(min(format, math.MaxInt32)))
	} else if format < 1 {
		return damaged(name, "it has no format")
	}
	return nil
}

// readBlock appends the bytes of the block at the start of data, and returns what
// follows it.
func (c *decoder) readBlock(name string, dst, data []byte) (out, rest []byte, err error) {
	if len(data) < blockHead {
		return nil, nil, damaged(name, "a block is cut off")
	}
	size, stored := binary.LittleEndian.Uint32(data), binary.LittleEndian.Uint32(data[4:])
	if size == 0 || size > blockBytes || stored > size || uint64(stored) > uint64(len(data)-blockHead) {
		return nil, nil, damaged(name, "a block of %d bytes, stored in %d, is out of range", size, stored)
	}
	block, rest := data[:blockHead+stored], data[blockHead+stored:]
	if blockSum(block) != binary.LittleEndian.Uint32(block[12:]) {
		return nil, nil, damaged(name, "a block has not the sum that was written")
	}
	start := len(dst)
	switch kind := binary.LittleEndian.Uint32(block[8:]); kind {
	case codecNone:
		dst = append(dst, block[blockHead:]...)
	case codecZstd:
		// The decoder's limit counts what is in its destination already.
		dst = slices.Grow(dst, int(size))
		out, err := c.zstd.DecodeAll(block[blockHead:], dst[start:start])
		if err != nil {
			return nil, nil, damaged(name, "a block cannot be decompressed: %v", err)
		}
		dst = append(dst, out...) // which is there already
	default:
		return nil, nil, damaged(name, "a block has the unknown codec %d", kind)
	}
	if len(dst)-start != int(size) {
		return nil, nil, damaged(name, "a block has %d bytes instead of %d", len(dst)-start, size)
	}
	return dst, rest, nil
}
