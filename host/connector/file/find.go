package file

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func isGlob(path string) bool { return strings.ContainsAny(path, `*?[`) }

// find returns the names that a path or glob stands for, sorted. Directories
// that a glob matches are left out.
func find(pattern string) ([]string, error) {
	_, err := os.Lstat(pattern)
	if err == nil {
		return []string{pattern}, nil
	}
	if !isGlob(pattern) {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return nil, accessError(pattern, err)
	}
	names, err := filepath.Glob(pattern)
	if err != nil {
		return nil, accessError(pattern, err)
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		info, err := os.Stat(name)
		return err == nil && info.IsDir()
	})
	slices.Sort(names)
	return names, nil
}

// findChecked is find for the start of a run: there must be files, and each
// must be readable.
func findChecked(pattern string) ([]string, error) {
	names, err := find(pattern)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, missingError(pattern)
	}
	for _, name := range names {
		if err := check(name); err != nil {
			return nil, err
		}
	}
	return names, nil
}

// covers says whether a path or glob stands for a name.
func covers(pattern, name string) bool {
	matched, _ := filepath.Match(pattern, name)
	return matched || pattern == name
}

// reopen opens the file that a mark was made of, and reads on to it: the one
// at its path; else the one with its inode in the same folder, which was
// rotated away; else a copy at its path. A path without a file, and no rotated
// one, is fs.ErrNotExist.
func reopen(m mark) (in *input, rotated bool, err error) {
	var copied *input
	here, hereErr := openAt(m.Path, m)
	if hereErr != nil && !errors.Is(hereErr, fs.ErrNotExist) {
		return nil, false, hereErr
	}
	if here != nil {
		if here.Ino == m.Ino && here.Dev == m.Dev {
			return here, false, nil
		}
		copied = here
	}
	if in, err := reopenRotated(m); in != nil || err != nil {
		if copied != nil {
			copied.Close()
		}
		return in, true, err
	}
	if copied != nil {
		return copied, false, nil
	}
	if hereErr != nil {
		return nil, false, hereErr
	}
	return nil, false, changedError(m.Path, "the file is not the one that was read before: it is shorter or begins differently")
}

// openAt opens a file and reads on to a mark. It returns nil if it is not the
// content that the mark was made of.
func openAt(name string, m mark) (*input, error) {
	in, err := openInput(name, m.Path, compression(m.Path))
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		return nil, personal(m.Path, err)
	}
	if same, err := in.skipTo(m); !same || err != nil {
		in.Close()
		return nil, err
	}
	return in, nil
}

// reopenRotated looks for the inode of a mark in the folder of its path.
func reopenRotated(m mark) (*input, error) {
	if m.Ino == 0 {
		return nil, nil
	}
	dir := filepath.Dir(m.Path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil // no folder, no rotated file
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		if dev, ino := identify(info); dev == m.Dev && ino == m.Ino {
			in, err := openAt(filepath.Join(dir, entry.Name()), m)
			if errors.Is(err, fs.ErrNotExist) {
				return nil, nil
			}
			return in, err
		}
	}
	return nil, nil
}
