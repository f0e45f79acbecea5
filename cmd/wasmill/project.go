package main

import (
	"os"
	"path/filepath"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/project"
)

// projectHelp says of the commands for those who write plugins which settings they have.
const projectHelp = `Called below the root of a project, it uses that one's settings and plugins folder: of the
nearest folder upwards with a wasmill.yaml, or else of that whose folder plugins the working
directory is in. In no project, that of the folder it is given counts. With --config or
WASMILL_CONFIG nothing is looked for, and paths begin in the working directory, as those of
--plugins, --set and the environment always do.`

// projectOptions are the options of a command for those who write plugins, which is about a
// file or folder, or else about the working directory: with the settings of its project.
func (f *flags) projectOptions(about string, s stdio) host.Options {
	o := f.options(nil, s)
	if len(f.process) > 0 || os.Getenv("WASMILL_CONFIG") != "" {
		return o
	}
	root, ok := project.Root(".")
	if !ok && about != "" {
		if !isFolder(about) {
			about = filepath.Dir(about)
		}
		root, ok = project.Root(about)
	}
	if !ok || root == "." {
		return o
	}
	o.Root = project.Near(root)
	if file := filepath.Join(o.Root, defaultProcess); isThere(file) {
		o.Process = []string{file}
	}
	return o
}

func isThere(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// projectArg returns the project that a command line names, by folder or by name, or that in
// the working directory, and the settings that it has.
func projectArg(f *flags, s stdio, a []string) (p *project.Project, o host.Options, settings *config.Process, err error) {
	dir := "."
	if len(a) > 0 {
		dir = a[0]
	}
	o = f.projectOptions(dir, s)
	if settings, err = host.Settings(o); err != nil {
		return nil, o, nil, err
	}
	p, err = project.Find(project.Dir(dir, settings.Plugins.Dir))
	return p, o, settings, err
}
