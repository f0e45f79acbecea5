package wasm

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Suspect is a plugin that something is held against.
type Suspect struct {
	SHA256      string    `json:"sha256"`
	Quarantined bool      `json:"quarantined"` // it is not loaded
	Deaths      int       `json:"deaths"`      // of processes while it was in a call
	Last        time.Time `json:"last"`
	Why         string    `json:"why"` // of the last
}

// Suspects lists the plugins that something is held against, in the order of their hashes, as a
// cache folder has them. None is no error.
func Suspects(cacheDir string) ([]Suspect, error) {
	dir := filepath.Join(cacheDir, "wasm", quarantineDir)
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	all := []Suspect{}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		var c charge
		if json.Unmarshal(data, &c) != nil {
			continue // half of one that is being written
		}
		all = append(all, Suspect{e.Name(), c.proven(), len(c.Deaths), c.Last, c.Why})
	}
	return all, nil
}
