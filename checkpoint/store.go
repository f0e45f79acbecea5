package checkpoint

import (
	"context"
	"errors"
	"iter"
	"time"
)

// MaxObject is the most that an object may have, in bytes: small enough for one
// request of every store, so that no object is ever there in part.
const MaxObject = 16 << 20

// Errors of a Store; others are those of the place itself and may go away.
var (
	ErrExists   = errors.New("the object exists")
	ErrNotFound = errors.New("there is no such object")
)

// Store is a place for objects of up to MaxObject bytes. A name is a path of one
// or more parts of letters, digits, ".", "-" and "_", separated by "/"; no part
// begins with a "." or has more than 128 bytes, and no name more than MaxName. No
// name continues another's with a "/". All methods may be called at the same
// time, and return soon after ctx ends.
//
// What a method has stored when it returns survives a crash of the machine.
// After an error it may be stored or not, but never in part, and a request that no
// longer waits may read its data still: nobody writes to that any more. After a
// success the data is the caller's again.
type Store interface {
	// Create stores an object under a name that has none. Of several at once, by
	// whatever processes, exactly one succeeds, and the others get ErrExists. After
	// any other error the object may be there: read it to know. The data must differ
	// from what any other process may create under the name (hold a nonce): a store
	// that has lost an answer knows its own object by its bytes alone.
	Create(ctx context.Context, name string, data []byte) error

	// Put stores an object, and replaces the one of that name if there is one.
	Put(ctx context.Context, name string, data []byte) error

	// Get returns an object, or ErrNotFound.
	Get(ctx context.Context, name string) ([]byte, error)

	// List returns the objects whose names begin with a prefix, in the order of the
	// names' bytes. Those that come or go meanwhile may be in it or not.
	List(ctx context.Context, prefix string) iter.Seq2[Object, error]

	// Delete removes objects. Those that are not there are no error. After an error
	// some may be gone.
	Delete(ctx context.Context, names ...string) error

	// Close frees what the store holds in the process. Nobody uses it afterwards.
	Close() error
}

// Object is what List says of one.
type Object struct {
	Name    string
	Bytes   int64
	Changed time.Time // by the clock of the store
}
