//go:build !unix

package wasm

import "time"

func processorTime(start time.Time) time.Duration { return time.Since(start) }
