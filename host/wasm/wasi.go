package wasm

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/sys"
)

// wasi is what WASI has told a guest of time and chance. It tells every instance
// the same, so that guests are deterministic: a clock that starts in 2022 and
// moves with each reading, and random bytes from a fixed seed.
type wasi struct {
	wall, nano int64 // what the clocks say next, ns
	random     *rand.ChaCha8
}

const (
	wasiEpoch = 1_640_995_200_000_000_000 // the first of 2022, ns since 1970
	wasiTick  = int64(time.Millisecond)
)

func newWASI() wasi { return wasi{wall: wasiEpoch, random: rand.NewChaCha8([32]byte{})} }

// tell makes a module ask w. It stays where it is.
func (w *wasi) tell(c wazero.ModuleConfig) wazero.ModuleConfig {
	const resolution = sys.ClockResolution(wasiTick)
	wall := func() (sec int64, nsec int32) {
		now := tick(&w.wall)
		return now / 1e9, int32(now % 1e9)
	}
	nano := func() int64 { return tick(&w.nano) }
	return c.WithRandSource(w).WithWalltime(wall, resolution).WithNanotime(nano, resolution)
}

func tick(clock *int64) (now int64) {
	now = *clock
	*clock += wasiTick
	return now
}

// Read gives a guest random bytes. It takes whole numbers, so that w.random has no
// half of one left.
func (w *wasi) Read(p []byte) (n int, err error) {
	for rest := p; len(rest) > 0; {
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], w.random.Uint64())
		rest = rest[copy(rest, b[:]):]
	}
	return len(p), nil
}

// resume goes on where another instance was told what w.wall, w.nano and the binary
// form of w.random say.
func (w *wasi) resume(wall, nano int64, random []byte) error {
	if !bytes.HasPrefix(random, []byte("chacha8:")) { // else there may be half a number, or worse
		return errors.New("no state of random numbers")
	}
	w.wall, w.nano = wall, nano
	return w.random.UnmarshalBinary(random)
}
