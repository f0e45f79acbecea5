package doctor

import (
	"fmt"
	"io/fs"
	"slices"

	"github.com/wasmill/wasmill/host/stream"
)

// Severity says how bad a finding is.
type Severity string

// The severities, from the least.
const (
	OK      Severity = "ok"      // it was looked at, and is well
	Info    Severity = "info"    // something is not there, and need not be
	Warning Severity = "warning" // it works, not for all or not for ever
	Error   Severity = "error"   // it does not
)

// Finding is what there is to say about one thing.
type Finding struct {
	Severity Severity    `json:"severity"`
	About    string      `json:"about"` // a setting, a tool, a file
	What     string      `json:"what"`
	Fix      string      `json:"fix,omitempty"`
	Code     stream.Code `json:"code,omitempty"` // of an Error
	Repair   *Repair     `json:"repair,omitempty"`
}

// Action is what a Repair does.
type Action string

// The actions.
const (
	Make   Action = "make"   // a folder, with those above it
	Chmod  Action = "chmod"  // a file of the user's own
	Remove Action = "remove" // a file or folder that a process has left half made
	Unlink Action = "unlink" // a socket at which nobody listens
)

// Repair is what --fix may do about a finding.
type Repair struct {
	Action Action      `json:"action"`
	Path   string      `json:"path"`
	Mode   fs.FileMode `json:"mode,omitempty"` // of Make and Chmod
}

func (r Repair) String() string {
	switch r.Action {
	case Make:
		return fmt.Sprintf("make the folder %s, with mode %04o", r.Path, r.Mode)
	case Chmod:
		return fmt.Sprintf("chmod %04o %s", r.Mode, r.Path)
	case Unlink:
		return "remove the socket " + r.Path
	}
	return "remove " + r.Path
}

// Findings lists what the facts say, by what they are about.
func Findings(f Facts) []Finding {
	all := slices.Concat(
		toolchains(f.Tools), faults("settings", f.Settings), plugins(f.Plugins), pipelines(f.Pipelines),
		data(f.Data), cache(f.Cache), admin(f.Admin), stores(f.Stores), clock(f.Clock), limits(f.Limits),
		leftovers(f.Leftovers), instances(f.Instances),
	)
	for i := range all {
		if all[i].Severity == Error && all[i].Code == "" {
			all[i].Code = stream.Environment
		}
	}
	return all
}

// Exit is the exit code of findings: 0 if none is an Error, else that of the worst. A fault
// of wasmill is worse than one of the environment, and that than one of the input, which
// cannot be told to be right before.
func Exit(all []Finding) int {
	worst := []int{0, stream.ExitInput, stream.ExitEnvironment, stream.ExitFenced, stream.ExitInternal}
	at := 0
	for _, f := range all {
		if f.Severity == Error {
			at = max(at, slices.Index(worst, stream.ExitCode(&stream.Error{Code: f.Code})))
		}
	}
	return worst[at]
}

// faults are errors as findings.
func faults(about string, errs []*stream.Error) (all []Finding) {
	for _, e := range errs {
		what := e.Reason()
		if e.Where != "" && e.Where != about {
			what = e.Where + ": " + what
		}
		all = append(all, Finding{Severity: Error, About: about, What: what, Fix: e.Fix, Code: e.Code})
	}
	return all
}
