//go:build !linux

package instance

import (
	"errors"
	"syscall"
)

// startOf says whether there is a process. When it began is not known without asking other
// programs: an owner is told from another process by its lock alone (see held).
func startOf(pid int) (start string, ok bool) {
	err := syscall.Kill(pid, 0)
	return "", err == nil || errors.Is(err, syscall.EPERM)
}

// bootID is not known: a lock that is free after a boot says as much.
func bootID() string { return "" }
