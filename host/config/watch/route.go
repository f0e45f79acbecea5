package watch

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxLinks bounds the symbolic links on one way, as kernels do.
const maxLinks = 40

// route is the way from the root to what a path stands for. Its entries are the names
// whose making, change or end may change what that is: each symbolic link, and the
// last one, which is the first that is missing where the way breaks off. All are real
// paths: no part of them but the last is a link.
type route struct {
	entries []string
	real    string // what the path stands for; "" = it is missing
}

func routeOf(path string) route {
	path, err := filepath.Abs(path)
	if err != nil { // there is no working directory
		return route{}
	}
	var r route
	at, rest := root(path)
	for links := 0; len(rest) > 0; {
		name := rest[0]
		rest = rest[1:]
		switch name {
		case "", ".":
			continue
		case "..":
			at = filepath.Dir(at)
			continue
		}
		entry := filepath.Join(at, name)
		info, err := os.Lstat(entry)
		if err != nil {
			r.entries = append(r.entries, entry)
			return r
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			at = entry
			continue
		}
		r.entries = append(r.entries, entry)
		target, err := os.Readlink(entry)
		if links++; err != nil || links > maxLinks {
			return r
		}
		if filepath.IsAbs(target) {
			var parts []string
			at, parts = root(target)
			rest = append(parts, rest...)
		} else {
			rest = append(strings.Split(filepath.ToSlash(target), "/"), rest...)
		}
	}
	r.entries = append(r.entries, at)
	r.real = at
	return r
}

// root splits an absolute path into where it starts and the names that follow.
func root(path string) (start string, names []string) {
	volume := filepath.VolumeName(path)
	rest := filepath.ToSlash(path[len(volume):])
	return volume + string(filepath.Separator), strings.Split(rest, "/")
}
