package wasm

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm/trust"
)

// Admission says which plugin files are let in. The zero Admission lets all in.
type Admission struct {
	Lock string            // a file, which has their hashes; empty = any will do
	Keys []trust.PublicKey // one of them has signed each; none = no signature is asked for
}

// Require sets who is let in. It comes before the first Load.
func (e *Engine) Require(a Admission) { e.admission = a }

// Admits says why a plugin file that has a SHA-256, hex, is not let in.
func (e *Engine) Admits(path, hash string) error { return e.admission.Check(path, hash) }

// Check says why a plugin file that has a SHA-256, hex, is not let in. It reads the lock and
// the signature each time.
func (a *Admission) Check(path, hash string) error {
	_, signature := a.Signer(path, hash)
	return errors.Join(a.checkLock(path, hash), signature)
}

// Signer returns which key has signed a plugin file that has a SHA-256, hex; none if no
// signature is asked for.
func (a *Admission) Signer(path, hash string) (by trust.PublicKey, err error) {
	if len(a.Keys) == 0 {
		return by, nil
	}
	refuse := func(where, why, fix string, below error) error {
		return &stream.Error{Code: stream.PluginSignature, Where: where, Why: why, Fix: fix, Err: below}
	}
	name := path + trust.SignatureExt
	fix := "copy the signature of this very file there, or, if you trust it: wasmill plugin sign " + path + " --key FILE"
	f, _, err := openFile(name)
	switch {
	case stream.CodeOf(err) == stream.PluginNotFound:
		return by, refuse(path, "is not signed: there is no "+filepath.Base(name)+" beside it", fix, nil)
	case err != nil:
		return by, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, trust.MaxSignature))
	if err != nil {
		return by, refuse(name, "cannot be read", "check the disk or the share it is on", err)
	}
	s, err := trust.ParseSignature(string(text))
	if err != nil {
		return by, refuse(name, "is of no use", fix, err)
	}
	sum, err := hex.DecodeString(hash)
	if err != nil || len(sum) != sha256.Size {
		panic("BUG: wasm: the hash of a plugin is " + hash)
	}
	by, ok := s.By(a.Keys, [sha256.Size]byte(sum))
	if !ok {
		return by, refuse(path, "is not what "+filepath.Base(name)+" signs, or the key is none that plugins.trust has", fix, nil)
	}
	return by, nil
}

// LockState says how a plugin file stands in a lock.
type LockState string

// The states in a lock.
const (
	Locked   LockState = "locked"   // it has this content
	Unlocked LockState = "unlocked" // it is not in it
	Differs  LockState = "differs"  // it has another content in it
)

// LockState returns how a plugin file that has a SHA-256, hex, stands in the lock, and what
// the lock has of it; empty if there is no lock.
func (a *Admission) LockState(path, hash string) (state LockState, hashes []string, err error) {
	if a.Lock == "" {
		return "", nil, nil
	}
	lock, err := trust.ReadLock(a.Lock)
	if err != nil {
		return "", nil, &stream.Error{
			Code: stream.PluginLock, Where: a.Lock, Why: "plugins.lock is of no use", Err: err,
			Fix: "mend it, write it anew (wasmill plugin lock --write " + a.Lock + "), or name another with plugins.lock",
		}
	}
	hashes = lock.Hashes(strings.TrimSuffix(filepath.Base(path), Ext))
	switch {
	case len(hashes) == 0:
		return Unlocked, nil, nil
	case slices.Contains(hashes, hash):
		return Locked, hashes, nil
	}
	return Differs, hashes, nil
}

func (a *Admission) checkLock(path, hash string) error {
	state, hashes, err := a.LockState(path, hash)
	if err != nil || state == "" || state == Locked {
		return err
	}
	e := &stream.Error{Code: stream.PluginLock, Where: path}
	if state == Unlocked {
		e.Why = fmt.Sprintf("is not in %s; its SHA-256 is %s", a.Lock, hash)
		e.Fix = "if you trust it, add that: wasmill plugin lock prints the line"
	} else {
		e.Why = fmt.Sprintf("has the SHA-256 %s, and in %s it is %s", hash, a.Lock, strings.Join(hashes, " or "))
		e.Fix = "put the file back that is locked; or, if you trust this one, change the lock: wasmill plugin lock prints the line"
	}
	return e
}
