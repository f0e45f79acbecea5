package instance

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/wasmill/wasmill/host"
)

// Seen is what there is to see of an instance.
type Seen struct {
	Name     string          `json:"name"`
	State    State           `json:"state"`
	Since    time.Time       `json:"since"`
	Reason   string          `json:"reason,omitempty"`
	Ready    bool            `json:"ready"`
	Progress *host.Readiness `json:"progress,omitempty"` // nil = no worker has reported
	PID      int             `json:"pid,omitempty"`      // of the keeper
	Worker   int             `json:"worker_pid,omitempty"`
	Revision uint64          `json:"revision"`
	Pipeline string          `json:"pipeline"` // the file that is in force, and may be edited
	From     string          `json:"from"`     // the file that it was copied from
	Data     string          `json:"data"`
	Log      string          `json:"log"`
	Admin    string          `json:"admin,omitempty"`  // where its worker can be asked
	Stores   []string        `json:"stores,omitempty"` // of its checkpoints
	Created  time.Time       `json:"created"`
	Version  string          `json:"version"`           // of the wasmill that created it
	Binary   Binary          `json:"binary"`            // that it runs with
	Upgrade  *Binary         `json:"upgrade,omitempty"` // that is to take over, and is not ready yet
}

// See looks at an instance. One whose keeper is gone without a word has failed, also if
// nobody has put that down yet.
func (i *Instance) See() (Seen, error) {
	r, err := i.Record()
	if err != nil {
		if _, gone := os.Stat(i.dir); errors.Is(gone, fs.ErrNotExist) {
			err = i.home.unknown(i.Name)
		}
		return Seen{Name: i.Name}, err
	}
	s := Seen{
		Name: i.Name, State: r.State, Since: r.Since, Reason: r.Reason, Revision: r.Revision, Stores: r.Stores,
		Pipeline: i.PipelineFile(), From: i.Spec.Pipeline, Data: i.Spec.Data, Log: i.LogFile(), Created: i.Spec.Created, Version: i.Spec.Version, Binary: i.Spec.binary(),
	}
	keeper, kept := ownerOf(i.path(lockFile))
	worker, works := ownerOf(i.path(workerFile))
	if kept {
		s.PID = keeper.PID
	} else if again, err := i.Record(); err == nil && again.State != r.State {
		return i.See() // it has ended meanwhile
	}
	if works {
		s.Worker, s.Progress, s.Admin = worker.PID, readiness(i.dir), i.Admin()
		if s.Progress != nil && s.Progress.Revision > 0 {
			s.Revision = s.Progress.Revision
		}
	}
	if r.State.kept() && kept && r.Binary != nil && i.Spec.binary().kin(*r.Binary) != same {
		s.Upgrade = r.Binary
	}
	if r.State.kept() && !kept {
		s.State, s.Reason = Failed, lost
		if works {
			s.Reason += "; its worker lets through what it has read, and ends"
		}
	}
	s.Ready = s.State == Running && s.Progress != nil && s.Progress.Ready
	return s, nil
}

// Admin is where the worker says that it can be asked; empty = nowhere.
func (i *Instance) Admin() string {
	url, err := os.ReadFile(i.path(adminFile))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(url))
}

// Placed are options like those of its worker, for processes in other folders: with whole
// paths in place of those that are relative to its working folder.
func (i *Instance) Placed(env []string) (host.Options, error) {
	o, err := i.options(env)
	if err != nil {
		return o, err
	}
	return i.Spec.placed(o)
}

// Options are those that its worker runs with.
func (i *Instance) Options(env []string) (host.Options, error) { return i.options(env) }
