package wasm

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"

	"github.com/wasmill/wasmill/host/stream"
)

// breathDir is a folder beside the compiled code.
const breathDir = "breath"

// A last-breath file has slots for instances: the hash of the plugin in hex, then
// a byte that is 1 while a guest runs.
const (
	breathHash  = 64
	breathSlot  = 128 // so that slots share no cache line
	breathSlots = 2048
)

// The files of a process in the folder of last breaths.
const (
	extBreath = ".breath"
	extCrash  = ".crash" // what Go's runtime says at the end
)

// breath is what a process leaves for the next one: which plugins are in a call,
// in a file that is mapped into memory, so that it outlives the process however
// that ends, for two stores per call. The file is locked while the process lives.
// A nil *breath has no slots.
type breath struct {
	file *os.File
	all  []byte // never unmapped, as a guest may outlive its engine

	mu   sync.Mutex
	free []int // offsets of slots; guarded by mu
}

// supervisedMark stands in the name of a file between what makes it the only one and how
// many deaths are held against a plugin before it is in quarantine.
const supervisedMark = "-of"

// deathsOf is how many deaths it takes, by the name of a file; 0 = nobody supervised.
func deathsOf(name string) int {
	_, text, _ := strings.Cut(strings.TrimSuffix(name, extBreath), supervisedMark)
	n, _ := strconv.Atoi(text)
	return max(0, n)
}

// openBreath makes the files of this process in a folder. deaths as for Watch.
func openBreath(dir string, deaths int) (*breath, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	b, mark := &breath{}, extBreath
	if deaths > 0 {
		mark = supervisedMark + strconv.Itoa(deaths) + extBreath
	}
	for b.file == nil { // another process may sweep a file before it is locked
		name := filepath.Join(dir, fmt.Sprintf("%d-%s%s", os.Getpid(), rand.Text(), mark))
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return nil, err
		}
		if err := errors.Join(lock(f, true), fill(f)); err != nil {
			return nil, errors.Join(err, f.Close(), os.Remove(name))
		}
		if sameFile(f, name) {
			b.file = f
		} else if err := f.Close(); err != nil {
			return nil, err
		}
	}
	var err error
	if b.all, err = mapFile(b.file, breathSlots*breathSlot); err != nil {
		return nil, errors.Join(err, b.close())
	}
	for k := range breathSlots {
		b.free = append(b.free, (breathSlots-1-k)*breathSlot)
	}
	return b, nil
}

// fill gives a file all of its blocks, so that no store needs a new one.
func fill(f *os.File) error {
	_, err := f.Write(make([]byte, breathSlots*breathSlot))
	return err
}

func sameFile(f *os.File, name string) bool {
	a, err := f.Stat()
	b, gone := os.Stat(name)
	return err == nil && gone == nil && os.SameFile(a, b)
}

// crash is the file for what Go's runtime says at the end.
func (b *breath) crash() string { return crashFile(b.file.Name()) }

func crashFile(breath string) string { return breath[:len(breath)-len(extBreath)] + extCrash }

// slot returns where an instance of a plugin says that its guest runs, and what
// gives the slot back. Where there is none left the instance goes unwatched.
func (b *breath) slot(hash string) (running *byte, free func()) {
	unwatched := func() (*byte, func()) { return &new([breathSlot]byte)[0], func() {} }
	if b == nil {
		return unwatched()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	n := len(b.free)
	if n == 0 {
		return unwatched()
	}
	at := b.free[n-1]
	b.free = b.free[:n-1]
	s := b.all[at:][:breathSlot]
	copy(s[:breathHash], hash)
	return &s[breathHash], func() {
		s[breathHash] = 0
		b.mu.Lock()
		b.free = append(b.free, at)
		b.mu.Unlock()
	}
}

// close removes the files: the process did not die.
func (b *breath) close() error {
	if b == nil {
		return nil
	}
	err := errors.Join(os.Remove(b.file.Name()), b.file.Close())
	if gone := os.Remove(b.crash()); !errors.Is(gone, os.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}

// Watch leaves word of the plugins that are in a call when a fatal error ends the
// process, so that the engine of another quarantines them. It does so through the
// process's crash output (debug.SetCrashOutput), of which there is one: call it
// for one engine of a process that runs pipelines, before the first Load. Without
// a cache on disk, and on systems without file locks, it does nothing.
//
// deaths is how many of them it takes if this process is started again after each; 0 = it
// is not: one is enough, or two if other plugins were in calls. What ends without a word of
// Go's runtime counts for nothing, such as by SIGKILL: who has asked for that, and who has
// used up the memory of the machine, is not told by who was in a call.
func (e *Engine) Watch(deaths int) error {
	if e.Uncached != nil {
		return nil
	}
	b, err := openBreath(filepath.Join(e.dir, breathDir), deaths)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return nil
	case err == nil:
		if err = setCrashOutput(b.crash()); err != nil {
			err = errors.Join(err, b.close())
		}
	}
	if err != nil {
		return &stream.Error{
			Code: stream.Environment, Where: e.dir, Why: "the files that tell which plugin took the process down cannot be made", Err: err,
			Fix: "set cache.dir (WASMILL_CACHE_DIR) to a folder on a local disk with room",
		}
	}
	e.breath = b
	return nil
}

func setCrashOutput(name string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(debug.SetCrashOutput(f, debug.CrashOptions{}), f.Close())
}

// unwatch ends Watch.
func (e *Engine) unwatch() error {
	if e.breath == nil {
		return nil
	}
	return errors.Join(debug.SetCrashOutput(nil, debug.CrashOptions{}), e.breath.close())
}
