package config

import (
	"cmp"
	"errors"
	"slices"

	"github.com/wasmill/wasmill/host/stream"
)

// faults collects everything that is wrong, in any order.
type faults []fault

type fault struct {
	at   place
	path path
	err  *stream.Error
}

func (f *faults) add(at place, p path, code stream.Code, why, fix string) {
	*f = append(*f, fault{at, p, &stream.Error{Code: code, Where: at.where(p), Why: why, Fix: fix}})
}

// about says whether something is wrong with the value at p itself.
func (f faults) about(p path) bool {
	return slices.ContainsFunc(f, func(one fault) bool { return one.path == p })
}

// err joins the faults in the order of their places; nil without any.
func (f faults) err() error {
	slices.SortStableFunc(f, func(a, b fault) int {
		return cmp.Or(cmp.Compare(a.at.layer, b.at.layer), cmp.Compare(a.at.line, b.at.line), cmp.Compare(a.at.col, b.at.col))
	})
	errs := make([]error, len(f))
	for i := range f {
		errs[i] = f[i].err
	}
	return errors.Join(errs...)
}

// joined is what errors.Join returns.
type joined interface {
	error
	Unwrap() []error
}

// Faults takes an error of this package apart, in order. It returns nil for
// nil, and one fault for an error that was not joined.
func Faults(err error) []*stream.Error {
	var all []*stream.Error
	if several, ok := errors.AsType[joined](err); ok {
		for _, e := range several.Unwrap() {
			all = append(all, Faults(e)...)
		}
	} else if one, ok := errors.AsType[*stream.Error](err); ok {
		all = append(all, one)
	}
	return all
}
