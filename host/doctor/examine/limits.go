package examine

import (
	"io/fs"
	"math"
	"os"
	"path"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"github.com/wasmill/wasmill/host/doctor"
)

// limits reads those of the process. Elsewhere than on Linux most are not known.
func limits(budget int64) *doctor.Limits {
	l := &doctor.Limits{Budget: budget, Procs: runtime.GOMAXPROCS(0)}
	var files syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files) == nil {
		l.Files = max(files.Cur, 1) // Go has raised it as far as it may
	}
	system := os.DirFS("/")
	l.Memory, l.CPUs = cgroup(system)
	l.Watches = numberIn(system, "proc/sys/fs/inotify/max_user_watches")
	l.Watcher = numberIn(system, "proc/sys/fs/inotify/max_user_instances")
	return l
}

// cgroup reads the least memory (bytes) and the fewest processors that the process and the
// groups around it may use; 0 = no limit, or none that is seen. See cgroups(7) and
// Documentation/admin-guide/cgroup-v2.rst of Linux.
func cgroup(system fs.FS) (memory int64, cpus float64) {
	text, err := fs.ReadFile(system, "proc/self/cgroup")
	if err != nil {
		return 0, 0
	}
	least := func(n int64) {
		if n > 0 && (memory == 0 || n < memory) {
			memory = n
		}
	}
	fewest := func(quota, period int64) {
		if quota > 0 && period > 0 {
			if n := float64(quota) / float64(period); cpus == 0 || n < cpus {
				cpus = n
			}
		}
	}
	for line := range strings.Lines(string(text)) {
		_, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, group, _ := strings.Cut(rest, ":")
		for g := path.Clean("/" + group); ; g = path.Dir(g) {
			switch {
			case controllers == "":
				at := path.Join("sys/fs/cgroup", g)
				least(amount(first(system, path.Join(at, "memory.max"), 0)))
				fewest(amount(first(system, path.Join(at, "cpu.max"), 0)), amount(first(system, path.Join(at, "cpu.max"), 1)))
			case controllers == "memory":
				least(amount(first(system, path.Join("sys/fs/cgroup/memory", g, "memory.limit_in_bytes"), 0)))
			case strings.Contains(controllers, "cpu"):
				at := path.Join("sys/fs/cgroup/cpu", g)
				fewest(amount(first(system, path.Join(at, "cpu.cfs_quota_us"), 0)), amount(first(system, path.Join(at, "cpu.cfs_period_us"), 0)))
			}
			if g == "/" {
				break
			}
		}
	}
	return memory, cpus
}

// first is a word of a file, by its number; empty = there is none.
func first(system fs.FS, name string, n int) string {
	text, err := fs.ReadFile(system, name)
	if words := strings.Fields(string(text)); err == nil && n < len(words) {
		return words[n]
	}
	return ""
}

// amount reads a limit; 0 = none, for which version 1 has a number near the largest.
func amount(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64/2 {
		return 0
	}
	return n
}

func numberIn(system fs.FS, name string) int { return int(amount(first(system, name, 0))) }
