package host

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm/trust"
)

// put writes a file whole.
func put(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		t.Fatal(err)
	}
}

// TestALockAndSignaturesAreFollowed: a plugin that is not let in does not serve, and the one
// before does, until what lets it in is there. What is taken out runs on, and is told of.
func TestALockAndSignaturesAreFollowed(t *testing.T) {
	plugin := guest(t, "identity")
	lock := filepath.Join(t.TempDir(), "plugins.lock")
	line := func(plugin []byte) string {
		sum := sha256.Sum256(plugin)
		return trust.Line(hex.EncodeToString(sum[:]), "plugins/f.wasm")
	}
	key := trust.NewPrivate()
	one, two, three := versioned(plugin, 1), versioned(plugin, 2), versioned(plugin, 3)
	sign := func(plugin []byte) string { return trust.Sign(key, sha256.Sum256(plugin)).String() }

	put(t, lock, line(one))
	f := openDropped(t, one, true, "plugins.lock="+lock)
	refused := func(what string, code stream.Code) {
		t.Helper()
		f.until(what, func() bool {
			c := f.config()
			return c.Error != nil && strings.Contains(*c.Error, "["+string(code)+"]")
		})
	}
	f.drop(two)
	refused("a version that the lock has not is refused", stream.PluginLock)
	f.runs("the locked one", 1, one)
	put(t, lock, line(one)+line(two))
	f.serves("a version that the lock has now", 2, two)
	put(t, lock, line(one))
	refused("a version that is taken out of the lock is told of", stream.PluginLock)
	f.runs("it runs on", 2, two)
	f.drop(one)
	f.serves("the one that is in the lock", 3, one)
	f.end()
	f.numbers(true)

	s := &swapped{TB: t, dir: t.TempDir()}
	s.drop(one)
	settings := "plugins.trust=[" + key.Public().String() + "]"
	put(t, filepath.Join(s.dir, "p.yaml"), "name: p\nvertices:\n  - {name: in, source: {generator: {count: 1}}}\n  - {name: f, udf: {plugin: f}}\n  - {name: out, sink: drop}\nedges:\n  - {from: in, to: f}\n  - {from: f, to: out}\n")
	open := func() error {
		h, err := Open(context.Background(), Options{Files: []string{filepath.Join(s.dir, "p.yaml")}, Set: []string{"data.dir=" + t.TempDir(), "cache.dir=" + t.TempDir(), "plugins.dir=" + s.dir, settings}})
		if err == nil {
			err = h.Close(context.Background())
		}
		return err
	}
	if err := open(); stream.CodeOf(err) != stream.PluginSignature || !strings.Contains(err.Error(), "p.yaml:4:") {
		t.Errorf("without a signature: %v", err)
	}
	put(t, filepath.Join(s.dir, "f.wasm.sig"), sign(one))
	if err := open(); err != nil {
		t.Errorf("with a signature: %v", err)
	}

	signature := filepath.Join(s.dir, "f.wasm.sig")
	f = followIn(t, s.dir, one, true, settings)
	f.drop(two)
	refused("a version that is not signed is refused", stream.PluginSignature)
	f.runs("the signed one", 1, one)
	put(t, signature, sign(two))
	f.serves("a version that is signed now", 2, two)
	if err := os.Remove(signature); err != nil {
		t.Fatal(err)
	}
	refused("that a signature is gone is told", stream.PluginSignature)
	f.runs("it runs on", 2, two)
	put(t, signature, sign(three)) // first, as the README says
	f.drop(three)
	f.serves("the next one", 3, three)
	f.end()
	f.numbers(true)
}

func TestAKeyThatCannotBeHad(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "private"), trust.NewPrivate().Text())
	for name, want := range map[string]string{"none": "no such file", "private": "it is a private key"} {
		_, err := Open(context.Background(), Options{Files: []string{"p.yaml"}, Set: []string{"plugins.trust=[{file: " + filepath.Join(dir, name) + "}]"}})
		if stream.CodeOf(err) != stream.ConfigValue || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "plugins.trust[0]") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
