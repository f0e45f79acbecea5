//go:build wasm

package wasmill

import "unsafe"

// Capabilities are granted in the pipeline file, as in `grant: [log, clock, random]`. A
// plugin asks for one by calling its function here: what is not called is not imported.

// Levels of Log.
const (
	Debug, Info, Warn, Error int32 = 0, 1, 2, 3
)

// Log writes a line to the log of the host. It needs the capability log.
func Log(level int32, line string) {
	hostLog(level, unsafe.Pointer(unsafe.StringData(line)), uint32(len(line)))
}

// Now returns the wall clock in ns since 1970. It needs the capability clock.
func Now() int64 { return hostNow() }

// Random fills b with unpredictable bytes. It needs the capability random.
func Random(b []byte) { hostRandom(unsafe.Pointer(unsafe.SliceData(b)), uint32(len(b))) }

//go:wasmimport wasmill log
func hostLog(level int32, at unsafe.Pointer, length uint32)

//go:wasmimport wasmill now
func hostNow() int64

//go:wasmimport wasmill random
func hostRandom(at unsafe.Pointer, length uint32)
