package instance

import (
	"testing"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/stream"
)

// TestCheckpointsAreAnothersByTheNewestClaimThatNamesOne is the decision of ownClaims.
func TestCheckpointsAreAnothersByTheNewestClaimThatNamesOne(t *testing.T) {
	const mine = "a@1"
	own, other, run, nobody := host.Claimed{Claimant: mine, Named: true}, host.Claimed{Claimant: "a@2", Named: true}, host.Claimed{Named: true}, host.Claimed{}
	for _, c := range []struct {
		name   string
		claims []host.Claimed // the newest first
		exit   int
		by     string // "-" = nobody that is known
		so     bool
	}{
		{"nobody has claimed any", nil, 0, "-", false},
		{"who fenced the instance has deleted all, also its claims", nil, stream.ExitFenced, "-", false},
		{"the instance has the newest, after another", []host.Claimed{own, other}, 0, "-", false},
		{"the instance was fenced, and has taken them back", []host.Claimed{own, other, own}, stream.ExitFenced, "-", false},
		{"another instance has the newest, and this one had ended before that", []host.Claimed{other, own}, 0, "a@2", true},
		{"a run in the foreground has the newest", []host.Claimed{run, own}, 0, "", true},
		{"somebody has deleted checkpoints of the instance", []host.Claimed{nobody, own, other}, 0, "-", false},
		{"somebody has deleted checkpoints of another", []host.Claimed{nobody, other, own}, 0, "a@2", true},
		{"an older binary has fenced the instance", []host.Claimed{nobody, own}, stream.ExitFenced, "-", true},
		{"older binaries have claimed all, and fenced the instance", []host.Claimed{nobody, nobody}, stream.ExitFenced, "-", true},
		{"older binaries have claimed all, and nobody says that they are not of the instance", []host.Claimed{nobody, nobody}, 0, "-", false},
	} {
		by, so := takenOver(c.claims, mine, c.exit)
		whose := "-"
		if by != nil {
			whose = by.Claimant
		}
		if so != c.so || whose != c.by {
			t.Errorf("%s: %v, by %q", c.name, so, whose)
		}
	}
}
