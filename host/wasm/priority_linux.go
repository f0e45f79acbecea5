package wasm

import (
	"os"
	"strconv"
	"syscall"
)

// lowerPriority makes this process yield to others. In Linux each thread has a
// priority of its own, and gives it to those that it starts. Where it may not be
// lowered it stays.
func lowerPriority() {
	for before := 0; ; {
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil || len(threads) == before {
			return
		}
		before = len(threads)
		for _, thread := range threads {
			if id, err := strconv.Atoi(thread.Name()); err == nil {
				_ = syscall.Setpriority(syscall.PRIO_PROCESS, id, compileNice)
			}
		}
	}
}
