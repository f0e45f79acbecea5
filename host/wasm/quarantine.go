package wasm

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/whole"
)

// quarantineDir is a folder beside the compiled code.
const quarantineDir = "quarantine"

// charge is what is held against a plugin, in a file that has its hash as name:
// it was in a call when a process came to a fatal end.
type charge struct {
	Deaths []string  `json:"deaths"` // last-breath files, each once
	Alone  bool      `json:"alone"`  // in one of them, that nobody supervised, no other plugin was in a call
	Last   time.Time `json:"last"`
	Why    string    `json:"why"` // of the last, as Go's runtime said it
}

// forgotten is when a plugin that was in one call among others is acquitted.
const forgotten = 7 * 24 * time.Hour

// proven says whether the plugin is to be kept out: after the death of one process that
// nobody supervised if the plugin was alone in a call, else of two. Those who are supervised
// are started again, so that as many count as their files say.
func (c *charge) proven() bool {
	final, needed := 0, 0
	for _, death := range c.Deaths {
		if n := deathsOf(death); n == 0 {
			final++
		} else {
			needed = max(needed, n)
		}
	}
	return c.Alone || final > 1 || needed > 0 && len(c.Deaths) >= needed
}

// charge holds the death of a process against plugins.
func (e *Engine) charge(death string, at time.Time, why string, hashes []string) error {
	for _, hash := range hashes {
		c, err := e.charged(hash)
		if err != nil {
			return err
		}
		if c == nil || !c.proven() && at.Sub(c.Last) > forgotten {
			c = &charge{}
		}
		if slices.Contains(c.Deaths, death) {
			continue
		}
		c.Deaths = append(c.Deaths, death)
		c.Alone = c.Alone || len(hashes) == 1 && deathsOf(death) == 0
		c.Last, c.Why = at, why
		data, err := json.Marshal(c)
		if err != nil {
			return err
		}
		name := e.chargeFile(hash)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			return err
		}
		if err := whole.Replace(name, data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) chargeFile(hash string) string { return filepath.Join(e.dir, quarantineDir, hash) }

// charged returns what is held against a plugin; nil = nothing.
func (e *Engine) charged(hash string) (*charge, error) {
	if e.Uncached != nil {
		return nil, nil
	}
	data, err := os.ReadFile(e.chargeFile(hash))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	c := &charge{}
	if err == nil {
		err = json.Unmarshal(data, c)
	}
	if err != nil {
		return nil, &stream.Error{
			Code: stream.Environment, Where: e.chargeFile(hash), Why: "the record of a quarantine cannot be read", Err: err,
			Fix: "delete it if you trust the plugin",
		}
	}
	return c, nil
}

// admit refuses a plugin that is in quarantine.
func (e *Engine) admit(p *Plugin) error {
	c, err := e.charged(p.Hash)
	if err != nil || c == nil || !c.proven() {
		return err
	}
	why := fmt.Sprintf("is in quarantine (SHA-256 %s): it was in a call when a process ended on %s with %s", p.Hash, c.Last.Format(time.RFC3339), c.Why)
	if n := len(c.Deaths); n > 1 {
		why += fmt.Sprintf(", as in %d before", n-1)
	}
	return &stream.Error{
		Code: stream.PluginQuarantined, Where: p.Path, Why: why,
		Fix: "replace the plugin; or, if it is not to blame: wasmill plugin release " + p.Path,
	}
}

// Release lifts what is held against the plugin in a file, and says whether it
// was in quarantine.
func (e *Engine) Release(path string) (was bool, err error) {
	const most = 1 << 30 // more than any config allows
	data, err := readFile(path, most)
	if err != nil {
		return false, err
	}
	sum := sha256.Sum256(data)
	hash := hex.EncodeToString(sum[:])
	if e.Uncached != nil {
		return false, e.Uncached
	}
	name := e.chargeFile(hash)
	c, err := e.charged(hash)
	if err == nil && c == nil {
		return false, nil
	}
	if gone := os.Remove(name); gone != nil {
		return false, &stream.Error{Code: stream.Environment, Where: name, Why: "the record of a quarantine cannot be removed", Err: gone}
	}
	return err != nil || c.proven(), nil
}
