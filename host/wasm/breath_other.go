//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package wasm

import (
	"errors"
	"os"
)

var errLocked = errors.New("locked")

func lock(*os.File, bool) error { return errors.ErrUnsupported }

func mapFile(*os.File, int) ([]byte, error) { return nil, errors.ErrUnsupported }
