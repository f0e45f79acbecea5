package main

import (
	"os"
	"runtime"
	"strings"
	"syscall"
)

// machine is what diagnostics tell of where they were made.
type machine struct {
	OS      string            `json:"os"`
	Kernel  string            `json:"kernel,omitempty"`
	Arch    string            `json:"arch"`
	CPUs    int               `json:"cpus"`
	Memory  map[string]string `json:"memory,omitempty"` // as /proc/meminfo has it
	Disks   map[string]disk   `json:"disks"`            // by a folder on it
	Limits  map[string]limit  `json:"limits"`           // of processes that this one starts
	Cgroups map[string]string `json:"cgroups,omitempty"`
}

// disk is the room on one, in bytes.
type disk struct {
	Free  uint64 `json:"free"` // for this user
	Total uint64 `json:"total"`
}

// limit is one of getrlimit(2).
type limit struct {
	Soft uint64 `json:"soft"`
	Hard uint64 `json:"hard"`
}

// machineOf looks at this one, and at the disks that folders are on. What it does not tell is
// left out.
func machineOf(folders ...string) machine {
	m := machine{OS: runtime.GOOS, Kernel: firstOf("/proc/sys/kernel/osrelease"), Arch: runtime.GOARCH, CPUs: runtime.NumCPU(), Disks: map[string]disk{}, Limits: map[string]limit{}, Cgroups: map[string]string{}}
	for _, folder := range folders {
		var s syscall.Statfs_t
		if folder != "" && syscall.Statfs(folder, &s) == nil {
			m.Disks[folder] = disk{uint64(s.Bavail) * uint64(s.Bsize), s.Blocks * uint64(s.Bsize)}
		}
	}
	for name, which := range map[string]int{"open files": syscall.RLIMIT_NOFILE, "address space": syscall.RLIMIT_AS, "core": syscall.RLIMIT_CORE, "file size": syscall.RLIMIT_FSIZE} {
		var l syscall.Rlimit
		if syscall.Getrlimit(which, &l) == nil {
			m.Limits[name] = limit{uint64(l.Cur), uint64(l.Max)}
		}
	}
	for _, name := range []string{"memory.max", "memory.current", "cpu.max", "pids.max"} {
		if text := firstOf("/sys/fs/cgroup/" + name); text != "" {
			m.Cgroups[name] = text
		}
	}
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		m.Memory = map[string]string{}
		for line := range strings.Lines(string(text)) {
			name, value, _ := strings.Cut(line, ":")
			switch name {
			case "MemTotal", "MemAvailable", "SwapTotal", "SwapFree":
				m.Memory[name] = strings.TrimSpace(value)
			}
		}
	}
	return m
}

// firstOf is the first line of a file; empty = there is none.
func firstOf(name string) string {
	text, err := os.ReadFile(name)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return line
}
