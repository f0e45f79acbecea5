package instance

import "os"

// Owner names a process, so that another one with the same number is not taken for it.
type Owner struct {
	PID   int    `json:"pid"`
	Start string `json:"start"` // when it began, as the system tells it; empty = the system does not
	Boot  string `json:"boot"`  // the boot of the machine; empty = the system does not tell
}

// self is this process.
func self() Owner {
	start, _ := startOf(os.Getpid())
	return Owner{PID: os.Getpid(), Start: start, Boot: bootID()}
}

// lives says whether the process still runs, by what the system tells: boot is its boot
// now, and look says when a process began that runs now.
func (o Owner) lives(boot string, look func(pid int) (start string, ok bool)) bool {
	if o.PID <= 0 || o.Boot != boot {
		return false
	}
	start, ok := look(o.PID)
	return ok && start == o.Start
}

// alive is lives, now.
func (o Owner) alive() bool { return o.lives(bootID(), startOf) }

// signal sends a signal to the process, if it still runs. What is looked at first is held
// on to, where the system can, so that no other process gets it.
func (o Owner) signal(s os.Signal) error {
	p, err := os.FindProcess(o.PID)
	if err != nil {
		return err
	}
	defer p.Release()
	if !o.alive() {
		return os.ErrProcessDone
	}
	return p.Signal(s)
}
