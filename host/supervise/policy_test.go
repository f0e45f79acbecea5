package supervise

import (
	"syscall"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

var policy = Policy{First: time.Second, Longest: 10 * time.Second, Healthy: time.Minute, Most: 3, Window: time.Hour}

func TestWhatFollowsAnEnd(t *testing.T) {
	tests := []struct {
		name string
		exit Exit
		want verdict
	}{
		{"it ended well", Exit{}, ended},
		{"wasmill itself failed", Exit{Code: stream.ExitInternal}, again},
		{"Go's runtime ended it", Exit{Code: stream.ExitInternal, Crash: true}, again},
		{"what the user wrote is wrong", Exit{Code: stream.ExitInput}, ended},
		{"the store was not there", Exit{Code: stream.ExitEnvironment}, again},
		{"another writer took over", Exit{Code: stream.ExitFenced}, ended},
		{"a code that nobody knows", Exit{Code: 77}, again},
		{"a second SIGINT", Exit{Code: 130}, ended},
		{"a second SIGTERM", Exit{Code: 143}, ended},
		{"a SIGTERM that it did not catch", Exit{Code: 143, Signal: syscall.SIGTERM}, again},
		{"the system had no memory", Exit{Code: 137, Signal: syscall.SIGKILL}, again},
		{"native code was wrong", Exit{Code: 139, Signal: syscall.SIGSEGV}, again},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, got, _ := policy.next(state{}, tt.exit, time.Second, time.Now(), 0); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

// TestPausesGrow has the environment fail, which is never given up.
func TestPausesGrow(t *testing.T) {
	var s state
	now := time.Now()
	die := func(lived time.Duration, random float64) time.Duration {
		t.Helper()
		var what verdict
		var pause time.Duration
		if s, what, pause = policy.next(s, Exit{Code: stream.ExitEnvironment}, lived, now, random); what != again {
			t.Fatalf("got %d", what)
		}
		return pause
	}
	for k, want := range []time.Duration{1, 2, 4, 8, 10, 10, 10} {
		least, most := want*time.Second/2, want*time.Second
		before := s
		if got := die(0, 0); got != least {
			t.Errorf("pause %d is %v at least, want %v", k, got, least)
		}
		s = before
		if got := die(0, 0.999999); got <= most*9/10 || got > most {
			t.Errorf("pause %d is %v at most, want %v", k, got, most)
		}
	}
	if got := die(policy.Healthy-1, 0); got != 5*time.Second {
		t.Errorf("after less than a healthy time it is %v", got)
	}
	if got := die(policy.Healthy, 0); got != time.Second/2 {
		t.Errorf("after a healthy time it is %v", got)
	}
	if got := die(0, 0); got != time.Second {
		t.Errorf("after that it is %v", got)
	}
	for range 10_000 { // and does not overflow
		if got := die(0, 0.5); got < time.Second || got > policy.Longest {
			t.Fatalf("got %v", got)
		}
	}
}

func TestTooManyDeathsInAWindowAreGivenUp(t *testing.T) {
	var s state
	now := time.Now()
	crash := Exit{Code: stream.ExitInternal, Crash: true}
	die := func(e Exit, after time.Duration) verdict {
		var what verdict
		now = now.Add(after)
		s, what, _ = policy.next(s, e, after, now, 0)
		return what
	}
	steps := []struct {
		exit  Exit
		after time.Duration
		want  verdict
	}{
		{crash, 0, again},
		{crash, 30 * time.Minute, again}, // a healthy time makes the pause short and forgives nothing
		{crash, time.Second, again},
		{Exit{Code: stream.ExitEnvironment}, time.Second, again}, // does not count
		{crash, 30 * time.Minute, again},                         // the first is out of the window
		{crash, time.Second, givenUp},
	}
	for k, step := range steps {
		if got := die(step.exit, step.after); got != step.want {
			t.Errorf("death %d: got %d, want %d", k+1, got, step.want)
		}
	}
}
