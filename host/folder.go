package host

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/config/watch"
)

// folder is the pipelines folder of a host whose pipelines come and go.
type folder struct {
	dir   string
	again chan struct{} // holds one if a pipeline has ended, which another may wait for

	last   []read    // at the last look; guarded by Host.reloads
	due    time.Time // of the next look, if nothing happens before; zero = none; guarded by Host.reloads
	empty  bool      // it was told that nothing runs; guarded by Host.reloads
	absent error     // why the folder cannot be read; guarded by Host.reloads

	mu      sync.Mutex // guards
	refused []refused  // files whose pipelines do not run
}

// read is a pipeline file that was read.
type read struct {
	config.File
	sum string
	c   *config.Pipeline // nil = err says why there is none
	err error
}

func newFolder(dir string) *folder { return &folder{dir: dir, again: make(chan struct{}, 1)} }

// read reads files.
func (f *folder) read(files []string) (all []read) {
	for _, name := range files {
		r := read{File: config.File{Name: name}}
		r.File, r.err = config.ReadFile(name)
		r.Name = name
		all = append(all, r)
	}
	return all
}

// seen takes what a watcher has seen of the files.
func (f *folder) seen(s watch.Snapshot) (all []read) {
	for name, file := range s.Files {
		if file.State != watch.Missing && filepath.Dir(name) == filepath.Clean(f.dir) && !strings.HasSuffix(name, ".wasm") && !config.TestFile(name) {
			all = append(all, read{File: config.File{Name: name, Data: file.Data}, err: file.Err})
		}
	}
	return all
}

// there returns those of the files that are there now, in the order of their paths. If the
// folder cannot be read, they are taken to be.
func (f *folder) there(all []read) []read {
	_, f.absent = os.ReadDir(f.dir)
	all = slices.DeleteFunc(all, func(r read) bool {
		_, err := os.Stat(r.Name)
		return errors.Is(err, os.ErrNotExist) && f.absent == nil
	})
	slices.SortFunc(all, func(a, b read) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// again reads a file that was read, as it was.
func (r *read) again(string) (config.File, error) { return r.File, r.err }

// find returns a file of the last look; nil = it was not there.
func (f *folder) find(file string) *read {
	if i := slices.IndexFunc(f.last, func(r read) bool { return r.Name == file }); i >= 0 {
		return &f.last[i]
	}
	return nil
}

// wake asks for another look.
func (f *folder) wake() {
	select {
	case f.again <- struct{}{}:
	default:
	}
}
