//go:build unix

package main

import (
	"runtime"
	"syscall"
)

// maxRSS is the most memory that the process has had resident, in bytes.
func maxRSS() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	if runtime.GOOS == "darwin" { // counts bytes, others KiB
		return int64(u.Maxrss)
	}
	return int64(u.Maxrss) << 10
}
