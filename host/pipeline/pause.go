package pipeline

import (
	"context"

	"github.com/wasmill/wasmill/host/stream"
)

// Pause stops reading: sources stay open, what was read is still sent, and everything
// downstream goes on. A read under way is interrupted as a barrier does it. Barriers
// pass sources that are paused. Pause and Resume may be called at any time, also before
// Run, which then begins paused, and as often as one likes; neither waits.
//
// Event time stands still with the sources. None becomes idle by a pause, which would
// raise its watermark over records that it has yet to read, and the time of an idle
// timeout that was running begins anew with Resume: so others wait for a source that
// has nothing for at most that long after it. One that was idle before stays idle, and
// all are paused together, so that no source that is read waits for one that is not.
func (p *Pipeline) Pause() { p.setPaused(true) }

// Resume goes on reading after Pause.
func (p *Pipeline) Resume() { p.setPaused(false) }

func (p *Pipeline) setPaused(on bool) {
	p.pausing.Lock()
	defer p.pausing.Unlock()
	if p.paused == on {
		return
	}
	p.paused = on
	p.rouse()
	for _, s := range p.sources {
		s.interrupt(func() { s.paused = on })
	}
}

// rouse lets vertices that rest do what is left in a pause and at the end. It is called with
// pausing held.
func (p *Pipeline) rouse() {
	for _, t := range p.transforms {
		t.in.rouse(p.paused || p.progress.draining.Load())
	}
}

// await is a pause. It ends when something is asked for.
func (s *sourceLoop) await(ctx, read context.Context) error {
	s.hold(true)
	<-read.Done()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// hold lets the source not become idle, or begins the time after which it does.
func (s *sourceLoop) hold(on bool) {
	s.sends.Lock()
	defer s.sends.Unlock()
	if s.held == on {
		return
	}
	if s.held = on; !on && s.idle != nil {
		s.idle.Reset(s.time.IdleTimeout)
	}
}

// left says what a source has read that is not through or, without checkpoints, not
// acknowledged. With them that comes of the next one.
func (s *sourceLoop) left(l *Left) {
	s.mu.Lock()
	l.Moving, l.Paused = !s.still, s.still && s.paused && !s.stopped && !s.over
	s.mu.Unlock()
	next, settled := s.ledger.seqs()
	if !s.epochs.on {
		settled = min(settled, stream.Seq(s.ledger.acknowledged.Load()))
	}
	l.Unacked = int(next - settled)
}
