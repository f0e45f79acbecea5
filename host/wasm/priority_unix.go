//go:build unix && !linux && !solaris && !illumos && !aix

package wasm

import "syscall"

// lowerPriority makes this process yield to others. Where it may not be lowered it
// stays.
func lowerPriority() { _ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, compileNice) }
