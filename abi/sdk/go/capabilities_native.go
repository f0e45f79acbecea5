//go:build !wasm

package wasmill

import (
	"crypto/rand"
	"log"
	"time"
)

// What follows stands in for the host in the tests of a plugin, see capabilities.go.

// Levels of Log.
const (
	Debug, Info, Warn, Error int32 = 0, 1, 2, 3
)

// Log writes a line to standard error.
func Log(level int32, line string) { log.Printf("level %d: %s", level, line) }

// Now returns the wall clock in ns since 1970.
func Now() int64 { return time.Now().UnixNano() }

// Random fills b with unpredictable bytes.
func Random(b []byte) { rand.Read(b) }
