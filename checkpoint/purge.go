package checkpoint

import (
	"context"
	"fmt"
	"slices"
)

// Purged is what a Purge has deleted.
type Purged struct {
	Objects int   // that were the pipeline's
	Bytes   int64 // in them
	Left    int   // objects in its folder that this package did not make, and that stay
}

// purgeAtOnce is the most objects that one call of Delete is given.
const purgeAtOnce = 1000

// Purge deletes all objects of a pipeline: what makes checkpoints be found first, the
// claims of writers last. Those of other pipelines, whatever their names begin with, and
// objects that are none of this package's are not touched. No process may run the
// pipeline. After an error some are gone, and another call deletes the rest.
func Purge(ctx context.Context, store Store, pipeline string) (p Purged, err error) {
	if err := CheckName(pipeline); err != nil {
		return p, err
	}
	l := layout(pipeline)
	found := make(map[kind][]Object)
	for o, err := range store.List(ctx, l.folder()) {
		if err != nil {
			return p, fmt.Errorf("list the objects of %s: %w", pipeline, err)
		}
		at := l.parse(o.Name)
		if at.kind == foreign {
			p.Left++
			continue
		}
		found[at.kind] = append(found[at.kind], o)
	}
	for _, k := range []kind{markKind, recordKind, manifestKind, dataKind, startKind, adoptionKind, claimKind} {
		for some := range slices.Chunk(found[k], purgeAtOnce) {
			var names []string
			for _, o := range some {
				names = append(names, o.Name)
			}
			if err := again(ctx, func() error { return store.Delete(ctx, names...) }); err != nil {
				return p, fmt.Errorf("delete the objects of %s: %w", pipeline, err)
			}
			for _, o := range some {
				p.Objects++
				p.Bytes += o.Bytes
			}
		}
	}
	return p, nil
}
