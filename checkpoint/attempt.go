package checkpoint

import (
	"bytes"
	"context"
	"errors"
	"time"
)

// A request to the store that fails is made again, in these pauses, as long as its
// context lasts. lastLook is for finding out what became of one after that.
const lastLook = 5 * time.Second

var pauses = [...]time.Duration{100 * time.Millisecond, 500 * time.Millisecond, 2 * time.Second}

// again makes a request until it succeeds, or fails for good: with ErrExists,
// ErrNotFound, at the end of ctx, or after the pauses.
func again(ctx context.Context, request func() error) error {
	for i := 0; ; i++ {
		err := request()
		if err == nil || errors.Is(err, ErrExists) || errors.Is(err, ErrNotFound) || i == len(pauses) || !pause(ctx, pauses[i]) {
			return err
		}
	}
}

// pause waits, and says whether ctx lasted.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

func get(ctx context.Context, s Store, name string) (data []byte, err error) {
	err = again(ctx, func() error {
		data, err = s.Get(ctx, name)
		return err
	})
	return data, err
}

func put(ctx context.Context, s Store, name string, data []byte) error {
	return again(ctx, func() error { return s.Put(ctx, name, data) })
}

// claimed is what became of an attempt to be the one who creates an object.
type claimed int

const (
	unknown claimed = iota // it may be there, and may yet appear
	ours
	theirs
)

// create is Store.Create that finds out what became of requests without an answer,
// by reading the object back. With theirs it returns the other object. An error goes
// with unknown.
func create(ctx context.Context, s Store, name string, data []byte) (claimed, []byte, error) {
	for i := 0; ; i++ {
		err := s.Create(ctx, name, data)
		if err == nil {
			return ours, nil, nil
		}
		if found, readErr := lookBack(ctx, s, name); readErr == nil {
			if bytes.Equal(found, data) {
				return ours, nil, nil
			}
			return theirs, found, nil
		}
		if i == len(pauses) || !pause(ctx, pauses[i]) {
			return unknown, nil, err
		}
	}
}

// lookBack reads an object, also when ctx has just ended.
func lookBack(ctx context.Context, s Store, name string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastLook)
	defer cancel()
	return s.Get(ctx, name)
}
