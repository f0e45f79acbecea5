package host

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/wasmill/wasmill/host/admin"
	"github.com/wasmill/wasmill/host/control/phase"
	"github.com/wasmill/wasmill/host/control/revision"
	"github.com/wasmill/wasmill/host/pipeline"
)

// seat is the place of a pipeline in a host: generations of it take it, one after the
// other.
type seat struct {
	file    string    // guarded, with what is before mu, by Host.reloads
	content []byte    // of the file when it was last accepted
	sum     string    // of the file when it was last read by Host.survey
	gone    time.Time // since when no file is of the pipeline; zero = one is
	told    bool      // that it is gone
	leaving bool      // it ends because of that

	err     error            // how it ended; written by whoever runs it, before that ends
	missing map[string]error // plugin files, by name, that were told of; guarded by Host.reloads

	mu       sync.Mutex // guards the rest
	now      *Pipeline
	config   ConfigStatus
	asked    phase.Phase // wins over that of the file; empty = nothing does
	next     *handover   // asked for, and not begun
	draining bool        // there is to be no further generation
	over     bool        // there is none
	failed   error       // why the last one ended, once over; nil = it ended well
	taps     []*pipeline.Tap
}

// ConfigStatus says which config a pipeline runs with.
type ConfigStatus struct {
	File     string    `json:"file"`
	Revision uint64    `json:"revision"` // its number, from 1; 0 = none was ever accepted
	SHA256   string    `json:"sha256"`   // of the content of the file, hex
	Origin   string    `json:"origin"`   // of the revision: start, file or api
	Applied  time.Time `json:"applied"`
	Class    string    `json:"class,omitempty"` // of the last change
	Error    *string   `json:"error"`           // why the file is not in force as it is now; null = it is
}

// handover is from the generation that runs to another one.
type handover struct {
	next  *Pipeline
	again func() (*Pipeline, error) // makes what ran before, if the next one does not begin
	done  chan error                // has the outcome, once; of capacity 1
}

// errOver is why a generation does not begin.
var errOver = errors.New("the pipeline ends")

func newSeat(p *Pipeline, content []byte) *seat {
	return &seat{file: p.File, content: content, sum: revision.Sum(content), now: p, config: ConfigStatus{File: p.File}}
}

// look returns the generation that runs, and what is known of its config.
func (s *seat) look() (*Pipeline, ConfigStatus) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now, s.config
}

// collect gives the metrics of the generation that runs.
func (s *seat) collect(w *admin.Writer) {
	p, c := s.look()
	for _, collect := range p.collect {
		collect(w)
	}
	w = w.With("pipeline", p.Name)
	refused := 0.0
	if c.Error != nil {
		refused = 1
	}
	w.Gauge(admin.ConfigRevision, float64(c.Revision))
	w.Gauge(admin.ConfigRefused, refused)
}

// run runs generation after generation, until one ends by itself.
func (s *seat) run(ctx context.Context) error {
	p, _ := s.look()
	err := p.run(ctx)
	for h := s.take(ctx, err); h != nil; h = s.take(ctx, err) {
		err = s.follow(ctx, h)
	}
	return err
}

// take returns the handover that was asked for, nil if the pipeline ends here: it was
// told to, or err ended it.
func (s *seat) take(ctx context.Context, err error) *handover {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.next
	s.next = nil
	if h != nil && err == nil && !s.draining {
		return h
	}
	s.over, s.failed = true, err
	if h != nil {
		h.done <- errors.Join(errOver, h.next.Discard(context.WithoutCancel(ctx)))
	}
	return nil
}

// follow runs the next generation. If that does not begin, the one before goes on from
// where it was stopped.
func (s *seat) follow(ctx context.Context, h *handover) error {
	s.observe(h.next)
	ended := make(chan error, 1)
	go func() { ended <- h.next.run(ctx) }()
	var err error
	select {
	case <-h.next.Durable.Begun():
		s.set(h.next)
		h.done <- nil
		return <-ended
	case err = <-ended:
	}
	select {
	case <-h.next.Durable.Begun(): // and ended already
		s.set(h.next)
		h.done <- nil
		return err
	default:
	}
	h.done <- err
	if ctx.Err() != nil {
		return err
	}
	p, again := h.again()
	if again != nil {
		return errors.Join(err, again)
	}
	s.set(p)
	return p.run(ctx)
}

func (s *seat) set(p *Pipeline) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.SetTaps(s.taps)
	if s.now = p; s.draining {
		p.Drain()
	}
}

// hand asks for a handover, for which the generation that runs is stopped at a last
// checkpoint, and waits for its outcome.
func (s *seat) hand(ctx context.Context, h *handover) error {
	s.mu.Lock()
	if s.over || s.draining {
		s.mu.Unlock()
		return errors.Join(errOver, h.next.Discard(ctx))
	}
	s.next = h
	s.now.Drain()
	s.mu.Unlock()
	return <-h.done
}

// drain ends the sources, of the generation that runs and of one that follows.
func (s *seat) drain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draining = true
	s.now.Drain()
}
