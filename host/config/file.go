package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/wasmill/wasmill/host/stream"
)

// maxFile bounds a config file, in bytes.
const maxFile = 1 << 20

// File is a config file in memory. Name is how messages call it.
type File struct {
	Name string
	Data []byte
}

// ReadFile reads a config file. Its errors are *stream.Error with code
// ConfigFile, or Environment where permission is missing.
func ReadFile(path string) (File, error) {
	fault := func(why, fix string) (File, error) {
		return File{}, &stream.Error{Code: stream.ConfigFile, Where: path, Why: why, Fix: fix}
	}
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fault("there is no such file", similar(path))
	case errors.Is(err, fs.ErrPermission):
		return File{}, &stream.Error{
			Code: stream.Environment, Where: path, Why: "this user may not read it", Fix: "give the user that runs wasmill the right to read it",
		}
	case err != nil:
		return fault("it cannot be opened: "+cause(err), "check the path")
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		fix := "name a file inside it"
		if inside, ok := ofPlugin(path); ok {
			fix = "did you mean " + inside + "?"
		}
		return fault("it is a directory", fix)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return fault("it cannot be read: "+cause(err), "check the disk or the share it is on")
	case len(data) > maxFile:
		return fault(tooLarge, tooLargeFix)
	case bytes.HasPrefix(data, []byte("\x00asm")):
		return fault("it is a WebAssembly file, not YAML", "name a pipeline that has the plugin; wasmill call gives it records without one")
	}
	return File{Name: path, Data: data}, nil
}

const (
	tooLarge    = "it is larger than 1 MiB, which no config file is"
	tooLargeFix = "check that this is the right file"
)

// cause is an error of package os without the operation and the path.
func cause(err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	return err.Error()
}

// ofPlugin is the pipeline file in the folder of a plugin's source, as wasmill new makes it.
func ofPlugin(dir string) (file string, ok bool) {
	file = filepath.Join(dir, filepath.Base(dir)+".yaml")
	info, err := os.Stat(file)
	return file, err == nil && info.Mode().IsRegular()
}

// similar says which config file may have been meant by one that is not there.
func similar(path string) string {
	dir, base := filepath.Split(path)
	for _, folder := range []string{"pipelines", "plugins"} { // where wasmill init and new put them
		usual := filepath.Join(dir, folder, base)
		if inside, ok := ofPlugin(usual); ok {
			usual = inside
		}
		if _, err := os.Stat(usual); err == nil {
			return fmt.Sprintf("did you mean %s?", usual)
		}
	}
	entries, err := os.ReadDir(filepath.Clean(dir))
	if err != nil {
		return fmt.Sprintf("there is no folder %s either; check the path", filepath.Clean(dir))
	}
	var names []string
	for _, e := range entries {
		if ext := filepath.Ext(e.Name()); !e.IsDir() && (ext == ".yaml" || ext == ".yml") {
			names = append(names, e.Name())
		}
	}
	if len(names) == 0 {
		return "check the path: that folder has no .yaml file"
	}
	stem := strings.TrimSuffix(base, filepath.Ext(base))
	for _, name := range names { // .yml for .yaml, or none
		if strings.TrimSuffix(name, filepath.Ext(name)) == stem {
			return fmt.Sprintf("did you mean %s?", dir+name)
		}
	}
	if name, ok := Nearest(base, names); ok {
		return fmt.Sprintf("did you mean %s?", dir+name)
	}
	return Suggest(base, names)
}
