package project

import (
	"embed"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/wasmill/wasmill/host/stream"
)

// templates have @name@ and other words between @ that are replaced, and end in .tmpl, so
// that no tool takes them for sources.
//
//go:embed template
var templates embed.FS

// File is one to be written, with / in its path.
type File struct {
	Path string
	Data []byte
}

// filled is a template with its words replaced: pairs of words, without @, and texts.
func filled(name string, pairs ...string) ([]byte, error) {
	data, err := templates.ReadFile("template/" + name + ".tmpl")
	if err != nil {
		return nil, err
	}
	for i := 0; i < len(pairs); i += 2 {
		pairs[i] = "@" + pairs[i] + "@"
	}
	return []byte(strings.NewReplacer(pairs...).Replace(string(data))), nil
}

// write creates a file in a folder, and the folders that it needs. The error is
// fs.ErrExist if it is there, else a *stream.Error.
func write(dir string, f File) error {
	path := filepath.Join(dir, filepath.FromSlash(f.Path))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return unwritable(path, err)
	}
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fs.ErrExist
	}
	if err != nil {
		return unwritable(path, err)
	}
	_, err = out.Write(f.Data)
	if err := errors.Join(err, out.Close()); err != nil {
		return unwritable(path, errors.Join(err, os.Remove(path)))
	}
	return nil
}

// unwritable is the error of a file or folder that cannot be made.
func unwritable(path string, err error) error {
	if below := (*fs.PathError)(nil); errors.As(err, &below) { // which names the path once more
		path, err = below.Path, below.Err
	}
	return &stream.Error{Code: stream.OutputFile, Where: path, Why: "it cannot be written", Err: err, Fix: "choose a folder that this user may write to, on a disk with room"}
}
