package crash_test

import (
	"cmp"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
)

// steps stop the process at a step.
type steps struct {
	step   string
	nth    int
	signal syscall.Signal

	mu sync.Mutex // guards nth
}

// by says that the worker comes by a step, which may be the one where it stops.
func (s *steps) by(step string) {
	if step == "" || step != s.step {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.nth--; s.nth == 0 {
		s.stop()
	}
}

// ahead says that there is a step to come where the worker stops.
func (s *steps) ahead() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.step != "" && s.nth > 0
}

// stop notes the step and stops. It returns once the process goes on.
func (s *steps) stop() {
	if err := os.WriteFile(noteName, []byte(s.step+" of "+strconv.Itoa(os.Getpid())), 0o600); err != nil {
		panic(err)
	}
	goesOn := make(chan os.Signal, 1)
	signal.Notify(goesOn, syscall.SIGCONT)
	_ = syscall.Kill(os.Getpid(), cmp.Or(s.signal, syscall.SIGKILL))
	<-goesOn
}
