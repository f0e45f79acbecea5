//go:build wasm

package wasmill

import "unsafe"

func sideVersion(name string) int64 {
	return hostSideVersion(unsafe.Pointer(unsafe.StringData(name)), uint32(len(name)))
}

// sideRead returns a value in buf, or in more memory if it has too little.
func sideRead(name string, buf []byte) []byte {
	for {
		n := hostSideRead(unsafe.Pointer(unsafe.StringData(name)), uint32(len(name)), unsafe.Pointer(unsafe.SliceData(buf)), uint32(cap(buf)))
		if int(n) <= cap(buf) {
			return buf[:n]
		}
		buf = make([]byte, n)
	}
}

//go:wasmimport wasmill side_version
func hostSideVersion(name unsafe.Pointer, length uint32) int64

//go:wasmimport wasmill side_read
func hostSideRead(name unsafe.Pointer, length uint32, to unsafe.Pointer, room uint32) int32
