package supervise

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// reapAfter is how long an ended child is left to who started it.
const reapAfter = time.Second

// Reap takes in what ends as a child of this process without having been started by it,
// until ctx ends: that is what the first process of a container has to do for those whose
// parents are gone, or their remains pile up. Who starts a child has to wait for it at
// once: what has ended a second ago counts as nobody's. Elsewhere than in a first process it
// returns at once, as no process becomes its child.
func Reap(ctx context.Context) {
	if os.Getpid() == 1 {
		reap(ctx)
	}
}

func reap(ctx context.Context) {
	came := make(chan os.Signal, 1)
	signal.Notify(came, syscall.SIGCHLD)
	defer signal.Stop(came)
	seen := remains()
	for {
		if len(seen) == 0 {
			select {
			case <-ctx.Done():
				return
			case <-came:
				seen = remains()
				continue
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(reapAfter):
		}
		now := remains()
		for pid := range now {
			if seen[pid] {
				_, _ = syscall.Wait4(pid, nil, syscall.WNOHANG, nil)
				delete(now, pid)
			}
		}
		seen = now
	}
}

// remains lists the children that have ended and that nobody has waited for. Without /proc
// there are none.
func remains() map[int]bool {
	all := make(map[int]bool)
	own := strconv.Itoa(os.Getpid())
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		text, _ := os.ReadFile(name) // pid (name) state parent …, where the name may have anything
		if at := strings.LastIndexByte(string(text), ')'); at >= 0 {
			f := strings.Fields(string(text)[at+1:])
			if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name))); err == nil && len(f) > 1 && f[0] == "Z" && f[1] == own {
				all[pid] = true
			}
		}
	}
	return all
}
