package instance

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/whole"
)

// The files of an instance, in its folder.
const (
	recordFile   = "instance.json" // Record
	pipelineFile = "pipeline.yaml" // as it was, and followed while it runs
	specFile     = "spec.json"     // Spec
	lockFile     = "lock"          // of the keeper
	workerFile   = "worker"        // the lock of the worker
	logFile      = "log"
	olderLog     = "log.1"
	readyFile    = "ready.json" // host.Readiness
	adminFile    = "admin"      // the address of the worker
	errorFile    = "error"      // why the worker has ended
	socketFile   = "admin.sock"
	dataFolder   = "data"
)

// Names of folders that are no instances begin with a dot.
const (
	halfMade = ".new-"  // a create under way, or what is left of one
	halfGone = ".gone-" // an instance that was deleted
)

// abandoned is the age at which what is half made belongs to nobody any more.
const abandoned = time.Hour

// writeJSON gives a file a value as content, of which a crash leaves the old or the new.
func writeJSON(name string, value any) error {
	data, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		panic("BUG: instance: no JSON of " + filepath.Base(name) + ": " + err.Error())
	}
	return whole.Replace(name, append(data, '\n'), 0o600)
}

// readJSON reads what writeJSON wrote in a format up to newest. An error says which file.
func readJSON(name string, value any, newest int) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return fault(err)
	}
	var format struct{ Format int }
	if err := json.Unmarshal(data, &format); err != nil {
		return damaged(name, err)
	}
	switch {
	case format.Format > newest:
		return &stream.Error{
			Code: stream.InstanceFormat, Where: name, Why: "a newer wasmill has written it, in a format that this one does not know",
			Fix: "use the wasmill that wrote it, or one that is newer",
		}
	case format.Format < 1:
		return damaged(name, errors.New("it does not say its format"))
	}
	if err := json.Unmarshal(data, value); err != nil {
		return damaged(name, err)
	}
	return nil
}

// damaged says that a file of an instance cannot be read.
func damaged(name string, err error) error {
	return &stream.Error{
		Code: stream.InstanceDamaged, Where: name, Why: "the file is damaged", Err: err,
		Fix: "bring it back from a backup; or delete the folder " + filepath.Dir(name) + ", and with wasmill checkpoint delete what the instance has in its store",
	}
}

// fault says that the disk does not do what it should.
func fault(err error) error {
	if _, ok := errors.AsType[*stream.Error](err); ok || err == nil {
		return err
	}
	e := &stream.Error{Code: stream.Environment, Why: "what is kept of instances cannot be read or written", Err: err, Fix: "check the disk and the rights of the folder, or name another one with --home"}
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		e.Where, e.Err = p.Path, p.Err
	}
	return e
}

// sizeOf adds up the files below a path.
func sizeOf(path string) (bytes int64) {
	_ = filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // it goes meanwhile
		}
		if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
			bytes += info.Size()
		}
		return nil
	})
	return bytes
}

// sweep removes what creates and deletes have left that are gone.
func sweep(home string) {
	entries, err := os.ReadDir(home)
	if err != nil {
		return // whoever needs the folder says so
	}
	for _, e := range entries {
		info, err := e.Info()
		old := err == nil && time.Since(info.ModTime()) > abandoned
		if strings.HasPrefix(e.Name(), halfGone) || strings.HasPrefix(e.Name(), halfMade) && old {
			_ = os.RemoveAll(filepath.Join(home, e.Name())) // the next one tries again
		}
	}
}
