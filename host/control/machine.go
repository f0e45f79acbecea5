package control

import "github.com/KimMachineGun/automemlimit/memlimit"

// machineMemory returns how much memory there is for this process, in bytes: that of the
// machine, or what its control group may have, as in a container, if that is less; 0 if
// neither is known.
func machineMemory() uint64 { return least(memlimit.FromSystem, memlimit.FromCgroup) }

// least is the smallest of those that are known, 0 = none is.
func least(all ...memlimit.Provider) (bytes uint64) {
	for _, of := range all {
		if n, err := of(); err == nil && n > 0 && (bytes == 0 || n < bytes) {
			bytes = n
		}
	}
	return bytes
}
