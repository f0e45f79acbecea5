//go:build unix

package wasm

import "syscall"

// openFlags refuse symbolic links, and keep a named pipe from blocking.
const openFlags = syscall.O_NOFOLLOW | syscall.O_NONBLOCK
