package wasm

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// inquire goes through what dead processes have left: it charges plugins, and
// removes the files. Those of living processes are left alone.
func (e *Engine) inquire() error {
	files, err := filepath.Glob(filepath.Join(e.dir, breathDir, "*"+extBreath))
	if err != nil {
		return err
	}
	for _, name := range files {
		if err := e.autopsy(name); err != nil {
			return err
		}
	}
	orphans, err := filepath.Glob(filepath.Join(e.dir, breathDir, "*"+extCrash))
	for _, name := range orphans {
		if _, gone := os.Stat(strings.TrimSuffix(name, extCrash) + extBreath); errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, remove(name))
		}
	}
	return err
}

// autopsy finds out what one process died of, if it is dead.
func (e *Engine) autopsy(name string) error {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if err := lock(f, false); errors.Is(err, errLocked) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	} else if err != nil {
		return err
	}
	said, at, err := readHead(crashFile(name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if why := fatal(said); why != "" {
		breaths, err := io.ReadAll(f)
		if err != nil {
			return err
		}
		if err := e.charge(filepath.Base(name), at, why, running(breaths)); err != nil {
			return err
		}
	}
	return errors.Join(remove(crashFile(name)), remove(name))
}

// readHead reads the start of a file that may be long, and when it was written.
func readHead(name string) (head string, at time.Time, err error) {
	f, err := os.Open(name)
	if err != nil {
		return "", at, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", at, err
	}
	text, err := io.ReadAll(io.LimitReader(f, 16<<10))
	return string(text), info.ModTime(), err
}

// remove removes a file that may be gone.
func remove(name string) error {
	if err := os.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// fatal returns what Go's runtime said when it ended a process, on one line, or
// "" if it was asked to end it.
func fatal(said string) string {
	head, _, _ := strings.Cut(strings.TrimSpace(said), "\n\n")
	for _, asked := range []string{"SIGQUIT:", "SIGABRT:"} {
		if strings.HasPrefix(head, asked) {
			return ""
		}
	}
	if !strings.HasPrefix(head, "goroutine ") {
		return printable([]byte(head), 300)
	}
	// What the runtime says of its own errors is on standard error only.
	var frames []string
	for _, line := range strings.Split(head, "\n")[1:] {
		if end := strings.LastIndexByte(line, '('); end > 0 && line[0] != '\t' {
			frames = append(frames, line[:end])
		}
	}
	return printable([]byte("a fatal error of Go's runtime in "+strings.Join(frames[:min(len(frames), 3)], " ← ")), 300)
}

// running lists the plugins that were in a call, by hash.
func running(breaths []byte) (hashes []string) {
	for s := range slices.Chunk(breaths, breathSlot) {
		if len(s) == breathSlot && s[breathHash] == 1 && isHash(string(s[:breathHash])) {
			hashes = append(hashes, string(s[:breathHash]))
		}
	}
	slices.Sort(hashes)
	return slices.Compact(hashes)
}

func isHash(s string) bool {
	raw, err := hex.DecodeString(s)
	return err == nil && len(raw) == sha256.Size
}
