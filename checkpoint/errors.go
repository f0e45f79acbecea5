package checkpoint

import (
	"errors"
	"fmt"

	"github.com/wasmill/wasmill/host/stream"
)

var (
	// ErrFenced is below every error that says that another process has taken over
	// the pipeline: write nothing more, commit nothing more, and end.
	ErrFenced = errors.New("another writer has taken over")

	// ErrDamaged is below every error that says that an object is not what its
	// writer has stored, or is gone. Reading it again does not help.
	ErrDamaged = errors.New("damaged")
)

func fenced(where, by string) error {
	return &stream.Error{
		Code:  stream.CheckpointFenced,
		Where: where,
		Why:   by,
		Fix:   "let one process run this pipeline with this storage; if two are meant, give each its own name or prefix",
		Err:   ErrFenced,
	}
}

// damaged says why an object cannot be used.
func damaged(object, format string, args ...any) error {
	return &stream.Error{
		Code:  stream.CheckpointDamaged,
		Where: object,
		Why:   fmt.Sprintf(format, args...),
		Err:   ErrDamaged,
	}
}

// tooNew refuses what a later version has written.
func tooNew(object string, format int) error {
	return &stream.Error{
		Code:  stream.CheckpointFormat,
		Where: object,
		Why:   fmt.Sprintf("the checkpoint has format %d, and this wasmill reads formats up to %d", format, Format),
		Fix:   "run the version of wasmill that wrote it, or a later one",
	}
}

func notAdopted(pipeline string) error {
	return &stream.Error{
		Code:  stream.CheckpointUnreadable,
		Where: pipeline,
		Why:   "it began with a checkpoint from elsewhere, and stopped before it had one of its own",
		Fix:   "run it with the same --from again, or with --fresh to start from nothing",
	}
}

func unreadable(pipeline string, count int, why error) error {
	return &stream.Error{
		Code:  stream.CheckpointUnreadable,
		Where: pipeline,
		Why:   fmt.Sprintf("there are %d checkpoints and none can be read", count),
		Fix:   "restore the objects of one of them from a backup, or delete the pipeline to start from nothing",
		Err:   why,
	}
}
