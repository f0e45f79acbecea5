package checkpoint

import "sync"

// tally counts the bytes of a checkpoint's parts, and reports them.
type tally struct {
	report func(done, total int64) // nil: nobody asks

	mu    sync.Mutex // guards the rest, and calls of report
	done  int64      // stored
	total int64      // known, and what is still expected of streams
	said  int64      // total of the last report
}

// expect adds bytes that will come, or takes back some that will not.
func (t *tally) expect(n int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.total += n
}

// stored counts bytes that were expected.
func (t *tally) stored(n int64) {
	if n == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.done += n
	t.say()
}

// end corrects the last report, if it was made with an estimate.
func (t *tally) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.said != t.total {
		t.say()
	}
}

func (t *tally) say() {
	t.said = t.total
	if t.report != nil {
		t.report(t.done, t.total)
	}
}
