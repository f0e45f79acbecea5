package crash_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for anything: it only keeps a hang from lasting for ever.
const patience = 2 * time.Minute

// world is a folder with all that outlives workers, and the scenario of the next one.
type world struct {
	*testing.T
	scenario
	dir   string
	two   bool // workers ran at once
	fresh bool // Epoch is not the newest: what the sinks showed is taken back
}

// newWorld makes a small one.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, dir: t.TempDir(), scenario: scenario{
		Seed: 1, Keys: 12, PerKey: 100, Pace: 2 * time.Millisecond, Concurrency: 4, Interval: 20 * time.Millisecond, Retain: 3,
	}}
	if err := os.Mkdir(filepath.Join(w.dir, outName), 0o700); err != nil {
		t.Fatal(err)
	}
	return w
}

// running is a worker that runs.
type running struct {
	*exec.Cmd
	*world
	life  int
	said  bytes.Buffer
	ended chan struct{}
}

// start starts a worker, whose life is one more than the last.
func (w *world) start() *running {
	w.Helper()
	w.Life++
	return w.startAs(w.scenario)
}

func (w *world) startAs(s scenario) *running {
	w.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		w.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		w.Fatal(err)
	}
	p := &running{Cmd: exec.Command(exe), world: w, life: s.Life, ended: make(chan struct{})}
	p.Dir = w.dir
	p.Env = append(os.Environ(), workerVariable+"="+string(text))
	p.Stderr = &p.said
	held, err := p.StdinPipe()
	if err == nil {
		err = p.Start()
	}
	if err != nil {
		w.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = p.Wait()
		_ = held.(io.Closer).Close()
	}()
	w.Cleanup(func() {
		_ = p.Process.Kill()
		<-p.ended
	})
	return p
}

// exit waits for the end of a worker, and returns its exit code, -1 if it was killed.
func (p *running) exit() int {
	p.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		_ = p.Process.Signal(syscall.SIGQUIT)
		select {
		case <-p.ended:
		case <-time.After(patience):
		}
		p.Fatalf("life %d does not end:\n%s", p.life, p.said.String())
	}
	status, ok := p.ProcessState.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() && status.Signal() == syscall.SIGKILL {
		if p.said.Len() > 0 {
			p.Fatalf("life %d: %s", p.life, p.said.String())
		}
		return -1
	}
	return p.ProcessState.ExitCode()
}

// completes waits for a worker to come to the end of its source.
func (p *running) completes() {
	p.Helper()
	if code := p.exit(); code != 0 {
		p.Fatalf("life %d: exit %d: %s", p.life, code, p.said.String())
	}
}

// stops waits until a worker was killed, by itself, at a step.
func (p *running) stops(step string) {
	p.Helper()
	code := p.exit()
	note, _ := os.ReadFile(filepath.Join(p.dir, noteName))
	if want := step + " of " + strconv.Itoa(p.Process.Pid); code != -1 || string(note) != want {
		p.Fatalf("life %d: exit %d at %q, not killed at %q: %s", p.life, code, note, want, p.said.String())
	}
}

// until polls until what it asks for is so.
func (w *world) until(what string, ok func() bool) {
	w.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			all := w.entries()
			w.Fatalf("%s did not come; the last are %v", what, all[max(0, len(all)-20):])
		}
	}
}

// entries reads the ledger.
func (w *world) entries() []entry {
	w.Helper()
	all, err := readLedger(w.dir)
	if err != nil {
		w.Fatal(err)
	}
	return all
}

// happens waits until a life has noted something so many times.
func (w *world) happens(life int, verb string, times int) {
	w.Helper()
	w.until(strconv.Itoa(times)+" times "+verb, func() bool { return count(w.entries(), life, verb) >= times })
}

// seed returns SEED, or a random one, and prints it.
func seed(t *testing.T) *rand.Rand {
	n := rand.Uint64()
	if text := os.Getenv("SEED"); text != "" {
		var err error
		if n, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("SEED=%d", n)
	return rand.New(rand.NewPCG(n, 0))
}

// soak says whether tests may take long.
func soak() bool { return os.Getenv("SOAK") == "1" }

// signal sends a signal to a worker.
func (p *running) signal(s syscall.Signal) {
	p.Helper()
	if err := p.Process.Signal(s); err != nil {
		p.Fatal(err)
	}
}

// halts waits until a worker has stopped itself at a step, by SIGSTOP.
func (p *running) halts(step string) {
	p.Helper()
	want := step + " of " + strconv.Itoa(p.Process.Pid)
	p.until("a halt at "+step, func() bool {
		note, err := os.ReadFile(filepath.Join(p.dir, noteName))
		return err == nil && string(note) == want && p.halted()
	})
}

// halted says whether the system has stopped a process.
func (p *running) halted() bool {
	text, err := exec.Command("ps", "-o", "state=", "-p", strconv.Itoa(p.Process.Pid)).Output()
	if err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			p.Fatal(err)
		}
	}
	return strings.HasPrefix(string(bytes.TrimSpace(text)), "T")
}
