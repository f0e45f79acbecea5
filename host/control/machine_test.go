package control

import (
	"testing"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

func TestMemoryIsTheLeastThatIsKnown(t *testing.T) {
	unknown := memlimit.Provider(func() (uint64, error) { return 7, memlimit.ErrNoLimit })
	for name, c := range map[string]struct {
		all  []memlimit.Provider
		want uint64
	}{
		"a container":              {[]memlimit.Provider{memlimit.Limit(64), memlimit.Limit(2)}, 2},
		"a limit above what is":    {[]memlimit.Provider{memlimit.Limit(64), memlimit.Limit(100)}, 64},
		"no limit":                 {[]memlimit.Provider{memlimit.Limit(64), unknown}, 64},
		"nothing but a limit":      {[]memlimit.Provider{unknown, memlimit.Limit(2)}, 2},
		"zero, which is no amount": {[]memlimit.Provider{memlimit.Limit(0), memlimit.Limit(2)}, 2},
		"nothing":                  {[]memlimit.Provider{unknown, unknown}, 0},
	} {
		if got := least(c.all...); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	if n := machineMemory(); n < 16<<20 {
		t.Errorf("%d bytes here", n)
	}
}
