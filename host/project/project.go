package project

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/stream"
)

// Project is the source of a plugin.
type Project struct {
	Dir      string
	Name     string // of the plugin: that of the folder
	Language Language
	Source   string // the file to compile, in Dir; empty = all of the folder, as for Go
}

// Pipeline is the file of its pipeline.
func (p *Project) Pipeline() string { return filepath.Join(p.Dir, p.Name+".yaml") }

// Find says what is in a folder. Its language is that of the sources in it, and its source
// the one that is named after the folder, or the only one.
func Find(dir string) (*Project, error) {
	const hint = "wasmill new udf NAME makes one; else name its folder"
	unknown := func(why, fix string) error {
		return &stream.Error{Code: stream.ProjectUnknown, Where: dir, Why: why, Fix: fix}
	}
	whole, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	switch info, statErr := os.Stat(dir); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, unknown("there is no such folder", meant(dir, hint))
	case statErr == nil && !info.IsDir():
		return nil, unknown("it is a file, not the folder of a plugin", "name "+ofFile(dir))
	case err != nil:
		return nil, unreadable(dir, err)
	}
	p := &Project{Dir: dir, Name: filepath.Base(whole)}
	if strings.HasPrefix(p.Name, ".") || strings.ContainsRune(p.Name, filepath.Separator) {
		return nil, unknown("a plugin is named after its folder, and this is no name for one", "rename the folder")
	}
	sources := make(map[Language][]string)
	var found []string
	for _, l := range Languages() {
		for _, e := range entries {
			if name := e.Name(); !e.IsDir() && strings.HasSuffix(name, l.ext()) && !strings.HasSuffix(name, "_test"+l.ext()) && !strings.HasSuffix(name, ".d.ts") {
				sources[l] = append(sources[l], name)
			}
		}
		if len(sources[l]) > 0 {
			p.Language, found = l, append(found, l.String())
		}
	}
	switch {
	case len(found) == 0:
		fix := hint
		if below := projectsBelow(dir); len(below) > 0 {
			fix = "name one of " + strings.Join(below, ", ")
		}
		return nil, unknown("there is no source of a plugin in the folder", fix)
	case len(found) > 1:
		return nil, unknown("there are sources in "+strings.Join(found, " and "), "give each plugin a folder of its own")
	case p.Language == Go:
		return p, nil
	}
	all := sources[p.Language]
	p.Source = p.Name + p.Language.ext()
	if !slices.Contains(all, p.Source) {
		if len(all) > 1 {
			return nil, unknown(fmt.Sprintf("there are %s, and none is named after the folder", strings.Join(all, ", ")), "rename the one with the function to "+p.Source)
		}
		p.Source = all[0]
	}
	return p, nil
}

// ofFile is the folder of the plugin that a file belongs to.
func ofFile(file string) string {
	if dir, built := strings.CutSuffix(file, ".wasm"); built && isProject(dir) {
		return dir
	}
	return filepath.Dir(file)
}

// meant says which folder may have been meant by one that is not there, or else hint.
func meant(dir, hint string) string {
	if there, ok := Meant(dir); ok {
		return "did you mean " + there + "?"
	}
	if below := projectsBelow(filepath.Dir(dir)); len(below) > 0 {
		return hint + "; " + config.Suggest("", below)
	}
	return hint
}

// Meant is the folder of a plugin's source that was probably meant by one that is not there.
func Meant(dir string) (there string, ok bool) {
	if there = filepath.Join(filepath.Dir(dir), pluginsFolder, filepath.Base(dir)); isProject(there) {
		return there, true
	}
	below := projectsBelow(filepath.Dir(dir))
	names := make([]string, len(below))
	for i := range below {
		names[i] = filepath.Base(below[i])
	}
	near, ok := config.Nearest(filepath.Base(dir), names)
	if !ok {
		return "", false
	}
	return below[slices.Index(names, near)], true
}

// projectsBelow lists the folders of plugins in the folder plugins of dir, or in dir if
// that is such a folder itself.
func projectsBelow(dir string) []string {
	if whole, err := filepath.Abs(dir); err == nil && filepath.Base(whole) != pluginsFolder {
		dir = filepath.Join(dir, pluginsFolder)
	}
	entries, _ := os.ReadDir(dir) // a hint only: without it there is none
	var below []string
	for _, e := range entries {
		if at := filepath.Join(dir, e.Name()); isProject(at) {
			below = append(below, at)
		}
	}
	return below
}

// isProject tells whether a folder has a source in one of the languages.
func isProject(dir string) bool {
	entries, _ := os.ReadDir(dir)
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		return !e.IsDir() && slices.ContainsFunc(Languages(), func(l Language) bool { return strings.HasSuffix(e.Name(), l.ext()) })
	})
}

// unreadable is the error of a folder that cannot be read.
func unreadable(dir string, err error) error {
	if below := (*fs.PathError)(nil); errors.As(err, &below) { // which names the path once more
		dir, err = below.Path, below.Err
	}
	return &stream.Error{Code: stream.InputUnreadable, Where: dir, Why: "the folder cannot be read", Err: err, Fix: "let this user read it"}
}
