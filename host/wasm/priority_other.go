//go:build !unix || solaris || illumos || aix

package wasm

func lowerPriority() {}
