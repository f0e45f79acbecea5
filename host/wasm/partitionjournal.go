package wasm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/stream"
)

// JournalBytes is how much a journal holds, and one frame more.
const JournalBytes = 16 << 20

// journal is the frames that a guest has taken since its memory was copied, byte
// for byte: given to that copy they make it what the guest is.
type journal struct {
	frames []journalFrame
	data   []byte // of all frames
	took   time.Duration
}

// journalFrame is one of them. It goes where it lay, as it has addresses.
type journalFrame struct {
	arena   uint32 // address
	size    int
	records int
	entries uint32 // that the guest answered
}

// add keeps a frame that a guest is about to get.
func (j *journal) add(arena uint32, records int, data []byte) {
	j.frames = append(j.frames, journalFrame{arena: arena, size: len(data), records: records})
	j.data = append(j.data, data...)
}

// answered completes the last frame: the guest has taken it.
func (j *journal) answered(entries uint32, took time.Duration) {
	j.frames[len(j.frames)-1].entries = entries
	j.took += took
}

// cut leaves the first n frames.
func (j *journal) cut(n int) {
	for _, f := range j.frames[n:] {
		j.data = j.data[:len(j.data)-f.size]
	}
	j.frames = j.frames[:n]
}

// reset empties the journal, and keeps its memory unless that is a lot.
func (j *journal) reset() {
	j.cut(0)
	j.took = 0
	if cap(j.data) > 2*JournalBytes {
		j.data = nil
	}
}

// patience is how many times longer a frame may take when it is replayed.
const patience = 10

// replay gives a guest all frames again. What it answers is only counted.
func (j *journal) replay(ctx context.Context, i *instance) error {
	at := 0
	for k, f := range j.frames {
		entries, err := i.replay(ctx, &f, j.data[at:][:f.size])
		if err == nil && entries != f.entries {
			err = fmt.Errorf("it answered %d entries, and %d the first time", entries, f.entries)
		}
		if err != nil {
			return fmt.Errorf("call %d of %d: %w", k+1, len(j.frames), err)
		}
		at += f.size
	}
	return nil
}

// replay gives the guest a frame again and returns how many entries it answers.
func (i *instance) replay(ctx context.Context, f *journalFrame, data []byte) (entries uint32, err error) {
	if err := i.enter(ctx); err != nil {
		return 0, err
	}
	defer i.leave()
	i.clock.begin(ctx, time.Now(), patience*i.plugin.limits.deadline(f.records), i.plugin.limits.Fuel)
	defer i.clock.end()
	i.hostCalls, i.answer = 0, nil
	i.output.reset()
	if err := i.reserve(len(data)); err != nil {
		return 0, err
	}
	if i.arena != f.arena {
		return 0, errors.New("it has its input arena elsewhere")
	}
	copy(i.refresh()[i.arena:], data)
	i.stack[0] = uint64(i.arena)
	if err := i.process.CallWithStack(i.ctx, i.stack[:]); err != nil {
		return 0, i.failure(stream.GuestTrap, "trapped", err)
	}
	table, err := abi.OutTable(i.refresh(), uint32(i.stack[0]), f.records*i.plugin.limits.OutputPerRecord)
	return uint32(len(table) / abi.OutSize), err
}
