package notify

import (
	"context"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/wasmill/wasmill/host/stream"
)

// Service is this process for its manager. Any goroutine may use it.
type Service struct {
	send  func(state string)
	watch time.Duration // after which the manager ends a silent process; 0 = it does not

	mu       sync.Mutex
	ready    bool   // guarded by mu
	stopping bool   // guarded by mu
	status   string // guarded by mu; that was sent last
}

// How often Run looks.
const (
	lookStarting = 100 * time.Millisecond // until it is ready
	lookReady    = time.Second
)

// Open returns what tells the manager, nil if there is none. The error is a *stream.Error.
func Open() (*Service, error) {
	if os.Getenv("NOTIFY_SOCKET") == "" {
		return nil, nil
	}
	watch, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		return nil, &stream.Error{
			Code: stream.Environment, Where: "WATCHDOG_USEC", Why: "the time of the watchdog cannot be read", Err: err,
			Fix: "set WatchdogSec= in the unit, or start without NOTIFY_SOCKET and WATCHDOG_USEC",
		}
	}
	return &Service{watch: watch, send: func(state string) { _, _ = daemon.SdNotify(false, state) }}, nil
}

// Run tells of what look returns until ctx ends: whether nothing is waited for any more, and
// what there is to say. healthy returns when the process does what it should; if it does not
// return, the manager is told nothing, and ends the process if it watches it. After Run
// a call of it may still be under way.
func (s *Service) Run(ctx context.Context, look func() (ready bool, status string), healthy func()) {
	if s == nil {
		return
	}
	var pings <-chan time.Time
	if s.watch > 0 {
		t := time.NewTicker(s.watch / 2)
		defer t.Stop()
		pings = t.C
	}
	well := make(chan struct{}, 1) // a check has returned
	check := func() { healthy(); well <- struct{}{} }
	checking := false
	next := time.NewTimer(0)
	defer next.Stop()
	for {
		select {
		case <-next.C:
			s.tell(look())
			next.Reset(s.pace())
		case <-pings:
			if !checking {
				checking = true
				go check()
			}
		case <-well:
			checking = false
			s.send(daemon.SdNotifyWatchdog)
		case <-ctx.Done():
			return
		}
	}
}

func (s *Service) pace() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ready {
		return lookReady
	}
	return lookStarting
}

// tell sends what is new.
func (s *Service) tell(ready bool, status string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var lines []string
	if status != s.status {
		s.status = status
		lines = append(lines, "STATUS="+strings.NewReplacer("\n", "; ").Replace(status))
	}
	if ready && !s.ready && !s.stopping {
		s.ready = true
		lines = append(lines, daemon.SdNotifyReady)
	}
	if lines != nil {
		s.send(strings.Join(lines, "\n"))
	}
}

// Reload tells that the process reads its config again for as long as reload runs.
func (s *Service) Reload(reload func()) {
	if s == nil || !s.beginReload() {
		reload()
		return
	}
	reload()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopping {
		s.send(daemon.SdNotifyReady)
	}
}

// beginReload says whether the manager waits for the end of a reload: not before it was told
// that the process is ready.
func (s *Service) beginReload() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ready || s.stopping {
		return false
	}
	s.send(daemon.SdNotifyReloading + "\n" + daemon.SdNotifyMonotonicUsec())
	return true
}

// Stopping tells that the process ends. It may be called again.
func (s *Service) Stopping() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopping {
		s.stopping = true
		s.send(daemon.SdNotifyStopping)
	}
}
