package wasm

import "time"

// Limits bound what a plugin costs its host. All numbers are positive.
type Limits struct {
	PluginBytes     int64         // size of the file
	Memory          int64         // linear memory of an instance, bytes; rounded down to pages
	TableElements   uint64        // of each table of an instance
	CallDeadline    time.Duration // of one call, and of starting an instance
	OutputPerRecord int           // entries out per record in, over a frame
	RecordBytes     int           // key, value and headers of one record out
	OutputBytes     int           // bytes out of one frame, beyond what went in
	Unmetered       bool          // runs as it is: it cannot be interrupted
}

// DefaultLimits are those of ABI.md §6.
func DefaultLimits() Limits {
	return Limits{
		PluginBytes:     64 << 20,
		Memory:          64 << 20,
		TableElements:   100_000,
		CallDeadline:    10 * time.Second,
		OutputPerRecord: 1000,
		RecordBytes:     1 << 20,
		OutputBytes:     16 << 20,
	}
}
