package file

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/wasmill/wasmill/host/stream"
)

// accessError explains why a file could not be opened, looked at or read.
func accessError(path string, err error) error {
	e := &stream.Error{Code: stream.InputUnreadable, Where: path, Why: "the file cannot be read", Err: err}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return missingError(path)
	case errors.Is(err, fs.ErrPermission):
		e.Fix = "give read permission to the user that runs wasmill: chmod +r " + path
	}
	return e
}

// missingError says that a path matches nothing, and what might be meant.
func missingError(path string) error {
	e := &stream.Error{Code: stream.InputMissing, Where: path, Why: "there is no such file"}
	if isGlob(path) {
		e.Why = "no file matches"
	}
	dir := filepath.Dir(path)
	entries, err := os.ReadDir(dir)
	switch {
	case isGlob(dir):
		e.Fix = "check the pattern"
	case err != nil:
		e.Fix = "create the folder " + dir + ", or correct the path; relative paths start at the folder of the pipeline file"
	case isGlob(path):
		e.Fix = "check the pattern; " + dir + " holds " + strconv.Itoa(len(entries)) + " entries"
	default:
		names := make([]string, 0, len(entries))
		for _, entry := range entries {
			names = append(names, entry.Name())
		}
		if name, ok := nearest(filepath.Base(path), names); ok {
			e.Fix = "did you mean " + filepath.Join(dir, name) + "?"
		} else {
			e.Fix = "check the name; relative paths start at the folder of the pipeline file"
		}
	}
	return e
}

func directoryError(path string) error {
	return &stream.Error{
		Code:  stream.InputDirectory,
		Where: path,
		Why:   "this is a directory, not a file",
		Fix:   "to read every file in it, use " + filepath.Join(path, "*"),
	}
}

func corruptError(path, format string, err error) error {
	return &stream.Error{
		Code:  stream.InputCorrupt,
		Where: path,
		Why:   "the " + format + " data is damaged or cut off",
		Fix:   "copy the file again, or rename it if it is not compressed",
		Err:   err,
	}
}

func tooLargeError(where, what string, limit int) error {
	return &stream.Error{
		Code:  stream.RecordSize,
		Where: where,
		Why:   "the " + what + " is longer than " + strconv.Itoa(limit) + " bytes",
		Fix:   "raise maxRecordBytes of the source, or shorten the " + what,
	}
}

func changedError(path, why string) error {
	return &stream.Error{
		Code:  stream.InputChanged,
		Where: path,
		Why:   why,
		Fix:   "put the file back, or run with a fresh start to read what is there now from its beginning",
	}
}

// writeError explains why a sink could not do what it had to.
func writeError(path, why string, err error) error {
	e := &stream.Error{Code: stream.OutputFile, Where: path, Why: why, Err: err}
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		e.Fix = "give write permission to the user that runs wasmill, or choose another path"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		e.Fix = "free space on the disk, or choose another path"
	case errors.Is(err, fs.ErrNotExist):
		e.Fix = "bring the folder " + filepath.Dir(path) + " back"
	default:
		e.Fix = "see that the disk of " + path + " works and can be written to, or choose another path"
	}
	return e
}

// personalOutput makes an error of writing a *stream.Error.
func personalOutput(path string, err error) error {
	var e *stream.Error
	if err == nil || errors.As(err, &e) {
		return err
	}
	return writeError(path, "the file cannot be written", err)
}
