package checkpoint

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// claimBody is the object of a generation: who claimed it, for people and for the
// count of restarts.
type claimBody struct {
	Format     int        `json:"format"`
	Generation Generation `json:"generation"`
	Nonce      string     `json:"nonce"`
	Process    string     `json:"process"` // the same for all claims of a process
	Created    time.Time  `json:"created"`
	Host       string     `json:"host"`
	PID        int        `json:"pid"`
	Wasmill    string     `json:"wasmill"`
}

// maxClaims is how many claims are looked at, and kept.
const maxClaims = 32

// Claim makes the caller the only writer of a pipeline's checkpoints: it claims the
// next generation, and every older one is fenced from then on. Read what there is
// afterwards, so that nothing is published in between, and say with Continue what
// the pipeline goes on from.
func Claim(ctx context.Context, c WriterConfig) (*Writer, error) {
	w, err := newWriter(c)
	if err != nil {
		return nil, err
	}
	for range maxClaims {
		won, err := w.claim(ctx)
		if err != nil {
			w.Close()
			return nil, fmt.Errorf("claim a generation of %s: %w", c.Pipeline, err)
		}
		if won {
			return w, nil
		}
	}
	w.Close()
	return nil, fenced(c.Pipeline, fmt.Sprintf("%d other processes claimed a generation at the same time", maxClaims))
}

// claim tries to get the generation after the highest.
func (w *Writer) claim(ctx context.Context) (bool, error) {
	all, err := w.claims(ctx)
	if err != nil {
		return false, err
	}
	w.generation = 1
	if len(all) > 0 {
		w.generation = all[len(all)-1] + 1
	}
	host, _ := os.Hostname()
	body, err := json.Marshal(claimBody{
		Format: Format, Generation: w.generation, Nonce: w.nonce, Process: w.config.Process,
		Created: w.now().UTC(), Host: host, PID: os.Getpid(), Wasmill: w.config.Wasmill,
	})
	if err != nil {
		return false, err
	}
	outcome, _, err := create(ctx, w.config.Store, w.layout.claim(w.generation), body)
	if outcome == ours {
		w.countStarts(ctx, all)
	}
	return outcome == ours, err
}

// claims lists the generations in their order.
func (w *Writer) claims(ctx context.Context) (all []Generation, err error) {
	err = again(ctx, func() error {
		all = all[:0]
		for o, err := range w.config.Store.List(ctx, w.layout.claims()) {
			if err != nil {
				return err
			}
			if p := w.layout.parse(o.Name); p.kind == claimKind {
				all = append(all, p.generation)
			}
		}
		return nil
	})
	return all, err
}

// countStarts counts the other processes that have claimed a generation within
// AssumedMTBF. What cannot be read does not count.
func (w *Writer) countStarts(ctx context.Context, all []Generation) {
	seen := map[string]bool{w.config.Process: true}
	for _, g := range all[max(0, len(all)-maxClaims):] {
		data, err := w.config.Store.Get(ctx, w.layout.claim(g))
		var body claimBody
		if err != nil || json.Unmarshal(data, &body) != nil || seen[body.Process] {
			continue
		}
		if age := w.now().Sub(body.Created); age >= 0 && age < AssumedMTBF {
			seen[body.Process] = true
			w.starts++
		}
	}
}

// Start says what the pipeline goes on from, 0 for nothing, before it has any effect:
// what older generations have published after that, or may yet publish, is abandoned.
// Together with Owns this makes sure that of two writers one has its way: an older one
// that publishes unseen finds, before it commits, the newer one's claim.
func (w *Writer) Start(ctx context.Context, from stream.Epoch) error {
	return w.noteStart(ctx, w.layout.start(w.generation, from), from)
}

// Adopt is Start with a checkpoint that is elsewhere. Until this generation has
// published one here, a pipeline can only be begun again as it was now, or fresh.
func (w *Writer) Adopt(ctx context.Context) error {
	return w.noteStart(ctx, w.layout.adoption(w.generation), 0)
}

func (w *Writer) noteStart(ctx context.Context, name string, from stream.Epoch) error {
	body, err := json.Marshal(startBody{Format, w.generation, from, w.nonce})
	if err != nil {
		return err
	}
	if err := put(ctx, w.config.Store, name, body); err != nil {
		return fmt.Errorf("note what generation %d of %s begins with: %w", w.generation, w.config.Pipeline, err)
	}
	return nil
}

// startBody is for people: the name says all of it.
type startBody struct {
	Format     int          `json:"format"`
	Generation Generation   `json:"generation"`
	From       stream.Epoch `json:"from"`
	Nonce      string       `json:"nonce"`
}

// Generation is the one that was claimed.
func (w *Writer) Generation() Generation { return w.generation }

// Starts is how many other processes have run this pipeline within AssumedMTBF:
// Restored.Restarts.
func (w *Writer) Starts() int { return w.starts }

// Owns returns an error with ErrFenced below if a newer generation is claimed. Ask
// after a checkpoint is published, before sources forget and sinks commit.
func (w *Writer) Owns(ctx context.Context) error {
	all, err := w.claims(ctx)
	if err != nil {
		return fmt.Errorf("list the generations of %s: %w", w.config.Pipeline, err)
	}
	if n := len(all); n > 0 && all[n-1] > w.generation {
		return w.fencedBy(ctx, all[n-1])
	}
	return nil
}

// fencedBy says who claimed a generation, as far as that can be read.
func (w *Writer) fencedBy(ctx context.Context, g Generation) error {
	who := ""
	var body claimBody
	if data, err := w.config.Store.Get(ctx, w.layout.claim(g)); err == nil && json.Unmarshal(data, &body) == nil {
		who = fmt.Sprintf(" by process %d on %s at %s", body.PID, body.Host, body.Created.Format(time.RFC3339))
	}
	return fenced(w.config.Pipeline, fmt.Sprintf("generation %d was claimed%s, and this process has %d", g, who, w.generation))
}

// MarkCommitted notes that the sinks have committed a checkpoint, of this generation
// or an older one. It may be repeated.
func (w *Writer) MarkCommitted(ctx context.Context, e stream.Epoch) error {
	body, err := record{Format: Format, Epoch: e, Generation: w.generation, Nonce: w.nonce}.encode()
	if err != nil {
		return err
	}
	outcome, found, err := create(ctx, w.config.Store, w.layout.mark(e), body)
	if err != nil {
		return fmt.Errorf("mark epoch %d as committed: %w", e, err)
	}
	var other record
	if outcome == theirs && json.Unmarshal(found, &other) == nil && other.Generation > w.generation {
		return w.fencedBy(ctx, other.Generation)
	}
	return nil
}
