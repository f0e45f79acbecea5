package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// Reader finds and reads the checkpoints of a pipeline. It changes nothing.
type Reader struct {
	Store    Store
	Pipeline string

	// Concurrency is how many parts are decompressed at once. So many parts are in
	// memory, and up to twice as many objects and one. 0: 4.
	Concurrency int

	// Progress says how many bytes of parts are read, of how many. It may be nil.
	Progress func(done, total int64)
}

// State says what a checkpoint is good for.
type State string

// The states of checkpoints.
const (
	Complete   State = "complete"
	Committing State = "committing" // published; its sinks have yet to commit
	Damaged    State = "damaged"    // it cannot be restored
	Abandoned  State = "abandoned"  // a later process began with an older one
	Orphaned   State = "orphaned"   // never published: under way, or left behind
)

// Entry is a checkpoint in a list.
type Entry struct {
	Epoch      stream.Epoch
	Generation Generation // 0 if it is not known
	State      State
	Err        error     // if it is damaged
	Manifest   *Manifest // nil if it is damaged or orphaned
	Changed    time.Time // when its last object was stored, by the clock of the store
}

// List returns all checkpoints, the newest first. Whether the objects of one are
// there it takes from their listing; what is in them only Verify reads.
func (r *Reader) List(ctx context.Context) ([]Entry, error) {
	inv, err := takeInventory(ctx, r.Store, layout(r.Pipeline))
	if err != nil {
		return nil, err
	}
	var all []Entry
	for _, e := range inv.epochs() {
		entry, err := r.entry(ctx, inv, e)
		if err != nil {
			return nil, err
		}
		all = append(all, entry)
	}
	for _, e := range inv.lost() {
		all = append(all, Entry{Epoch: e, State: Damaged, Err: recordGone(inv.layout, e), Changed: inv.marks[e].Changed})
	}
	all = append(all, orphans(inv, all)...)
	slices.SortStableFunc(all, func(a, b Entry) int {
		if a.Epoch != b.Epoch {
			return -order(a.Epoch, b.Epoch)
		}
		return -order(a.Generation, b.Generation)
	})
	return all, nil
}

func order[T ~uint64](a, b T) int {
	if a < b {
		return -1
	}
	return 1
}

// entry looks at a published checkpoint.
func (r *Reader) entry(ctx context.Context, inv *inventory, e stream.Epoch) (Entry, error) {
	entry := Entry{Epoch: e, State: Committing, Changed: inv.records[e].Changed}
	m, err := r.load(ctx, inv, e)
	if errors.Is(err, ErrDamaged) || stream.CodeOf(err) == stream.CheckpointFormat && err != nil {
		entry.State, entry.Err = Damaged, err
		return entry, nil
	}
	if err != nil {
		return entry, err
	}
	entry.Manifest, entry.Generation = m, m.Generation
	switch _, ok := inv.marks[e]; {
	case inv.abandoned(m):
		entry.State = Abandoned
	case ok:
		entry.State = Complete
	}
	return entry, nil
}

// orphans returns what was written and is of none of these checkpoints.
func orphans(inv *inventory, published []Entry) []Entry {
	index := make(map[place]int)
	var all []Entry
	for _, o := range inv.written {
		p := inv.layout.parse(o.Name)
		p.kind = foreign
		if slices.ContainsFunc(published, func(e Entry) bool {
			return e.Epoch == p.epoch && (e.Generation == p.generation || e.Generation == 0) || e.Manifest != nil && e.Manifest.uses(p)
		}) {
			continue
		}
		if _, ok := index[p]; !ok {
			index[p] = len(all)
			all = append(all, Entry{Epoch: p.epoch, Generation: p.generation, State: Orphaned})
		}
		if entry := &all[index[p]]; o.Changed.After(entry.Changed) {
			entry.Changed = o.Changed
		}
	}
	return all
}

// uses says whether a manifest names an object of the folder of a checkpoint.
func (m *Manifest) uses(p place) bool {
	return slices.ContainsFunc(m.Objects, func(o DataObject) bool {
		q := parseRelative(o.Name)
		return q.generation == p.generation && q.epoch == p.epoch
	})
}

// load returns the manifest of an epoch whose objects are there.
func (r *Reader) load(ctx context.Context, inv *inventory, e stream.Epoch) (*Manifest, error) {
	m, err := readManifest(ctx, r.Store, inv.layout, e)
	if err != nil {
		return nil, err
	}
	return m, inv.present(m)
}

// Manifest returns that of a published checkpoint.
func (r *Reader) Manifest(ctx context.Context, e stream.Epoch) (*Manifest, error) {
	return readManifest(ctx, r.Store, layout(r.Pipeline), e)
}

// Highest returns the highest epoch that was ever recorded, 0 if none was.
func (r *Reader) Highest(ctx context.Context) (stream.Epoch, error) {
	inv, err := takeInventory(ctx, r.Store, layout(r.Pipeline))
	if err != nil {
		return 0, err
	}
	return inv.highest(), nil
}

// Committed says whether the sinks have committed a published checkpoint, as far as is
// known: they may have, and not have noted it yet.
func (r *Reader) Committed(ctx context.Context, e stream.Epoch) (bool, error) {
	switch _, err := get(ctx, r.Store, layout(r.Pipeline).mark(e)); {
	case err == nil:
		return true, nil
	case errors.Is(err, ErrNotFound):
		return false, nil
	default:
		return false, fmt.Errorf("look whether epoch %d of %s is committed: %w", e, r.Pipeline, err)
	}
}

func recordGone(l layout, e stream.Epoch) error {
	return damaged(l.record(e), "the record of a committed checkpoint is gone")
}

// Recovery is what a pipeline goes on from.
type Recovery struct {
	Manifest *Manifest    // nil: there is no checkpoint, and never was one
	Commits  []Commit     // that the sinks have yet to make, again or for the first time, before anything else
	Skipped  []Skipped    // newer checkpoints that are damaged, the newest first
	Highest  stream.Epoch // that was ever recorded: the next one is higher
}

// Commit is what a sink has to commit.
type Commit struct {
	Vertex stream.VertexID
	Data   []byte
}

// Skipped is a checkpoint that cannot be restored, and why.
type Skipped struct {
	Epoch stream.Epoch
	Err   error
}

// RestoredPart is a part of the state of a vertex.
type RestoredPart struct {
	Vertex stream.VertexID
	Epoch  stream.Epoch // that it was made in
	Part
}

// Begin is called with each checkpoint that is tried, before its parts: whatever an
// earlier one has brought is to be forgotten. It returns what takes the parts, one
// call at a time, in the order in which they apply; they keep the bytes. An error of
// either ends the restore.
type Begin func(m *Manifest) (take func(p RestoredPart) error, err error)

// Restore brings back the newest checkpoint that can be read whole and is not
// abandoned. One of which anything is damaged is skipped, and reported. If there are
// some and none can be read, that is an error: a pipeline never starts empty because of
// damage. So are a store that does not answer, a checkpoint of a newer format, and a
// generation that adopted a checkpoint and published none.
func (r *Reader) Restore(ctx context.Context, begin Begin) (*Recovery, error) {
	inv, err := takeInventory(ctx, r.Store, layout(r.Pipeline))
	if err != nil {
		return nil, err
	}
	out := &Recovery{Highest: inv.highest()}
	for _, e := range inv.lost() {
		out.Skipped = append(out.Skipped, Skipped{e, recordGone(inv.layout, e)})
	}
	for _, e := range inv.epochs() {
		m, err := r.restore(ctx, inv, e, true, begin)
		if m == nil && err == nil {
			continue // abandoned
		}
		if err == nil {
			out.found(m, inv)
			return out, nil
		}
		if !errors.Is(err, ErrDamaged) || errors.As(err, new(takerError)) {
			return nil, err
		}
		out.Skipped = append(out.Skipped, Skipped{e, err})
	}
	switch {
	case len(out.Skipped) > 0:
		return nil, unreadable(r.Pipeline, len(out.Skipped), out.Skipped[0].Err)
	case inv.adopting():
		return nil, notAdopted(r.Pipeline)
	}
	return out, nil
}

// takerError is an error of whoever takes the state. It is not damage of the
// checkpoint, which an older one would heal.
type takerError struct{ err error }

func (e takerError) Error() string { return e.err.Error() }
func (e takerError) Unwrap() error { return e.err }

// RestoreEpoch brings back one checkpoint and no other. If there are newer ones, it
// is what the pipeline goes on from only once the next one is published.
func (r *Reader) RestoreEpoch(ctx context.Context, e stream.Epoch, begin Begin) (*Recovery, error) {
	inv, err := takeInventory(ctx, r.Store, layout(r.Pipeline))
	if err != nil {
		return nil, err
	}
	if _, ok := inv.records[e]; !ok {
		return nil, &stream.Error{
			Code: stream.Usage, Where: r.Pipeline, Why: fmt.Sprintf("there is no checkpoint with epoch %d", e),
			Fix: fmt.Sprintf("take one of %v", inv.epochs()),
		}
	}
	m, err := r.restore(ctx, inv, e, false, begin)
	if err != nil {
		return nil, fmt.Errorf("restore epoch %d: %w", e, err)
	}
	out := &Recovery{Highest: inv.highest()}
	out.found(m, inv)
	return out, nil
}

// found says what is to be committed, too.
func (out *Recovery) found(m *Manifest, inv *inventory) {
	out.Manifest = m
	if _, ok := inv.marks[m.Epoch]; ok {
		return
	}
	for _, v := range m.Vertices {
		if len(v.Commit) > 0 {
			out.Commits = append(out.Commits, Commit{v.Vertex, v.Commit})
		}
	}
}

// restore returns nothing for a checkpoint that is abandoned, if that matters.
func (r *Reader) restore(ctx context.Context, inv *inventory, e stream.Epoch, living bool, begin Begin) (*Manifest, error) {
	m, err := r.load(ctx, inv, e)
	if err != nil || living && inv.abandoned(m) {
		return nil, err
	}
	take, err := begin(m)
	if err != nil {
		return nil, takerError{err}
	}
	for p, err := range r.Parts(ctx, m) {
		if err != nil {
			return nil, err
		}
		if err := take(p); err != nil {
			return nil, takerError{fmt.Errorf("restore table %s of %s: %w", p.Table, p.Vertex, err)}
		}
	}
	return m, nil
}
