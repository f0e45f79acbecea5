package file_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/connector/file"
	"github.com/wasmill/wasmill/host/stream"
)

// The process that is killed is this test binary with workerVariable set.
const workerVariable = "WASMILL_TEST_FILE_WORKER"

// order is what a worker has to do.
type order struct {
	Dir      string // of the output and, in "store", of what it published
	Mode     int    // index into transactional
	Lines    int    // to be written in all
	Seed     uint64
	Step     string // to be killed at, the nth time it comes
	Nth      int
	Earlier  bool // begin with the checkpoint before the last
	Throttle time.Duration
}

// published is a checkpoint of a worker.
type published struct {
	Epoch  uint64
	Next   int
	Commit []byte
}

func TestMain(m *testing.M) {
	if text := os.Getenv(workerVariable); text != "" {
		var o order
		err := json.Unmarshal([]byte(text), &o)
		if err == nil {
			err = o.work()
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func (o *order) settings() file.SinkConfig {
	test := transactional[o.Mode]
	return sinkSettings(filepath.Join(o.Dir, "out", test.path), test.change, func(c *file.SinkConfig) {
		c.BufferBytes = 4 << 10
		if c.Roll.Size > 1 {
			c.Roll.Size = 200_000
		}
	})
}

func workerLine(i int) string { return fmt.Sprintf("%06d %s", i, strings.Repeat("x", i%100)) }

// work goes on from the last checkpoint until all lines are written.
func (o *order) work() error {
	store := filepath.Join(o.Dir, "store")
	var checkpoints []published
	if text, err := os.ReadFile(store); err == nil {
		if err := json.Unmarshal(text, &checkpoints); err != nil {
			return err
		}
	}
	if o.Earlier && len(checkpoints) > 1 {
		checkpoints = checkpoints[:len(checkpoints)-1]
		if err := publish(store, checkpoints); err != nil {
			return err
		}
	}
	now := published{}
	var commits [][]byte
	if n := len(checkpoints); n > 0 {
		now = checkpoints[n-1]
		commits = append(commits, now.Commit)
	}
	ctx := context.Background()
	sink := file.NewSink(o.settings())
	random := rand.New(rand.NewPCG(o.Seed, 1))
	sink.Between(o.kill, nil)
	if err := errors.Join(sink.Open(ctx), sink.Recover(ctx, commits)); err != nil {
		return err
	}
	for now.Next < o.Lines {
		for range random.IntN(20) {
			var b stream.Batch
			for range min(random.IntN(300), o.Lines-now.Next) {
				b.Append(1, nil, []byte(workerLine(now.Next)), nil)
				now.Next++
			}
			if err := sink.Write(ctx, &b); err != nil {
				return err
			}
		}
		time.Sleep(o.Throttle)
		now.Epoch++
		var err error
		if now.Commit, err = sink.Prepare(ctx, stream.Epoch(now.Epoch)); err != nil {
			return err
		}
		if random.IntN(4) == 0 && now.Next < o.Lines {
			continue // the checkpoint is given up
		}
		checkpoints = append(checkpoints[max(0, len(checkpoints)-3):], now)
		o.kill("publish")
		err = publish(store, checkpoints)
		o.kill("commit")
		if err == nil {
			err = sink.Commit(ctx, now.Commit)
		}
		if err != nil {
			return err
		}
	}
	o.kill("close")
	return sink.Close()
}

func publish(store string, checkpoints []published) error {
	text, err := json.Marshal(checkpoints)
	if err == nil {
		err = os.WriteFile(store+".new", text, 0o600)
	}
	if err == nil {
		err = os.Rename(store+".new", store)
	}
	return err
}

// kill ends the process at the step that was ordered.
func (o *order) kill(step string) error {
	if step == o.Step {
		if o.Nth--; o.Nth <= 0 {
			if p, err := os.FindProcess(os.Getpid()); err == nil {
				p.Kill()
			}
			select {}
		}
	}
	return nil
}

// run runs a worker, for a time if it is not 0, and says whether it was killed.
func (o order) run(t *testing.T, limit time.Duration) (killed bool) {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), workerVariable+"="+string(text))
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if limit > 0 {
		timer := time.AfterFunc(limit, func() { cmd.Process.Kill() })
		defer timer.Stop()
	}
	err = cmd.Wait()
	if err == nil {
		return false
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == -1 && said.Len() == 0 {
		return true
	}
	t.Fatalf("%+v: %v: %s", o, err, said.String())
	return false
}

// verify makes sure that what readers see is a beginning of all lines, or all.
func (o order) verify(t *testing.T, all bool) {
	t.Helper()
	if transactional[o.Mode].path == "out" && !all {
		// A single file may end in a half line while a commit is under way.
		got := content(filepath.Join(o.Dir, "out", "out"))
		for i := 0; got != "" && got != "no file"; i++ {
			want := workerLine(i) + "\n"
			if !strings.HasPrefix(got, want) && !strings.HasPrefix(want, got) {
				t.Fatalf("%+v: line %d is %.30q", o, i, got)
			}
			got = got[min(len(want), len(got)):]
		}
		return
	}
	lines := shown(t, filepath.Join(o.Dir, "out"))
	for i, line := range lines {
		if line != workerLine(i) {
			t.Fatalf("%+v: line %d is %.30q", o, i, line)
		}
	}
	if all && len(lines) != o.Lines {
		t.Fatalf("%+v: %d lines, want %d", o, len(lines), o.Lines)
	}
	if all {
		for _, left := range hiddenFiles(t, filepath.Join(o.Dir, "out")) {
			t.Errorf("%+v: left behind: %s", o, left)
		}
	}
}

func hiddenFiles(t testing.TB, dir string) (paths []string) {
	t.Helper()
	entries, err := filepath.Glob(filepath.Join(dir, ".*.wasmill", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

func newOrder(t *testing.T, mode int, seed uint64) order {
	o := order{Dir: t.TempDir(), Mode: mode, Lines: 12_000, Seed: seed}
	if err := os.Mkdir(filepath.Join(o.Dir, "out"), 0o700); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestAKillAtAnyStepLosesAndDoublesNothing(t *testing.T) {
	var mu sync.Mutex
	hit := map[string]bool{}
	steps := []string{"create", "prepare: sync", "prepare: sync folder", "publish", "commit", "commit: rename", "commit: renamed",
		"commit: copy", "commit: sync", "commit: remove", "recover: remove", "recover: cut", "recover: hide", "close"}
	t.Run("at", func(t *testing.T) {
		for mode, test := range transactional[:4] {
			for i, step := range steps {
				t.Run(step+", "+test.name, func(t *testing.T) {
					t.Parallel()
					o := newOrder(t, mode, uint64(i))
					recovering := strings.HasPrefix(step, "recover")
					o.Step, o.Nth = step, 1+i%3
					if recovering {
						o.Step, o.Nth = "commit: remove", 3
						if test.path != "out" {
							o.Step = "commit: renamed"
						}
						o.run(t, 0)
						o.verify(t, false)
						o.Step, o.Nth, o.Earlier = step, 1, true
						if step == "recover: remove" {
							o.Earlier = test.path != "out"
						}
					}
					for range 2 { // the second time perhaps in what the first one left
						o.Seed++
						if o.run(t, 0) {
							mu.Lock()
							hit[step] = true
							mu.Unlock()
						}
						o.verify(t, false)
						o.Nth = 1
						if recovering {
							break
						}
					}
					o.Step, o.Earlier = "", false
					o.run(t, 0)
					o.verify(t, true)
				})
			}
		}
	})
	for _, step := range steps {
		if !hit[step] {
			t.Errorf("no worker was killed at %q", step)
		}
	}
}

func TestKillsAtAnyTimeLoseAndDoubleNothing(t *testing.T) {
	seed := rand.Uint64()
	if text := os.Getenv("SEED"); text != "" {
		seed, _ = strconv.ParseUint(text, 10, 64)
	}
	t.Logf("SEED=%d", seed)
	for mode, test := range transactional[:4] {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, uint64(mode)))
			o := newOrder(t, mode, seed)
			o.Lines, o.Throttle = 60_000, 5*time.Millisecond // far more than one of them gets to
			killed := 0
			for range 20 {
				o.Seed++
				if o.run(t, time.Duration(20+random.IntN(60))*time.Millisecond) {
					killed++
				}
				o.verify(t, false)
			}
			o.run(t, 0)
			o.verify(t, true)
			if killed == 0 {
				t.Error("no worker was killed")
			}
		})
	}
}
