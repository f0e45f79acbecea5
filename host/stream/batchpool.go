package stream

import "sync"

// Bounds of what a BatchPool keeps: bigger batches are left to the collector,
// so that one huge record does not pin its memory for ever.
const (
	maxPooledBatches = 256
	maxPooledArena   = 4 << 20
	maxPooledRecords = 64 << 10
)

// BatchPool recycles batches, so that a running pipeline allocates none. It is
// bounded, safe for concurrent use, and its zero value is ready.
type BatchPool struct {
	mu   sync.Mutex
	free []*Batch // guarded by mu
}

// New returns an empty batch. The caller owns it.
func (p *BatchPool) New() *Batch {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.free); n > 0 {
		b := p.free[n-1]
		p.free = p.free[:n-1]
		return b
	}
	return &Batch{Watermark: NoWatermark}
}

// Put takes ownership of a batch that nobody uses any more. Nil is allowed.
func (p *BatchPool) Put(b *Batch) {
	if b == nil || cap(b.arena) > maxPooledArena || cap(b.Records) > maxPooledRecords {
		return
	}
	b.Reset()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.free) < maxPooledBatches {
		p.free = append(p.free, b)
	}
}
