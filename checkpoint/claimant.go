package checkpoint

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Claimed is who has claimed a generation.
type Claimed struct {
	Generation Generation
	// Claimant is what was given to ProcessOf. Named says that it is known: it is not of
	// what claims for a moment, such as to delete checkpoints, and of older binaries.
	Claimant string
	Named    bool
	PID      int // the rest is zero if it cannot be read
	Host     string
	Created  time.Time
}

// ProcessOf makes a WriterConfig.Process of this process, which says for whom it claims
// generations. claimant has no slash; it may be empty.
func ProcessOf(claimant string) string { return claimant + "/" + rand.Text() }

// Claims says who has claimed the generations of the pipeline, the newest first; of many
// the newest alone.
func (r *Reader) Claims(ctx context.Context) ([]Claimed, error) {
	l := layout(r.Pipeline)
	var found []Generation
	err := again(ctx, func() error {
		found = found[:0]
		for o, err := range r.Store.List(ctx, l.claims()) {
			if err != nil {
				return err
			}
			if p := l.parse(o.Name); p.kind == claimKind {
				found = append(found, p.generation)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the generations of %s: %w", r.Pipeline, err)
	}
	slices.Sort(found)
	var all []Claimed
	for _, g := range found[max(0, len(found)-maxClaims):] {
		c := Claimed{Generation: g}
		var data []byte
		err := again(ctx, func() (err error) { data, err = r.Store.Get(ctx, l.claim(g)); return err })
		if errors.Is(err, ErrNotFound) {
			continue // it was one of too many
		}
		if err != nil {
			return nil, fmt.Errorf("read generation %d of %s: %w", g, r.Pipeline, err)
		}
		var body claimBody
		if json.Unmarshal(data, &body) == nil {
			if who, _, named := strings.Cut(body.Process, "/"); named {
				c.Claimant, c.Named = who, true
			}
			c.PID, c.Host, c.Created = body.PID, body.Host, body.Created
		}
		all = append(all, c)
	}
	slices.Reverse(all)
	return all, nil
}
