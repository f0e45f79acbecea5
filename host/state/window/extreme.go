package window

import "fmt"

// extreme keeps the largest number, or with sign -1 the smallest. Accumulator: a
// number, or nothing.
type extreme struct{ sign int }

func (extreme) Init(dst []byte) []byte { return dst }

func (e extreme) Add(acc []byte, r Record) ([]byte, error) {
	n, err := parse(r.Value)
	if err != nil {
		return acc, err
	}
	return e.fold(acc, n)
}

func (e extreme) fold(acc []byte, n number) ([]byte, error) {
	have, some, err := e.read(acc)
	switch {
	case err != nil:
		return acc, err
	case some && n.compare(have)*e.sign <= 0:
		return acc, nil
	}
	return n.append(acc[:0]), nil
}

func (e extreme) Merge(acc, other []byte) ([]byte, error) {
	n, some, err := e.read(other)
	if err != nil || !some {
		return acc, err
	}
	return e.fold(acc, n)
}

func (e extreme) Result(dst, acc []byte) ([]byte, error) {
	n, some, err := e.read(acc)
	switch {
	case err != nil:
		return dst, err
	case !some:
		return append(dst, "null"...), nil
	}
	return n.json(dst), nil
}

func (extreme) read(acc []byte) (n number, some bool, err error) {
	if len(acc) == 0 {
		return n, false, nil
	}
	if err := sized(acc, numberSize); err != nil {
		return n, false, err
	}
	n, some = decode(acc)
	if !some {
		return n, false, fmt.Errorf("accumulator without a number: %w", ErrCorrupt)
	}
	return n, true, nil
}
