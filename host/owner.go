package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/whole"
)

// OwnerFile names, in a data.dir, the background instance that it belongs to: the name, and
// the end of the line. Without it the folder is one of foreground runs.
const OwnerFile = "instance"

// What processes have in a data.dir besides that.
const (
	phasesFolder    = "phases"
	pluginsFolder   = "plugins"
	revisionsFolder = "revisions"
)

// OwnEntry says whether an entry of a data.dir is one that wasmill makes there. Any other is
// somebody else's, such as what a sink has written.
func OwnEntry(name string) bool {
	switch name {
	case OwnerFile, phasesFolder, pluginsFolder, revisionsFolder, "admin.token", "cache": // the last two: config.Process
		return true
	}
	return whole.Temporary(name) // what is left of a claim, say
}

// mostOwner is more bytes than the name of an instance has.
const mostOwner = 256

// OwnData makes a data.dir that of an instance, and creates it. What is the instance's
// already stays so. A folder of another instance is refused, and one that is not empty, as a
// foreground run has used it: the error is a *stream.Error with the code stream.DataOwned.
// Of several that want one folder one gets it.
func OwnData(dir, instance string) error {
	if err := checkOwner(instance); err != nil {
		return err
	}
	switch owner, err := OwnerOf(dir); {
	case err != nil:
		return err
	case owner == instance:
		return nil
	case owner != "":
		return owned(dir, owner)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return ownerFault(dir, "cannot be created", err)
	}
	if err := unused(dir); err != nil {
		return err
	}
	err := claim(dir, instance)
	if !errors.Is(err, fs.ErrExist) {
		if err != nil {
			return ownerFault(dir, "cannot be made that of instance "+instance, err)
		}
		return nil
	}
	owner, err := OwnerOf(dir) // who was faster
	if err != nil || owner == instance {
		return err
	}
	return owned(dir, owner)
}

// claim writes the file, unless there is one.
func claim(dir, instance string) error {
	return whole.Create(filepath.Join(dir, OwnerFile), []byte(instance+"\n"), 0o600)
}

// unused refuses a folder that has something in it, besides what claims leave that a crash
// came between.
func unused(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return ownerFault(dir, "cannot be read", err)
	}
	for _, e := range entries {
		if e.Name() != OwnerFile && !whole.Temporary(e.Name()) {
			return &stream.Error{
				Code: stream.DataOwned, Where: "data.dir " + dir, Why: fmt.Sprintf("a foreground run has used it: %s is in it", e.Name()),
				Fix: "name a folder that is empty or not there; or delete this one, if nothing in it is needed",
			}
		}
	}
	return nil
}

// OwnerOf returns the instance that a data.dir belongs to; empty = none, also if it is not
// there.
func OwnerOf(dir string) (string, error) {
	name := filepath.Join(dir, OwnerFile)
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", ownerFault(dir, "its owner cannot be read", err)
	}
	owner, whole := strings.CutSuffix(string(data), "\n")
	if !whole || checkOwner(owner) != nil {
		return "", ownerFault(dir, "the file "+name+", which names its owner, is damaged", nil)
	}
	return owner, nil
}

// DisownData makes a data.dir nobody's, if it is that of the instance or is nobody's
// already. What else is in it stays.
func DisownData(dir, instance string) error {
	owner, err := OwnerOf(dir)
	switch {
	case err != nil:
		return err
	case owner == "":
		return nil
	case owner != instance:
		return owned(dir, owner)
	}
	if err := os.Remove(filepath.Join(dir, OwnerFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return ownerFault(dir, "cannot be taken from instance "+instance, err)
	}
	return nil
}

// mayUse refuses a data.dir to a run that is not of the instance that it belongs to. instance
// is that of the run; empty = it is in the foreground.
func mayUse(dir, instance string) error {
	owner, err := OwnerOf(dir)
	switch {
	case err != nil || owner == instance:
		return err
	case owner != "":
		return owned(dir, owner)
	}
	return &stream.Error{
		Code: stream.DataOwned, Where: "data.dir " + dir, Why: "it does not belong to instance " + instance + ", which is to run with it",
		Fix: "wasmill delete " + instance + " and create it again",
	}
}

func owned(dir, owner string) error {
	return &stream.Error{
		Code: stream.DataOwned, Where: "data.dir " + dir, Why: "it belongs to instance " + owner,
		Fix: fmt.Sprintf("wasmill resume %s runs it, wasmill delete %s removes it; or name another folder: --set data.dir=…", owner, owner),
	}
}

func checkOwner(instance string) error {
	if instance == "" || len(instance) > mostOwner || strings.ContainsAny(instance, "\n\r\x00/") {
		return &stream.Error{Code: stream.Usage, Where: fmt.Sprintf("%.40q", instance), Why: "that is not the name of an instance", Fix: "name it as wasmill list does"}
	}
	return nil
}

func ownerFault(dir, why string, err error) error {
	return &stream.Error{Code: stream.Environment, Where: "data.dir " + dir, Why: why, Err: err, Fix: "check the disk and the rights of the folder, or set data.dir to another one"}
}
