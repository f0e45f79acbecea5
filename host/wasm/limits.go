package wasm

// Limits bound what a plugin costs its host. All are positive.
type Limits struct {
	PluginBytes     int64 // size of the file
	Memory          int64 // linear memory of an instance, bytes; rounded down to pages
	OutputPerRecord int   // entries out per record in, over a frame
	RecordBytes     int   // key, value and headers of one record out
	OutputBytes     int   // bytes out of one frame, beyond what went in
}

// DefaultLimits are those of ABI.md §6.
func DefaultLimits() Limits {
	return Limits{
		PluginBytes:     64 << 20,
		Memory:          64 << 20,
		OutputPerRecord: 1000,
		RecordBytes:     1 << 20,
		OutputBytes:     16 << 20,
	}
}
