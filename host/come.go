package host

import (
	"context"
	"slices"
	"sync"

	"github.com/wasmill/wasmill/host/control"
	"github.com/wasmill/wasmill/host/control/durable"
	"github.com/wasmill/wasmill/host/control/revision"
)

// carryOut does what a verdict says. An error is why a pipeline does not begin.
func (h *Host) carryOut(ctx context.Context, v verdict, seats []*seat, why occasion) error {
	var s *seat
	if i := slices.IndexFunc(seats, func(s *seat) bool { p, _ := s.look(); return p.Name == v.name && !s.leaving }); i >= 0 {
		s = seats[i]
		s.gone = v.gone
		if s.file != v.file {
			h.move(s, v.file)
		}
	}
	switch {
	case v.begin, v.again:
		return h.begin(ctx, h.folder.find(v.file), s, why == opening)
	case v.reload:
		r := h.folder.find(v.file)
		if s.sum = r.sum; why != asked {
			_, _ = h.reloadOne(ctx, s, revision.File, r.again) // the error is told by ConfigRefused, and in the status
		}
	case v.leave:
		h.leave(s)
	}
	return nil
}

// begin runs the pipeline of a file, in the place of one that has ended, if instead is not
// nil.
func (h *Host) begin(ctx context.Context, r *read, instead *seat, first bool) error {
	o := h.options
	if !first { // what was said of the start was said of others
		o.Start, o.From = durable.Start{AllowDropped: o.Start.AllowDropped}, nil
	}
	s, err := h.open(ctx, r.c, r.File, o)
	switch {
	case err != nil && instead != nil:
		instead.sum = r.sum
		instead.say(err)
		if e := h.eventsOf(r.c.Name); e.ConfigRefused != nil {
			e.ConfigRefused(err)
		}
		return nil
	case err != nil:
		return err
	case first:
		h.crew.add(s, nil)
		return nil
	case instead != nil:
		_, c := instead.look()
		s.config.Revision = c.Revision
	}
	h.admit(s)
	start, ok := h.crew.add(s, instead)
	if !ok {
		p, _ := s.look()
		return p.Discard(ctx)
	}
	if e := h.eventsOf(r.c.Name); e.PipelineStarted != nil {
		e.PipelineStarted(r.Name)
	}
	start()
	return nil
}

// move notes that a pipeline is in another file.
func (h *Host) move(s *seat, file string) {
	p, _ := s.look()
	h.tell(p.Name, "its file is "+file+" now, and was "+s.file)
	s.file = file
	moved := *p
	moved.File = file
	s.set(&moved)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.config.File = file
}

// leave ends a pipeline that is in no file any more, and keeps what it has.
func (h *Host) leave(s *seat) {
	p, _ := s.look()
	s.leaving = true
	if e := h.eventsOf(p.Name); e.PipelineRemoved != nil {
		e.PipelineRemoved(s.file, h.data(p))
	}
	s.drain()
	s.mu.Lock()
	over := s.over
	s.mu.Unlock()
	if over {
		h.crew.remove(s)
		h.folder.wake()
	}
}

// data says where a pipeline has what it keeps.
func (h *Host) data(p *Pipeline) []string {
	all := control.Kept(p.Config, h.options.base(p.File))
	if h.options.Revisions {
		all = append(all, "revisions in "+Revisions(h.Settings, p.Name).Dir())
	}
	return all
}

// runSeat runs the pipeline of a seat, and lets go of it when it was to leave.
func (h *Host) runSeat(ctx context.Context, s *seat) error {
	var keeping sync.WaitGroup
	defer keeping.Wait()
	began, _ := s.look()
	keeping.Go(func() { h.keep(began.Name, nil, began.plugins) })
	scaling, end := context.WithCancel(context.WithoutCancel(ctx))
	keeping.Go(func() { began.Scaling.Run(scaling, s.suspends) })
	err := s.run(ctx)
	end()
	if h.folder == nil {
		return err
	}
	p, _ := s.look()
	if e := h.eventsOf(p.Name); e.PipelineEnded != nil {
		e.PipelineEnded(err)
	}
	if h.left(s) {
		err = nil // it was told
	}
	h.folder.wake()
	return err
}

// left lets go of a seat that has ended, if it was to leave.
func (h *Host) left(s *seat) bool {
	s.mu.Lock()
	leaving := s.draining
	s.mu.Unlock()
	if !leaving {
		return false
	}
	h.reloads.Lock()
	defer h.reloads.Unlock()
	if s.leaving {
		h.crew.remove(s)
	}
	return s.leaving
}
