//go:build !unix

package dir

import "os"

const nonBlocking = 0

// syncFolder closes a folder: there is no portable way to make its names durable.
func syncFolder(f *os.File, _ func(*os.File) error) error { return f.Close() }

func isFull(error) bool      { return false }
func isReadOnly(error) bool  { return false }
func isFolder(error) bool    { return false }
func isNotFolder(error) bool { return false }
