package instance

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// Home is the folder of instances, each in a folder with its name.
type Home struct {
	Dir     string
	Version string // of this binary
	// Executable is the file of this binary, whole path.
	Executable string
	// Keeper is a command that leads to Instance.Keep, with the name of an instance behind
	// it; Worker one that leads to Instance.Work.
	Keeper, Worker []string

	margin time.Duration     // in place of the usual one; 0 = that
	step   func(name string) // called at each step that a crash may follow; nil = nobody listens
}

// at tells that a step is reached.
func (h *Home) at(step string) {
	if h.step != nil {
		h.step(step)
	}
}

// HomeDir is the folder that is meant: the one given, or by the environment WASMILL_HOME,
// $XDG_STATE_HOME/wasmill, or ~/.local/state/wasmill.
func HomeDir(given string, getenv func(string) string) (string, error) {
	dir := given
	if dir == "" {
		dir = getenv(envHome)
	}
	if state := getenv("XDG_STATE_HOME"); dir == "" && filepath.IsAbs(state) { // others are to be ignored, by its specification
		dir = filepath.Join(state, "wasmill")
	}
	if home := getenv("HOME"); dir == "" && home != "" {
		dir = filepath.Join(home, ".local", "state", "wasmill")
	}
	if dir == "" {
		return "", &stream.Error{Code: stream.Usage, Where: "--home", Why: "there is no home folder, as HOME is not set", Fix: "name a folder for instances with --home or WASMILL_HOME"}
	}
	dir, err := filepath.Abs(dir)
	return dir, fault(err)
}

// Instance is one that exists. Its methods may be called by any process.
type Instance struct {
	Name string
	Spec Spec

	home *Home
	dir  string
}

func (h *Home) dir(name string) string { return filepath.Join(h.Dir, name) }

// Open finds an instance. It changes nothing.
func (h *Home) Open(name string) (*Instance, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	i := &Instance{Name: name, home: h, dir: h.dir(name)}
	if _, err := os.Stat(i.dir); errors.Is(err, fs.ErrNotExist) {
		return nil, h.unknown(name)
	}
	if err := readJSON(i.path(specFile), &i.Spec, specFormat); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			if _, gone := os.Stat(i.dir); errors.Is(gone, fs.ErrNotExist) {
				return nil, h.unknown(name) // meanwhile
			}
			return nil, damaged(i.path(specFile), err)
		}
		return nil, err
	}
	if i.Spec.Name != name {
		return nil, damaged(i.path(specFile), fmt.Errorf("it is that of %.40q", i.Spec.Name))
	}
	return i, nil
}

// Has says whether there is an instance, or something else, with a name.
func (h *Home) Has(name string) bool {
	if checkName(name) != nil {
		return false
	}
	_, err := os.Lstat(h.dir(name))
	return err == nil
}

// Names lists the instances, in the order of their names. None is no error.
func (h *Home) Names() ([]string, error) {
	entries, err := os.ReadDir(h.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fault(err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && checkName(e.Name()) == nil {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

func (h *Home) unknown(name string) error {
	fix := "wasmill create " + name + " -f pipeline.yaml makes one"
	if names, err := h.Names(); err == nil && len(names) > 0 {
		fix = "wasmill list shows those that there are: " + strings.Join(names, ", ")
	}
	return &stream.Error{Code: stream.InstanceUnknown, Where: h.dir(name), Why: "there is no instance " + name, Fix: fix}
}

// maxName is that of pipelines, whose names instances give.
const maxName = 63

// checkName says why something is not the name of an instance.
func checkName(name string) error {
	ok := len(name) > 0 && len(name) <= maxName && name[0] >= 'a' && name[0] <= 'z'
	for _, c := range []byte(name) {
		ok = ok && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_')
	}
	if ok {
		return nil
	}
	return &stream.Error{
		Code: stream.InstanceName, Where: fmt.Sprintf("%.80q", name), Why: fmt.Sprintf("that is not a name of at most %d small letters, digits, - and _ that starts with a letter", maxName),
		Fix: "choose such a name: the pipeline of the instance has it, too",
	}
}

func (i *Instance) path(file string) string { return filepath.Join(i.dir, file) }

// PipelineFile is the instance's own pipeline file, which may be edited.
func (i *Instance) PipelineFile() string { return i.path(pipelineFile) }

// LogFile is what its processes say.
func (i *Instance) LogFile() string { return i.path(logFile) }

// Record reads where it is in its life, as it is on the disk.
func (i *Instance) Record() (Record, error) { return readRecord(i.dir) }
