package supervise

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// fake is a worker that ends as its script says.
type fake struct {
	lives time.Duration // 0 = until a signal
	exit  Exit
	ends  chan Exit
	log   func(string)
}

func (f *fake) pid() int { return 7 }

func (f *fake) signal(s os.Signal) {
	f.log("gets " + s.String())
	if f.lives == 0 {
		f.ends <- f.exit
	}
}

func (f *fake) wait() (Exit, error) {
	if f.lives > 0 {
		time.Sleep(f.lives)
		return f.exit, nil
	}
	return <-f.ends, nil
}

// story runs fakes one after the other and returns what happened, with the whole seconds
// since the start.
func story(t *testing.T, p Policy, during func(cancel func(), signals chan<- os.Signal), fakes ...*fake) (lines []string, exit Exit, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		log := func(text string) {
			lines = append(lines, fmt.Sprintf("%d: %s", int(time.Since(began).Seconds()), text))
		}
		signals := make(chan os.Signal)
		s := &supervisor{policy: p, signals: signals, events: Events{
			Started: func(attempt, pid int) { log(fmt.Sprintf("started %d as %d", attempt, pid)) },
			Exited: func(e Exit, again bool, in time.Duration) {
				log(fmt.Sprintf("%v, again %v", e, again))
				if again && (in < p.First/2 || in > p.Longest) {
					t.Errorf("a pause of %v", in)
				}
			},
			Failed: func(err error, _ time.Duration) { log(err.Error()) },
			GaveUp: func(string) { log("given up") },
		}}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if during != nil {
			go during(cancel, signals)
		}
		exit, err = s.run(ctx, func(attempt int) (worker, error) {
			f := fakes[attempt-1]
			if f == nil {
				return nil, errors.New("no fork")
			}
			f.log, f.ends = log, make(chan Exit, 9)
			return f, nil
		})
	})
	return lines, exit, err
}

// even makes all pauses last so that whole seconds tell them apart.
var even = Policy{First: time.Second, Longest: time.Second, Healthy: time.Hour, Most: 2, Window: time.Hour}

var crash = Exit{Code: stream.ExitInternal, Crash: true}

func TestAWorkerIsStartedAgain(t *testing.T) {
	lines, exit, err := story(t, even, nil, &fake{lives: 10 * time.Second, exit: crash}, nil, &fake{lives: time.Second})
	if err != nil || exit != (Exit{}) {
		t.Errorf("got %v, %v", exit, err)
	}
	if want := []string{"0: started 1 as 7", "10: crashed, again true", "started 3 as 7", "exited with 0, again false"}; len(lines) != 5 ||
		!strings.HasSuffix(lines[2], "no fork") || lines[0] != want[0] || lines[1] != want[1] || !strings.HasSuffix(lines[3], want[2]) || !strings.HasSuffix(lines[4], want[3]) {
		t.Errorf("got %q", lines)
	}
}

func TestAWorkerThatNeverStartedIsTheCallersError(t *testing.T) {
	if lines, _, err := story(t, even, nil, nil); err == nil || lines != nil {
		t.Errorf("got %v, %q", err, lines)
	}
}

func TestItIsGivenUp(t *testing.T) {
	var fakes []*fake
	for range 3 {
		fakes = append(fakes, &fake{lives: time.Second, exit: crash})
	}
	lines, exit, err := story(t, even, nil, fakes...)
	if exit != crash || stream.CodeOf(err) != stream.WorkerDied || !strings.Contains(err.Error(), "died 3 times within 1h0m0s") {
		t.Errorf("got %v, %v", exit, err)
	}
	if n := len(lines); n != 7 || !strings.HasSuffix(lines[n-1], "given up") || !strings.HasSuffix(lines[n-2], "crashed, again false") {
		t.Errorf("got %q", lines)
	}
}

func TestTheEndOfTheContextIsASignalAndFurtherOnesArePassedOn(t *testing.T) {
	stubborn := &fake{lives: 100 * time.Second, exit: Exit{Code: 143}}
	lines, exit, err := story(t, even, func(cancel func(), signals chan<- os.Signal) {
		time.Sleep(time.Second)
		signals <- syscall.SIGHUP
		time.Sleep(time.Second)
		cancel()
		time.Sleep(50 * time.Second) // it is waited for
		signals <- syscall.SIGTERM
	}, stubborn)
	want := []string{"0: started 1 as 7", "1: gets hangup", "2: gets terminated", "52: gets terminated", "100: exited with 143, again false"}
	if !slices.Equal(lines, want) || exit.Code != 143 || err != nil {
		t.Errorf("got %q, %v, %v\nwant %q", lines, exit, err, want)
	}
}

func TestNothingIsStartedAfterTheEnd(t *testing.T) {
	patient := even
	patient.First, patient.Longest = time.Hour, time.Hour
	for name, during := range map[string]func(cancel func(), signals chan<- os.Signal){
		"while it waits": func(cancel func(), signals chan<- os.Signal) {
			time.Sleep(time.Minute)
			signals <- syscall.SIGHUP // is nobody's
			cancel()
		},
		"as the worker dies of the signal": func(cancel func(), _ chan<- os.Signal) { cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			lines, exit, err := story(t, patient, during, &fake{lives: time.Second, exit: crash})
			if exit != crash || err != nil || !slices.ContainsFunc(lines, func(s string) bool { return strings.HasPrefix(s, "1: crashed") }) {
				t.Errorf("got %q, %v, %v", lines, exit, err)
			}
		})
	}
}
