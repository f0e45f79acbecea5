package examine

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestCgroupsAreRead(t *testing.T) {
	for _, c := range []struct {
		name   string
		files  map[string]string
		memory int64
		cpus   float64
	}{
		{"not Linux", nil, 0, 0},
		{"version 2 in a container", map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "1073741824\n", "sys/fs/cgroup/cpu.max": "150000 100000\n"}, 1 << 30, 1.5},
		{"version 2 without limits", map[string]string{"proc/self/cgroup": "0::/a.slice\n", "sys/fs/cgroup/a.slice/memory.max": "max\n", "sys/fs/cgroup/a.slice/cpu.max": "max 100000\n"}, 0, 0},
		{"the least of the groups around", map[string]string{"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "max\n", "sys/fs/cgroup/a/memory.max": "4096\n", "sys/fs/cgroup/memory.max": "8192\n", "sys/fs/cgroup/a/cpu.max": "400000 100000\n", "sys/fs/cgroup/cpu.max": "200000 100000\n"}, 4096, 2},
		{"version 1", map[string]string{"proc/self/cgroup": "5:memory:/d\n4:cpu,cpuacct:/d\n", "sys/fs/cgroup/memory/d/memory.limit_in_bytes": "9223372036854771712\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "4096\n", "sys/fs/cgroup/cpu/d/cpu.cfs_quota_us": "50000\n", "sys/fs/cgroup/cpu/d/cpu.cfs_period_us": "100000\n"}, 4096, 0.5},
		{"version 1 without limits", map[string]string{"proc/self/cgroup": "4:cpu,cpuacct:/\n", "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n"}, 0, 0},
		{"a group that leads out", map[string]string{"proc/self/cgroup": "0::/../../x\n", "sys/fs/cgroup/x/memory.max": "4096\n"}, 4096, 0},
		{"nonsense", map[string]string{"proc/self/cgroup": "::\n\nx\n0::/\n", "sys/fs/cgroup/memory.max": "", "sys/fs/cgroup/cpu.max": "1"}, 0, 0},
	} {
		system := fstest.MapFS{}
		for name, text := range c.files {
			system[name] = &fstest.MapFile{Data: []byte(text)}
		}
		if memory, cpus := cgroup(system); memory != c.memory || cpus != c.cpus {
			t.Errorf("%s: %d bytes and %v processors", c.name, memory, cpus)
		}
	}
}

func TestLimitsOfThisProcessAreKnown(t *testing.T) {
	if l := limits(5); l.Budget != 5 || l.Procs < 1 || l.Files < 16 {
		t.Errorf("they are %+v", l)
	}
}

func TestATwoHundredDigitLimitIsNone(t *testing.T) {
	if n := amount(strings.Repeat("9", 200)); n != 0 {
		t.Errorf("it is %d", n)
	}
}
