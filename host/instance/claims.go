package instance

import (
	"context"
	"fmt"
	"time"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/stream"
)

// claimant names the instance in the claims of its workers. One of the same name in another
// home has another, and so has one that was deleted and created again.
func (i *Instance) claimant() string {
	return i.Name + "@" + i.Spec.Created.UTC().Format(time.RFC3339Nano)
}

// takenOver says, by who has claimed checkpoints, the newest first, whether they are
// another's than mine, and whose, nil = that is not known. Claims that name nobody are of
// what only deletes some, or of a binary that was older: if they are the newest, with exit
// the last worker of mine says whether it was fenced.
func takenOver(claims []host.Claimed, mine string, exit int) (by *host.Claimed, so bool) {
	for n, c := range claims {
		switch {
		case !c.Named:
		case c.Claimant != mine:
			return &c, true
		default:
			return nil, n > 0 && exit == stream.ExitFenced
		}
	}
	return nil, len(claims) > 0 && exit == stream.ExitFenced
}

// ownClaims refuses stores in which the checkpoints below the name of the instance are another's.
func (i *Instance) ownClaims(ctx context.Context, r Record, o host.Options) error {
	for _, store := range r.Stores {
		claims, err := host.Claims(ctx, host.CheckpointsOf{Storage: store, Pipeline: i.Name}, o)
		if err != nil {
			return err
		}
		if by, so := takenOver(claims, i.claimant(), r.Exit); so {
			return i.fenced(store, by)
		}
	}
	return nil
}

// fenced says that the checkpoints below the name of the instance are another's.
func (i *Instance) fenced(store string, by *host.Claimed) error {
	who, of := "another process", ""
	if by != nil {
		who, of = fmt.Sprintf("process %d on %s", by.PID, by.Host), ", for another instance of this name, such as one in another home"
		if by.Claimant == "" {
			of = ", for a run in the foreground"
		}
	}
	return &stream.Error{
		Code: stream.CheckpointFenced, Where: i.dir, Why: who + " has taken over its checkpoints in " + store + of + ": nothing is deleted",
		Fix: fmt.Sprintf("wasmill delete %[1]s --keep-checkpoints leaves them to that; or wasmill resume %[1]s takes them back", i.Name),
	}
}
