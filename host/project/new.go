package project

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/sdk"
	"github.com/wasmill/wasmill/host/stream"
)

// Vertices of the pipeline that New makes, besides that of the plugin.
const (
	sourceVertex = "in"
	sinkVertex   = "out"
)

// New is a plugin to be begun.
type New struct {
	Name     string
	Language Language
	Kind     abi.Kind
	Dir      string // of the project
	Plugins  string // the plugins folder, in which its name has to be free
	// Schema is the file with the JSON Schema of pipelines, which that of the project names
	// for editors, if it is there.
	Schema string
}

// Files lists what the project has, by path: a function that does something, the SDK in
// wasmill/, a pipeline, its tests and a README.
func (n New) Files() ([]File, error) {
	if err := checkName(n.Name); err != nil {
		return nil, err
	}
	l, kind := string(n.Language), string(n.Kind)
	source := n.source()
	from := map[string]string{source: l + "/" + kind, n.Name + ".yaml": "pipeline/" + kind, n.Name + "_test.yaml": "pipeline/" + kind + "_test", "README.md": "readme"}
	switch n.Language {
	case Go:
		from["go.mod"], from["main_test.go"] = "go/mod", "go/"+kind+"_test"
	case Zig:
		from[".gitignore"] = "zig/gitignore"
	}
	var files []File
	for name, template := range from {
		data, err := filled(template, "name", n.Name, "kind", kind, "language", n.Language.String(), "source", source, "dir", filepath.ToSlash(n.Dir))
		if err != nil {
			return nil, err
		}
		if name == n.Name+".yaml" {
			data = append([]byte(n.header()), data...)
		}
		files = append(files, File{name, data})
	}
	sdks, err := fs.Glob(sdk.Files, l+"/*")
	if err != nil {
		return nil, err
	}
	for _, name := range sdks {
		if strings.HasSuffix(name, "_test.go") { // they test the SDK against package abi
			continue
		}
		data, err := sdk.Files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		files = append(files, File{"wasmill/" + path.Base(name), data})
	}
	slices.SortFunc(files, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	return files, nil
}

// source is the file that the function is in.
func (n New) source() string {
	if n.Language == Go {
		return "main.go"
	}
	return n.Name + n.Language.ext()
}

// header is the line of a pipeline that tells editors of its schema; empty = there is none.
func (n New) header() string {
	if _, err := os.Stat(n.Schema); err != nil {
		return ""
	}
	schema, err := filepath.Abs(n.Schema)
	dir, err2 := filepath.Abs(n.Dir)
	if path, err3 := filepath.Rel(dir, schema); errors.Join(err, err2, err3) == nil {
		return "# yaml-language-server: $schema=" + filepath.ToSlash(path) + "\n"
	}
	return ""
}

// Write makes the project. Its folder has to have its name, and to be empty or not there. It
// returns the path of the source.
func (n New) Write() (source string, err error) {
	files, err := n.Files()
	if err != nil {
		return "", err
	}
	if whole, err := filepath.Abs(n.Dir); err != nil || filepath.Base(whole) != n.Name { // see Find
		return "", &stream.Error{Code: stream.Usage, Where: "--dir " + n.Dir, Why: "a plugin is named after its folder, and this is not " + n.Name, Fix: "name " + filepath.Join(n.Dir, n.Name)}
	}
	entries, err := os.ReadDir(n.Dir)
	switch {
	case len(entries) > 0:
		return "", &stream.Error{
			Code: stream.ProjectExists, Where: n.Dir, Why: fmt.Sprintf("the folder is there, with %s in it", entries[0].Name()),
			Fix: "choose another name, or another folder with --dir; nothing was changed",
		}
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return "", unwritable(n.Dir, err)
	}
	plugin := filepath.Join(n.Plugins, n.Name+".wasm")
	if _, err := os.Lstat(plugin); err == nil {
		return "", &stream.Error{
			Code: stream.ProjectExists, Where: plugin, Why: "there is a plugin with this name, which a build would replace", Fix: "choose another name, or remove it; nothing was changed",
		}
	}
	for _, f := range files {
		if err := write(n.Dir, f); errors.Is(err, fs.ErrExist) {
			return "", &stream.Error{Code: stream.ProjectExists, Where: filepath.Join(n.Dir, f.Path), Why: "it has come meanwhile", Fix: "choose another name"}
		} else if err != nil {
			return "", err
		}
	}
	return filepath.Join(n.Dir, n.source()), nil
}
