package checkpoint

import (
	"context"
	"crypto/rand"
	"encoding/json"
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
	Process  string // unique to this process; "" stands for a random one
	Uploads  int    // data objects under way at once; 0: 2. So many and one more are in memory

	// Progress says how many bytes of the parts of a checkpoint are stored, of how
	// many. Calls come from any goroutine, one at a time, and must not block. It may be
	// nil.
	Progress func(e stream.Epoch, done, total int64)
}

// Info is what the manifest says besides the snapshots.
type Info struct {
	Reason          Reason
	Config          Config
	Align, Snapshot time.Duration
}

// Writer publishes the checkpoints of one generation. Its methods may be called at
// any time, but Write begins only after the one before has returned.
type Writer struct {
	config     WriterConfig
	layout     layout
	nonce      string
	encoder    *encoder
	generation Generation
	starts     int
	small      int64 // inlinePart
	now        func() time.Time

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
	encoder, err := newEncoder()
	if err != nil {
		return nil, err
	}
	return &Writer{
		config: c, layout: layout(c.Pipeline), nonce: rand.Text(), encoder: encoder, small: inlinePart, now: time.Now,
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

// publication is one call of Write.
type publication struct {
	w         *Writer
	epoch     stream.Epoch
	parent    *Manifest
	began     time.Time
	names     []string // that may be stored
	uncertain bool     // the record may be stored

	mu          sync.Mutex // guards done, and calls of Progress
	done, total int64
}

func (p *publication) run(ctx context.Context, info Info, snapshots []Snapshot) (*Manifest, error) {
	w := p.w
	m := &Manifest{
		Format: Format, Wasmill: w.config.Wasmill, Pipeline: w.config.Pipeline, Generation: w.generation,
		Epoch: p.epoch, Nonce: w.nonce, Created: p.began.UTC().Truncate(time.Millisecond),
		Reason: info.Reason, Config: info.Config,
	}
	if p.parent != nil {
		m.Parent = p.parent.Epoch
	}
	if err := p.upload(ctx, m, snapshots); err != nil {
		return nil, fmt.Errorf("upload epoch %d: %w", p.epoch, err)
	}
	m.Duration = Duration{Span(info.Align), Span(info.Snapshot), Span(w.now().Sub(p.began))}
	data, err := m.encode()
	if err != nil {
		return nil, err
	}
	name := w.layout.object(m.Name())
	p.names = append(p.names, name)
	if err := put(ctx, w.config.Store, name, data); err != nil {
		return nil, fmt.Errorf("store the manifest of epoch %d: %w", p.epoch, err)
	}
	if err := w.Owns(ctx); err != nil {
		return nil, err
	}
	return m, p.publish(ctx, record{
		Format: Format, Epoch: p.epoch, Generation: w.generation, Nonce: w.nonce,
		Manifest: m.Name(), Bytes: int64(len(data)), CRC32C: sumOf(data),
	})
}

// publish creates the record: the commit point.
func (p *publication) publish(ctx context.Context, r record) error {
	body, err := r.encode()
	if err != nil {
		return err
	}
	name := p.w.layout.record(p.epoch)
	outcome, found, err := create(ctx, p.w.config.Store, name, body)
	switch outcome {
	case ours:
		return nil
	case theirs:
		var other record
		_ = json.Unmarshal(found, &other)
		return fenced(name, fmt.Sprintf("epoch %d was published by generation %d, and this process has %d", p.epoch, other.Generation, p.w.generation))
	}
	p.uncertain = true
	return fmt.Errorf("publish epoch %d: %w", p.epoch, err)
}

// upload fills in vertices and objects of the manifest, and stores the objects.
func (p *publication) upload(ctx context.Context, m *Manifest, snapshots []Snapshot) error {
	m.Vertices = chain(p.parent, p.epoch, snapshots)
	m.Objects = carried(p.parent, m.Vertices)
	fresh, inline := split(m.Vertices, p.epoch)
	for _, s := range fresh {
		p.total += s.Bytes
	}
	m.Size.New = p.total

	up := newUploads(ctx, p.w.config.Uploads)
	pack := &packer{
		encoder: p.w.encoder, small: p.w.small, inline: inline, first: len(m.Objects),
		name: func(n int) string { return dataOf(p.w.generation, p.epoch, n) },
		full: func(o DataObject, data []byte, raw int64) error {
			name := p.w.layout.object(o.Name)
			p.names = append(p.names, name)
			return up.start(func(ctx context.Context) error { return p.store(ctx, name, data, raw) })
		},
	}
	err := p.pack(pack, fresh)
	if e := up.wait(); e != nil {
		err = e
	}
	m.Objects = append(m.Objects, pack.objects...)
	m.Size.Stored, m.Size.Total = pack.stored, totalBytes(m.Vertices)
	return err
}

func (p *publication) pack(pack *packer, fresh []*PartState) error {
	for _, s := range fresh {
		before := pack.inline
		if err := pack.add(s); err != nil {
			return err
		}
		p.progress(pack.inline - before)
	}
	return pack.flush()
}

// store uploads a data object with raw bytes of parts.
func (p *publication) store(ctx context.Context, name string, data []byte, raw int64) error {
	if err := put(ctx, p.w.config.Store, name, data); err != nil {
		return fmt.Errorf("store %s: %w", name, err)
	}
	p.progress(raw)
	return nil
}

func (p *publication) progress(n int64) {
	if n == 0 || p.w.config.Progress == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += n
	p.w.config.Progress(p.epoch, p.done, p.total)
}
