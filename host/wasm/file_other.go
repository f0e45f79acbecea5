//go:build !unix

package wasm

const openFlags = 0
