//go:build !linux

package instance

import "syscall"

// duplicate makes descriptor to another one of the file that from is.
func duplicate(from, to int) error { return syscall.Dup2(from, to) }
