//go:build race

package nexmark_test

// raced says that the race detector slows everything down.
const raced = true
