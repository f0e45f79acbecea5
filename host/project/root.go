package project

import (
	"io/fs"
	"os"
	"path/filepath"
)

// ProcessFile has the settings of the process, and marks the root of a project.
const ProcessFile = "wasmill.yaml"

// pluginsFolder is where plugins are by default.
const pluginsFolder = "plugins"

// Root is the folder that the relative paths of settings start in, for who works in dir: the
// nearest one, from dir upwards, that has a wasmill.yaml; else that whose folder plugins dir
// is in. A dir with pipelines or plugins of its own is one by itself. What is above dir and
// others may write to, such as /tmp, does not count: they could say there where files go.
// ok = there is one; it is dir as it was given, or an absolute path.
func Root(dir string) (root string, ok bool) {
	for _, own := range []string{ProcessFile, pluginsFolder, "pipelines"} {
		if _, err := os.Stat(filepath.Join(dir, own)); err == nil {
			return dir, true
		}
	}
	whole, err := filepath.Abs(dir)
	if err != nil {
		return "", false
	}
	for at := filepath.Dir(whole); at != filepath.Dir(at); at = filepath.Dir(at) {
		if info, err := os.Stat(filepath.Join(at, ProcessFile)); err == nil && info.Mode().IsRegular() && !shared(at) {
			return at, true
		}
	}
	for at := whole; at != filepath.Dir(at); at = filepath.Dir(at) {
		if above := filepath.Dir(at); filepath.Base(at) == pluginsFolder && !shared(above) {
			return above, true
		}
	}
	return "", false
}

// shared tells whether everybody may write to a folder.
func shared(dir string) bool {
	info, err := os.Stat(dir)
	return err != nil || info.Mode().Perm()&0o002 != 0
}

// Near is an absolute path as somebody in the working directory would write it: from there,
// but not through a link, which .. does not lead back over.
func Near(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	if real, err := filepath.EvalSymlinks(here); err != nil || real != here {
		return path
	}
	if near, err := filepath.Rel(here, path); err == nil {
		return near
	}
	return path
}

// Dir is the folder that a command line means by arg: the one there is, or else, if arg is a
// plain name, that of the plugin of that name in the plugins folder. Of neither it is arg.
func Dir(arg, plugins string) string {
	if _, err := os.Lstat(arg); err == nil || filepath.Base(arg) != arg || !fs.ValidPath(arg) {
		return arg
	}
	if info, err := os.Stat(filepath.Join(plugins, arg)); err == nil && info.IsDir() {
		return filepath.Join(plugins, arg)
	}
	return arg
}
