package checkpoint

// trigger begins a checkpoint if there is a reason to, and room.
func (c *Coordinator) trigger() {
	if c.over || len(c.flying) >= c.settings.MaxInFlight {
		return
	}
	reason := c.reason()
	if reason == "" {
		return
	}
	c.epoch++
	n := len(c.vertices)
	c.flying = append(c.flying, &flight{
		epoch: c.epoch, reason: reason, phase: PhaseAligning, began: c.clock,
		passed: make([]bool, n), done: make([]bool, n), barriers: n, snapshots: n,
	})
	c.counts.Triggered++
	c.wanted = false
	c.dirty = 0
	if reason != ReasonRetry {
		c.schedule(c.clock)
	}
	c.do(Trigger{c.epoch, reason, c.revision, c.choice})
}

// reason returns why a checkpoint should begin now, or none.
func (c *Coordinator) reason() Reason {
	failing := c.tries > 0
	switch {
	case c.stopping && (c.finalFlies() || failing && c.clock < c.retryAt):
		return ""
	case c.stopping:
		return ReasonFinal
	case c.wanted:
		return ReasonRequest
	case c.paused():
		return ""
	case c.clock >= c.due:
		return ReasonInterval
	case failing && len(c.flying) == 0 && c.clock >= c.retryAt:
		return ReasonRetry
	case !failing && c.settings.DirtyBytes > 0 && c.dirty >= c.settings.DirtyBytes:
		return ReasonDirty
	}
	return ""
}

// paused says that MinPause is not over.
func (c *Coordinator) paused() bool {
	return c.ended >= 0 && c.clock-c.ended < c.settings.MinPause
}

func (c *Coordinator) finalFlies() bool {
	for _, f := range c.flying {
		if f.reason == ReasonFinal {
			return true
		}
	}
	return false
}
