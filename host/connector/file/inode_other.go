//go:build !unix

package file

import "io/fs"

func identify(fs.FileInfo) (dev, ino uint64) { return 0, 0 }

func unlinked(fs.FileInfo) bool { return false }
