package dir_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/checkpoint/dir"
)

// The test binary is also the other processes.
func TestMain(m *testing.M) {
	if folder := os.Getenv("STORE_FOLDER"); folder != "" {
		if err := other(folder, os.Getenv("STORE_WORK")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// other does work in a store until it is done or killed, and says what it has done.
func other(folder, work string) error {
	store, err := dir.Open(folder)
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		switch work {
		case "race":
			if n == names {
				return nil
			}
			name := fmt.Sprint("race/", n%3, "/", n)
			if err := store.Create(context.Background(), name, []byte(fmt.Sprint(os.Getpid()))); err == nil {
				fmt.Println(name)
			} else if err != checkpoint.ErrExists {
				return err
			}
		default:
			created, put := fmt.Sprint("created/", n/5, "/", os.Getpid(), "-", n), fmt.Sprint("put/", n%3)
			if err := store.Create(context.Background(), created, sealed()); err != nil {
				return err
			}
			fmt.Println(created)
			if err := store.Put(context.Background(), put, sealed()); err != nil {
				return err
			}
			fmt.Println(put)
		}
	}
}

const names = 60

// sealed returns an object of some length that tells whether it is whole.
func sealed() []byte {
	data := bytes.Repeat([]byte{byte(rand.Int())}, rand.IntN(200_000))
	sum := sha256.Sum256(data)
	return append(sum[:], data...)
}

func whole(data []byte) bool {
	if len(data) < sha256.Size {
		return false
	}
	sum := sha256.Sum256(data[sha256.Size:])
	return bytes.Equal(sum[:], data[:sha256.Size])
}

func process(t *testing.T, folder, work string) (*exec.Cmd, *heard) {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), "STORE_FOLDER="+folder, "STORE_WORK="+work)
	out := &heard{first: make(chan struct{})}
	c.Stdout, c.Stderr = out, os.Stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c, out
}

// heard is what a process has said. It can be read when the process has ended.
type heard struct {
	said  bytes.Buffer
	first chan struct{} // closed when it has said something
}

func (h *heard) Write(text []byte) (int, error) {
	if h.said.Len() == 0 {
		close(h.first)
	}
	return h.said.Write(text)
}

func (h *heard) lines() (lines []string) {
	for s := bufio.NewScanner(&h.said); s.Scan(); {
		lines = append(lines, s.Text())
	}
	return lines
}

func TestOfRacingProcessesExactlyOneCreates(t *testing.T) {
	folder := t.TempDir()
	var racers []*exec.Cmd
	var outs []*heard
	for range 4 {
		c, out := process(t, folder, "race")
		racers, outs = append(racers, c), append(outs, out)
	}
	winner := map[string]string{}
	for i, c := range racers {
		if err := c.Wait(); err != nil {
			t.Fatal(err)
		}
		for _, name := range outs[i].lines() {
			if winner[name] != "" {
				t.Errorf("%s was created twice", name)
			}
			winner[name] = fmt.Sprint(c.Process.Pid)
		}
	}
	if len(winner) != names {
		t.Errorf("%d of %d names were created", len(winner), names)
	}
	store := open(t, folder)
	for name, pid := range winner {
		if data, err := store.Get(t.Context(), name); string(data) != pid {
			t.Errorf("%s holds %q, %v, and %s won", name, data, err, pid)
		}
	}
}

func TestAKilledProcessLeavesOnlyWholeObjects(t *testing.T) {
	folder := t.TempDir()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	said, kills := 0, 0
	for range 15 {
		c, out := process(t, folder, "write")
		select { // however long it takes to start
		case <-out.first:
		case <-time.After(time.Minute):
		}
		time.Sleep(time.Duration(random.IntN(150)) * time.Millisecond)
		c.Process.Kill()
		c.Wait()
		if !strings.Contains(c.ProcessState.String(), "killed") {
			t.Fatalf("the process ended by itself: %s", c.ProcessState)
		}
		kills++
		store := open(t, folder)
		for _, name := range out.lines() {
			said++
			if _, err := store.Get(t.Context(), name); err != nil {
				t.Errorf("%s was stored, and: %v", name, err)
			}
		}
		for o, err := range store.List(t.Context(), "") {
			if err != nil {
				t.Fatal(err)
			}
			if data, err := store.Get(t.Context(), o.Name); err != nil || !whole(data) {
				t.Errorf("%s has %d bytes and is not whole: %v", o.Name, len(data), err)
			}
		}
	}
	if said < 15 {
		t.Errorf("%d objects were stored before %d kills, too few to say anything", said, kills)
	}
}
