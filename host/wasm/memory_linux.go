package wasm

import "syscall"

const noReserve = syscall.MAP_NORESERVE
