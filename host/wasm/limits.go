package wasm

import "time"

// Limits bound what a plugin costs its host. All numbers are positive unless
// said otherwise.
type Limits struct {
	PluginBytes     int64         // size of the file
	Memory          int64         // linear memory of an instance, bytes; rounded down to pages
	TableElements   uint64        // of all tables of an instance
	Stack           int64         // of calls in calls, bytes as package meter estimates them
	CallDeadline    time.Duration // of one call, and of starting an instance
	RecordDeadline  time.Duration // times the records of a call, a shorter deadline; 0 = none
	WaitDeadline    time.Duration // of all waiting of one call in functions of module wasmill
	Fuel            int64         // instructions of one call, in the units of package meter; 0 = no limit
	HostCalls       int           // of functions of module wasmill, in one call
	LogLines        int           // per second and vertex
	LogBytes        int           // of one line; the rest is cut off
	OutputPerRecord int           // entries out per record in, over a frame
	RecordBytes     int           // key, value and headers of one record out
	OutputBytes     int           // bytes out of one frame, beyond what went in
	Discards        int           // of instances in 10 s, from which on calls wait; 0 = never
	Unmetered       bool          // runs as it is: it cannot be interrupted
}

// deadline returns how long a call with n records may take.
func (l *Limits) deadline(n int) time.Duration {
	if l.RecordDeadline > 0 && l.RecordDeadline < l.CallDeadline/time.Duration(n) {
		return l.RecordDeadline * time.Duration(n)
	}
	return l.CallDeadline
}

// DefaultLimits are those of ABI.md §6.
func DefaultLimits() Limits {
	return Limits{
		PluginBytes:     64 << 20,
		Memory:          64 << 20,
		TableElements:   100_000,
		Stack:           8 << 20,
		CallDeadline:    10 * time.Second,
		WaitDeadline:    time.Minute,
		HostCalls:       1_000_000,
		LogLines:        100,
		LogBytes:        4 << 10,
		OutputPerRecord: 1000,
		RecordBytes:     1 << 20,
		OutputBytes:     16 << 20,
		Discards:        100,
	}
}
