package checkpoint

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// WriterConfig says what a Writer writes to.
type WriterConfig struct {
	Store    Store
	Pipeline string
	Wasmill  string // the version of this binary
	Process  string // unique to this process, see ProcessOf; "" stands for a random one, which names no claimant
	Uploads  int    // data objects under way at once; 0: 2. So many and one more are in memory

	// Local says that the store is a disk of this machine. Nothing is compressed then:
	// that costs far more than to write it.
	Local bool

	// Progress says how many bytes of the parts of a checkpoint are stored, of how
	// many. That is an estimate while a Stream is read, never less than is stored; in
	// the last call for a checkpoint that has all its parts stored it is exact. Calls come
	// from any goroutine, one at a time, and must not block. It may be nil.
	Progress func(e stream.Epoch, done, total int64)
}

// localObject is the most bytes of a data object on a local disk: so many that files are
// few, and so few that most are written while the next one is filled.
const localObject = 16 << 20

// Info is what the manifest says besides the snapshots.
type Info struct {
	Reason          Reason
	Config          Config
	Align, Snapshot time.Duration
}

// Writer publishes the checkpoints of one generation. Its methods may be called at
// any time; of several Writes one runs, and the others wait for it to return.
type Writer struct {
	config     WriterConfig
	layout     layout
	nonce      string
	encoder    *encoder
	generation Generation
	starts     int
	small      int64 // inlinePart
	large      int   // MaxObject or localObject
	now        func() time.Time
	spare      sync.Pool // *[]byte, of data objects that are stored

	turn chan struct{} // held by Write

	mu     sync.Mutex // guards the rest
	parent *Manifest
	last   stream.Epoch              // that Write was called for
	litter map[stream.Epoch][]string // objects of those that failed and cannot be published any more
}

func newWriter(c WriterConfig) (*Writer, error) {
	if c.Uploads <= 0 {
		c.Uploads = 2
	}
	if c.Process == "" {
		c.Process = rand.Text()
	}
	if !validPart(c.Pipeline) {
		return nil, fmt.Errorf("BUG: %q is no name of a pipeline", c.Pipeline)
	}
	encoder, err := newEncoder(!c.Local)
	if err != nil {
		return nil, err
	}
	large := MaxObject
	if c.Local {
		large = localObject
	}
	return &Writer{
		config: c, layout: layout(c.Pipeline), nonce: rand.Text(), encoder: encoder, small: inlinePart, large: large, now: time.Now,
		turn: make(chan struct{}, 1), litter: make(map[stream.Epoch][]string),
	}, nil
}

// Close frees memory. Nobody uses the writer afterwards.
func (w *Writer) Close() { w.encoder.close() }

// Continue says what was restored: the checkpoint that the next one builds on, nil
// for none.
func (w *Writer) Continue(m *Manifest) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.parent = m
}

// Parent returns the checkpoint that the next one builds on, or nil.
func (w *Writer) Parent() *Manifest {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.parent
}

// Write publishes a checkpoint of all vertices; one without a snapshot is no longer
// part of the pipeline, and its state goes. Epochs ascend from call to call. When
// Write has returned the manifest, the checkpoint is durable and will be found.
//
// When ctx ends, so does Write, as soon as its requests to the store do, and the Stream
// that it reads: at the latest with the next part of that, as nothing else can end it.
// One that waits for another Write ends at once.
//
// After an error with ErrFenced below, another process has taken over. After any
// other, this checkpoint is given up; whether it is there can be unknown after all,
// if the store did not answer, and then it does no harm.
func (w *Writer) Write(ctx context.Context, e stream.Epoch, info Info, snapshots []Snapshot) (*Manifest, error) {
	select {
	case w.turn <- struct{}{}:
		defer func() { <-w.turn }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	parent, err := w.begin(e, snapshots)
	if err != nil {
		return nil, err
	}
	p := &publication{w: w, epoch: e, parent: parent, began: w.now()}
	if f := w.config.Progress; f != nil {
		p.tally.report = func(done, total int64) { f(e, done, total) }
	}
	m, err := p.run(ctx, info, snapshots)
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case err == nil:
		w.parent = m
	case !p.uncertain:
		w.litter[e] = p.names
	}
	return m, err
}

// begin checks what Write was given.
func (w *Writer) begin(e stream.Epoch, snapshots []Snapshot) (*Manifest, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	published := stream.Epoch(0)
	if w.parent != nil {
		published = w.parent.Epoch
	}
	if e <= max(w.last, published) {
		return nil, fmt.Errorf("BUG: epoch %d is written after epoch %d", e, max(w.last, published))
	}
	w.last = e
	seen := make(map[stream.VertexID]bool)
	for i := range snapshots {
		s := &snapshots[i]
		if err := s.check(); err != nil {
			return nil, err
		}
		if seen[s.Vertex] || s.Since > published {
			return nil, fmt.Errorf("BUG: the snapshot of %s is since epoch %d, where %d was published last, or there are two", s.Vertex, s.Since, published)
		}
		seen[s.Vertex] = true
	}
	return w.parent, nil
}

// Discard deletes what is left of a checkpoint that Write has given up, and nothing
// of one that may have been published. What it cannot delete is found by Collector.
func (w *Writer) Discard(ctx context.Context, e stream.Epoch) error {
	w.mu.Lock()
	names := w.litter[e]
	delete(w.litter, e)
	w.mu.Unlock()
	if len(names) == 0 {
		return nil
	}
	if err := w.config.Store.Delete(ctx, names...); err != nil {
		return fmt.Errorf("delete what is left of epoch %d: %w", e, err)
	}
	return nil
}
