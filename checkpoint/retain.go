package checkpoint

import (
	"slices"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// Retention says which checkpoints are kept.
type Retention struct {
	Count  int           // the newest that can be restored; at least 1
	MinAge time.Duration // and all that are younger
}

// holding is what retention knows of a published checkpoint.
type holding struct {
	epoch    stream.Epoch
	manifest *Manifest // nil: it is damaged
}

// retain chooses which published checkpoints are kept, of those looked at from the
// newest on, and says whether it has to see more to choose.
func (inv *inventory) retain(seen []holding, r Retention) (kept []holding, more bool) {
	whole := 0
	for _, h := range seen {
		young := inv.age(inv.records[h.epoch]) < r.MinAge
		if whole >= max(1, r.Count) && !young {
			return kept, false
		}
		kept = append(kept, h)
		if h.manifest != nil {
			whole++
		}
	}
	return kept, len(seen) < len(inv.records)
}

// plan is what retention does: the steps in order, each done before the next.
// Records go first, so that nothing is published without its objects, and manifests
// last, so that a crash leaves none that names what is gone, but in a folder that no
// record names.
type plan struct{ records, data, manifests, rest []string }

func (p *plan) steps() [][]string { return [][]string{p.records, p.data, p.manifests, p.rest} }

// sweep decides about every object of a pipeline. It deletes nothing
//
//   - that a kept checkpoint names, or parent, on which the next one builds,
//   - that may belong to a checkpoint under way: of the generation own, with an epoch
//     above all that are published,
//   - of a damaged checkpoint that is newer than one that is kept,
//   - that no record ever named, before the grace is over,
//   - whose name it does not know.
//
// kept is what retain has chosen, with at least one that is not damaged.
func (inv *inventory) sweep(kept []holding, parent *Manifest, own Generation, grace time.Duration) plan {
	s := sweeper{inv: inv, own: own, grace: grace, named: make(map[string]bool), epochs: make(map[stream.Epoch]bool)}
	for _, h := range kept {
		s.protect(h.epoch, h.manifest)
	}
	if parent != nil {
		s.protect(parent.Epoch, parent)
	}
	for e := range inv.records {
		s.newest = max(s.newest, e)
	}
	var p plan
	for _, e := range inv.epochs() {
		if !s.epochs[e] {
			p.records = append(p.records, inv.records[e].Name)
		}
	}
	for _, e := range descending(inv.marks) {
		if !s.epochs[e] && e <= s.newest {
			p.manifests = append(p.manifests, inv.marks[e].Name)
		}
	}
	for _, o := range inv.written {
		if s.keep(o) {
			continue
		}
		if inv.layout.parse(o.Name).kind == manifestKind {
			p.manifests = append(p.manifests, o.Name)
		} else {
			p.data = append(p.data, o.Name)
		}
	}
	p.rest = s.claims()
	slices.Reverse(p.records) // the oldest first
	return p
}

// sweeper decides about one object at a time.
type sweeper struct {
	inv    *inventory
	own    Generation
	grace  time.Duration
	newest stream.Epoch
	epochs map[stream.Epoch]bool // that are kept
	named  map[string]bool       // objects that are
	intact []place               // folders of damaged ones: generation 0 stands for all
}

func (s *sweeper) protect(e stream.Epoch, m *Manifest) {
	s.epochs[e] = true
	if m == nil {
		s.intact = append(s.intact, place{epoch: e})
		return
	}
	s.named[s.inv.layout.object(m.Name())] = true
	for _, o := range m.Objects {
		s.named[s.inv.layout.object(o.Name)] = true
	}
}

// keep decides about a manifest or a data object.
func (s *sweeper) keep(o Object) bool {
	p := s.inv.layout.parse(o.Name)
	if s.named[o.Name] || p.generation > s.own || p.generation == s.own && p.epoch > s.newest {
		return true
	}
	if slices.Contains(s.intact, place{epoch: p.epoch}) {
		return true
	}
	return s.inv.age(o) < s.grace && !s.dropped(p.epoch)
}

// dropped says that an epoch was published and is not kept. Its folders in other
// generations lost the race for it, and go with it.
func (s *sweeper) dropped(e stream.Epoch) bool {
	_, published := s.inv.records[e]
	return published && !s.epochs[e]
}

// claims returns those of generations that tell nothing any more.
func (s *sweeper) claims() []string {
	var old []string
	all := s.inv.claims
	for i, o := range all {
		if s.inv.layout.parse(o.Name).generation < s.own && (i < len(all)-maxClaims || s.inv.age(o) >= AssumedMTBF) {
			old = append(old, o.Name)
		}
	}
	for i, o := range s.inv.starts { // of them the newest alone has a say
		if i < len(s.inv.starts)-maxClaims {
			old = append(old, o.Name)
		}
	}
	return old
}
