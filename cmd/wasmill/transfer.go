package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"
)

// quick is how long a transfer takes that nobody has to be told of.
const quick = time.Second

// transfers are the restores and uploads of checkpoints that are under way, one of a
// pipeline at a time. It is safe for concurrent use.
type transfers struct {
	mu  sync.Mutex
	all []*transfer // guarded by mu
}

// transfer is one that was first heard of at a time, when first bytes were done.
type transfer struct {
	pipeline    string
	what        string
	began       time.Time
	first       int64
	done, total int64 // bytes
}

// note notes how far a transfer is.
func (t *transfers) note(pipeline, what string, done, total int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.IndexFunc(t.all, func(x *transfer) bool { return x.pipeline == pipeline })
	if i >= 0 && t.all[i].what == what {
		t.all[i].done, t.all[i].total = done, total
		return
	}
	began := &transfer{pipeline, what, time.Now(), done, done, total}
	if i >= 0 {
		t.all[i] = began
	} else {
		t.all = append(t.all, began)
	}
}

// end forgets what a pipeline transfers.
func (t *transfers) end(pipeline string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all = slices.DeleteFunc(t.all, func(x *transfer) bool { return x.pipeline == pipeline })
}

// slow returns those that take long enough to be told of, by pipeline.
func (t *transfers) slow() (all []transfer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, x := range t.all {
		if time.Since(x.began) >= quick {
			all = append(all, *x)
		}
	}
	slices.SortFunc(all, func(a, b transfer) int { return strings.Compare(a.pipeline, b.pipeline) })
	return all
}

// rate is in bytes/s, since it was first heard of.
func (t *transfer) rate() float64 { return float64(t.done-t.first) / time.Since(t.began).Seconds() }

// percent is rounded down; 100 if there is nothing to do.
func percent(done, total int64) float64 {
	if total <= 0 {
		return 100
	}
	return math.Floor(100 * float64(done) / float64(total))
}

// transferred tells bytes, percent and rate.
func transferred(done, total int64, rate float64) string {
	return fmt.Sprintf("%s of %s, %.0f %%, %s/s", humanBytes(float64(done)), humanBytes(float64(total)), percent(done, total), humanBytes(rate))
}
