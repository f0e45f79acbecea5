package checkpoint

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/stream"
)

// lingering is a store whose first try to store each data object fails, and goes on
// reading, as one does that hangs.
type lingering struct {
	*memory
	read map[string][2][]byte // what it reads, and what was there at first
}

func (l *lingering) Put(ctx context.Context, name string, data []byte) error {
	l.mu.Lock()
	_, again := l.read[name]
	if !again && strings.Contains(name, "/data-") {
		l.read[name] = [2][]byte{data, bytes.Clone(data)}
		l.mu.Unlock()
		return errAway
	}
	l.mu.Unlock()
	return l.memory.Put(ctx, name, data)
}

// TestNoMemoryIsUsedAgainThatAFailedTryReads takes checkpoints with other bytes.
func TestNoMemoryIsUsedAgainThatAFailedTryReads(t *testing.T) {
	s := &lingering{newMemory(), make(map[string][2][]byte)}
	w := claim(t, s)
	for e := range stream.Epoch(20) {
		write(t, w, e+1, snapshot("a", full("x", 0, 1, strings.Repeat(string(rune('a'+e)), 1<<20))))
	}
	if len(s.read) != 20 {
		t.Fatalf("%d objects", len(s.read))
	}
	for name, is := range s.read {
		if !bytes.Equal(is[0], is[1]) {
			t.Errorf("%s was written over", name)
		}
	}
}
