//go:build unix

package wasm

import (
	"syscall"
	"time"
)

// processorTime returns how long this process, which has run since start, had a
// processor.
func processorTime(start time.Time) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return time.Since(start)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
