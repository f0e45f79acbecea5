package wasm

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/whole"
)

// Archive keeps versions of plugins that served, so that one of them can be put back:
//
//	<Dir>/<plugin>/<SHA-256 of the file, hex>.wasm
//
// A file's time is when the version last began to serve. Processes may share an archive.
type Archive struct {
	Dir  string
	Keep int // versions of each plugin besides the one that began to serve last; 0 = none at all
}

// Version is a version of a plugin in an archive.
type Version struct {
	Hash  string    // SHA-256 of the file, hex
	Bytes int64     // of the file
	Began time.Time // to serve, the last time
}

// Versions lists those of a plugin, the one that began to serve last first.
func (a Archive) Versions(plugin string) ([]Version, error) {
	dir := filepath.Join(a.Dir, plugin)
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, &stream.Error{Code: stream.PluginFile, Where: dir, Why: "the versions of the plugin cannot be listed", Err: err}
	}
	var all []Version
	for _, e := range entries {
		hash, ok := strings.CutSuffix(e.Name(), Ext)
		if raw, err := hex.DecodeString(hash); !ok || err != nil || len(raw) != sha256.Size {
			continue // it is not ours
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			all = append(all, Version{hash, info.Size(), info.ModTime()})
		}
	}
	slices.SortFunc(all, func(a, b Version) int { return cmp.Or(b.Began.Compare(a.Began), cmp.Compare(a.Hash, b.Hash)) })
	return all, nil
}

// Serves is told that the version of a plugin with a hash begins to serve, which was loaded
// from a file. It copies the file, unless it has it, and removes versions that are too many.
func (a Archive) Serves(plugin, hash, file string) error {
	if a.Keep == 0 {
		return a.prune(plugin, 0)
	}
	kept, now := a.file(plugin, hash), time.Now()
	all, err := a.Versions(plugin)
	if len(all) > 0 && !now.After(all[0].Began) {
		now = all[0].Began.Add(time.Microsecond) // the clock was set back
	}
	if err == nil {
		err = os.Chtimes(kept, now, now)
	}
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(filepath.Dir(kept), 0o700); err == nil {
			err = copyPlugin(file, kept, hash, 0o600)
		}
		if err == nil {
			err = os.Chtimes(kept, now, now) // the kernel dates files by a clock that is some ms late
		}
	}
	if err != nil {
		return &stream.Error{
			Code: stream.PluginFile, Where: kept, Why: fmt.Sprintf("version %.12s of plugin %s cannot be kept", hash, plugin), Err: err,
			Fix: "it serves all the same, but wasmill plugin rollback does not know it",
		}
	}
	return a.prune(plugin, a.Keep+1)
}

// Restore puts a version into a file, whole or not at all.
func (a Archive) Restore(plugin, hash, file string) error {
	mode := fs.FileMode(0o644)
	if info, err := os.Lstat(file); err == nil && info.Mode().IsRegular() {
		mode = info.Mode().Perm() &^ 0o002
	}
	if err := copyPlugin(a.file(plugin, hash), file, hash, mode); err != nil {
		return &stream.Error{
			Code: stream.PluginFile, Where: file, Why: fmt.Sprintf("version %.12s of plugin %s cannot be put back", hash, plugin), Err: err,
			Fix: "nothing is changed; wasmill plugin versions " + plugin + " lists what there is",
		}
	}
	return nil
}

func (a Archive) file(plugin, hash string) string { return filepath.Join(a.Dir, plugin, hash+Ext) }

// prune leaves the versions that began to serve last.
func (a Archive) prune(plugin string, most int) error {
	all, err := a.Versions(plugin)
	if err != nil {
		return err
	}
	var errs []error
	for _, v := range all[min(most, len(all)):] {
		if err := os.Remove(a.file(plugin, v.Hash)); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	if err := whole.Sweep(filepath.Join(a.Dir, plugin)); !errors.Is(err, fs.ErrNotExist) {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// copyPlugin copies a file that has this hash.
func copyPlugin(from, to, hash string, mode fs.FileMode) error {
	in, err := os.OpenFile(from, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return err
	}
	defer in.Close()
	return whole.Fill(to, mode, func(out io.Writer) error {
		h := sha256.New()
		if _, err := io.Copy(io.MultiWriter(out, h), in); err != nil {
			return err
		}
		if got := hex.EncodeToString(h.Sum(nil)); got != hash {
			return fmt.Errorf("%s has another content, with the SHA-256 %.12s", from, got)
		}
		return nil
	})
}
