package checkpoint

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// probers is how many race for one name.
const probers = 16

// Probe finds out whether a store keeps the promise of Create, on which fencing
// rests: it lets 16 race for one new name below probe/, of whom exactly one may
// win, and reads back what the winner wrote. A store that fails this gives an
// error with the code store-not-atomic; any other error says that the store
// could not be tried. Probe removes what it stored.
func Probe(ctx context.Context, store Store) (err error) {
	name := "probe/" + rand.Text()
	defer func() {
		// Also after ctx has ended, or each start would leave an object behind.
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		if e := store.Delete(clean, name); err == nil && e != nil {
			err = fmt.Errorf("probe the store: remove %s: %w", name, e)
		}
	}()

	bodies, outcomes := race(ctx, store, name)
	var winners []int
	var failed error
	for i, e := range outcomes {
		switch {
		case e == nil:
			winners = append(winners, i)
		case !errors.Is(e, ErrExists):
			failed = e
		}
	}
	if len(winners) > 1 {
		return notAtomic(name, fmt.Sprintf("%d of %d creates of one name at the same time succeeded, where exactly one may", len(winners), probers))
	}
	if failed != nil {
		return fmt.Errorf("probe the store: create %s: %w", name, failed)
	}
	if len(winners) == 0 {
		return notAtomic(name, fmt.Sprintf("%d creates of one new name at the same time were all refused, where exactly one must succeed", probers))
	}
	got, err := store.Get(ctx, name)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("probe the store: read back %s: %w", name, err)
	}
	if !bytes.Equal(got, bodies[winners[0]]) {
		return notAtomic(name, "the object is not what the only create that succeeded has written")
	}
	return nil
}

// race creates one object from many sides at once, each with its own data.
func race(ctx context.Context, store Store, name string) (bodies [][]byte, outcomes []error) {
	bodies, outcomes = make([][]byte, probers), make([]error, probers)
	start := make(chan struct{})
	var racers sync.WaitGroup
	for i := range probers {
		bodies[i] = []byte(rand.Text())
		racers.Go(func() {
			<-start
			outcomes[i] = store.Create(ctx, name, bodies[i])
		})
	}
	close(start)
	racers.Wait()
	return bodies, outcomes
}

func notAtomic(name, why string) error {
	return &stream.Error{
		Code:  stream.StoreNotAtomic,
		Where: name,
		Why:   why,
		Fix:   "use a store with conditional writes (If-None-Match on PUT: Amazon S3, MinIO) or a local folder, or update the server; without them two processes could continue one pipeline at once",
	}
}
