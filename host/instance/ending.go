package instance

import (
	"cmp"
	"errors"
	"os"

	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/supervise"
)

// ending is how a worker has ended for good, to be put into words.
type ending struct {
	exit   supervise.Exit
	failed error  // why no other one follows; nil = none was wanted
	said   string // by the worker of itself; empty = it had no time for that
}

// why says why it has ended.
func (e ending) why() string {
	if e.failed == nil {
		return cmp.Or(e.said, exited(e.exit))
	}
	why := reasonOf(e.failed)
	if e.said != "" { // which alone would not say that it was given up
		why += ": " + e.said
	}
	return why
}

// drained says how it went that it was told to end, and why it was, if the keeper itself did.
func (e ending) drained(cause error) string {
	reason := "it was shut down, and all that was read is through"
	if e.exit.Code != 0 {
		reason = "it was shut down, and not all that was read went through: " + e.why()
	}
	if late, ok := errors.AsType[*stream.Error](cause); ok {
		reason = late.Why + "; " + late.Fix + "\n" + reason
	}
	return reason
}

// exited says how a worker has ended, as its process shows.
func exited(e supervise.Exit) string { return "its worker " + e.String() + unasked(e) }

// followed says that a worker has ended, and is not the last one.
func followed(how, said string) string {
	reason := how + "; another one follows"
	if said != "" {
		reason += ": " + said
	}
	return reason
}

// said is what the last worker has said of why it ends; empty = nothing.
func (k *keeper) said() string {
	said, err := os.ReadFile(k.path(errorFile))
	if err != nil {
		return "" // it had no time for that
	}
	return string(said)
}
