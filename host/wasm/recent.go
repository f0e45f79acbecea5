package wasm

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// What is kept of recent records, in two halves.
const (
	recentRecords = 256
	recentBytes   = 1 << 20
	recentOfCall  = 32                     // the most that are taken of a call
	recentEvery   = 100 * time.Millisecond // how often something is taken, about
	recentStride  = 256                    // calls, at the most, that pass between
)

// recent keeps some of the records that came lately, for trying another version of a
// plugin on them. What it costs a call is one addition; now and then a call has its first
// records copied. It allocates nothing once its halves have grown.
type recent struct {
	left atomic.Int64 // calls that nothing is taken of, until something is

	mu     sync.Mutex // no call waits for it
	stride int64      // guarded by mu; calls from one of which something is taken to the next
	last   time.Time  // guarded by mu; when something was taken
	halves [2]half    // guarded by mu; the first is being filled, the other one was before it
}

// half is a part of what is kept, which is forgotten at once.
type half struct {
	stream.Batch
	most int // of records, in one of the calls
}

// full says whether there is no room for a record of so many bytes.
func (h *half) full(size int) bool {
	return h.Len() == recentRecords/2 || h.Bytes()+size > recentBytes/2
}

// see is told of each call before it is made, while the batch is the caller's alone.
func (r *recent) see(in *stream.Batch) {
	if r.left.Add(-1) < 0 && r.mu.TryLock() {
		r.take(in, time.Now())
		r.mu.Unlock()
	}
}

// take copies the first records of a call.
func (r *recent) take(in *stream.Batch, now time.Time) {
	for k := range min(in.Len(), recentOfCall) {
		one := &in.Records[k]
		size := int(one.Key.Len) + int(one.Value.Len) + int(one.Headers.Len)
		if one.Port > stream.MaxPort || size > recentBytes/2 {
			continue // it is no record that came, or too large to keep
		}
		if r.halves[0].full(size) {
			r.halves[0], r.halves[1] = r.halves[1], r.halves[0]
			r.halves[0].Reset()
			r.halves[0].most = 0
		}
		h := &r.halves[0]
		h.AppendFrom(in, k)
		h.Watermark = in.Watermark
		h.most = max(h.most, in.Len())
	}
	r.pace(now)
}

// pace says of which call something is taken next: of each until there is enough, then
// about every recentEvery, with no clock read for the calls between.
func (r *recent) pace(now time.Time) {
	took := now.Sub(r.last)
	r.last = now
	switch {
	case r.halves[1].Len() == 0:
		r.stride = 1
	case took < recentEvery/recentStride:
		r.stride = recentStride
	default:
		r.stride = max(1, min(r.stride*int64(recentEvery)/int64(took), recentStride))
	}
	r.left.Store(r.stride - 1)
}

// sample copies what there is, oldest first, and says how many records a call may have.
func (r *recent) sample() (all *stream.Batch, most int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	all = &stream.Batch{Watermark: r.halves[0].Watermark}
	all.AppendAll(&r.halves[1].Batch)
	all.AppendAll(&r.halves[0].Batch)
	return all, min(max(r.halves[0].most, r.halves[1].most, 1), recentOfCall)
}
