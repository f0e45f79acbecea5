package instance

import (
	"bytes"
	"os"
	"strconv"
	"strings"
)

// startOf says when a process began, in ticks since the boot; ok is false if there is none,
// or what is left of it only waits for its parent.
func startOf(pid int) (start string, ok bool) {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return "", false
	}
	return startIn(data)
}

// startIn reads /proc/PID/stat (proc_pid_stat(5)): the name, in brackets, may hold any
// characters; behind it come the state, which is the third field, and the others.
func startIn(stat []byte) (start string, ok bool) {
	const begin = 22 // the field starttime
	i := bytes.LastIndexByte(stat, ')')
	fields := strings.Fields(string(stat[i+1:]))
	if i < 0 || len(fields) <= begin-3 || fields[0] == "Z" || fields[0] == "X" {
		return "", false
	}
	return fields[begin-3], true
}

// bootID names the boot of the machine.
func bootID() string {
	data, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}
