//go:build !linux && !darwin

package control

// machineMemory returns the size of the machine's memory in bytes, 0 if it is
// not known.
func machineMemory() uint64 { return 0 }
