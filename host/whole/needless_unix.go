//go:build unix

package whole

import (
	"errors"
	"syscall"
)

// needless says that a file system keeps names without being asked.
func needless(err error) bool {
	return errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP)
}
