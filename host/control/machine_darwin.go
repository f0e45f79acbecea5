package control

import (
	"encoding/binary"
	"syscall"
)

// machineMemory returns the size of the machine's memory in bytes, 0 if it is
// not known.
func machineMemory() uint64 {
	text, err := syscall.Sysctl("hw.memsize") // sysctl(3): 64 bits, of which a last byte of 0 is taken for the end of a text
	if err != nil || len(text) > 8 {
		return 0
	}
	var size [8]byte
	copy(size[:], text)
	return binary.LittleEndian.Uint64(size[:])
}
