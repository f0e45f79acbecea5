package instance

// State is where an instance is in its life. It is on the disk, and moves by events alone.
type State string

// The states.
const (
	Created  State = "created"  // its spec is saved, and nothing of it has run
	Starting State = "starting" // it has a keeper, and not all of it is ready
	Running  State = "running"  // all that its revision wants has been ready
	Pausing  State = "pausing"  // its sources are ended, and what they have read goes through
	Stopping State = "stopping" // nothing is read any more, and its processes end
	Stopped  State = "stopped"  // nothing of it runs, as was asked for or as its sources have ended
	Failed   State = "failed"   // nothing of it runs, and nobody asked for that
	Deleting State = "deleting" // it is being removed: only that can go on
)

// Event is what moves an instance from one state to another.
type Event string

// The events.
const (
	Start   Event = "start"   // a keeper takes it
	Ready   Event = "ready"   // all vertices and instances of its revision have reported
	Restart Event = "restart" // its worker has died, and another one follows
	Drain   Event = "drain"   // it was told to end
	Drained Event = "drained" // its worker has ended after that
	End     Event = "end"     // its processes have ended, as they should
	Fail    Event = "fail"    // its worker has ended, and another one would, too
	Lost    Event = "lost"    // its keeper is gone without having said why
	Delete  Event = "delete"  // it is to be removed
)

// next is the table of doc.go. ok is false where an event has no place in a state, which
// stays.
func next(s State, e Event) (to State, ok bool) {
	switch s {
	case Created, Stopped, Failed:
		switch e {
		case Start:
			return Starting, true
		case Delete:
			return Deleting, true
		}
	case Starting, Running:
		switch e {
		case Ready:
			return Running, s == Starting
		case Restart:
			return Starting, true
		case Drain:
			return Pausing, true
		case End:
			return Stopped, true
		case Fail:
			return Failed, true
		case Lost:
			return Failed, true
		}
	case Pausing:
		switch e {
		case Drained:
			return Stopping, true
		case Lost:
			return Failed, true
		}
	case Stopping:
		switch e {
		case End:
			return Stopped, true
		case Lost:
			return Failed, true
		}
	case Deleting:
		return Deleting, e == Delete
	}
	return s, false
}

// kept says whether a keeper has the instance in a state, as long as nothing went wrong.
func (s State) kept() bool {
	switch s {
	case Starting, Running, Pausing, Stopping:
		return true
	}
	return false
}

// known says whether it is a state at all.
func (s State) known() bool {
	switch s {
	case Created, Stopped, Failed, Deleting:
		return true
	}
	return s.kept()
}
