package wasm

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm/trust"
)

// TestWhichPluginsAreLetIn has the message of each refusal, word for word.
func TestWhichPluginsAreLetIn(t *testing.T) {
	t.Chdir(t.TempDir())
	plugin := abitest.Identity()
	sum := sha256.Sum256(plugin)
	hash := hex.EncodeToString(sum[:])
	other := strings.Repeat("00", 32)
	key, stranger := trust.NewPrivate(), trust.NewPrivate()
	keys := []trust.PublicKey{trust.NewPrivate().Public(), key.Public()}
	signed := trust.Sign(key, sum).String() + "\n"
	const signFix = "\n  fix: copy the signature of this very file there, or, if you trust it: wasmill plugin sign p/f.wasm --key FILE"
	const lockFix = "\n  fix: mend it, write it anew (wasmill plugin lock --write plugins.lock), or name another with plugins.lock"
	tests := []struct {
		name, lock, signature string
		keys                  []trust.PublicKey
		want                  string // empty = it is let in
	}{
		{"nothing is asked for", "", "", nil, ""},
		{"it is in the lock", hash + "  p/f.wasm\n", "", nil, ""},
		{"it is in the lock with another version", other + "  f.wasm\n" + hash + "  f.wasm\n", "", nil, ""},
		{"the lock has none", "# none\n", "", nil,
			"p/f.wasm: is not in plugins.lock; its SHA-256 is " + hash + " [plugin-lock]\n  fix: if you trust it, add that: wasmill plugin lock prints the line"},
		{"the lock has it under another name", hash + "  g.wasm\n", "", nil,
			"p/f.wasm: is not in plugins.lock; its SHA-256 is " + hash + " [plugin-lock]\n  fix: if you trust it, add that: wasmill plugin lock prints the line"},
		{"the lock has others", other + "  p/f.wasm\n" + strings.Repeat("11", 32) + "  p/f.wasm\n", "", nil,
			"p/f.wasm: has the SHA-256 " + hash + ", and in plugins.lock it is " + other + " or " + strings.Repeat("11", 32) +
				" [plugin-lock]\n  fix: put the file back that is locked; or, if you trust this one, change the lock: wasmill plugin lock prints the line"},
		{"the lock is damaged", hash + " f.wasm\n", "", nil,
			"plugins.lock: plugins.lock is of no use: line 1: after the digits there are not two spaces and a name [plugin-lock]" + lockFix},
		{"the lock is not there", "-", "", nil,
			"plugins.lock: plugins.lock is of no use: it cannot be read: no such file or directory [plugin-lock]" + lockFix},
		{"it is signed", "", signed, keys, ""},
		{"it is signed and in the lock", hash + "  f\n", signed, keys, ""},
		{"it is not signed", "", "", keys, "p/f.wasm: is not signed: there is no f.wasm.sig beside it [plugin-signature]" + signFix},
		{"it is signed by a stranger", "", trust.Sign(stranger, sum).String(), keys,
			"p/f.wasm: is not what f.wasm.sig signs, or the key is none that plugins.trust has [plugin-signature]" + signFix},
		{"another file is signed", "", trust.Sign(key, [32]byte{}).String(), keys,
			"p/f.wasm: is not what f.wasm.sig signs, or the key is none that plugins.trust has [plugin-signature]" + signFix},
		{"the signature is damaged", "", signed[:40], keys,
			"p/f.wasm.sig: is of no use: it is not a signature: it has 30 bytes instead of 64 [plugin-signature]" + signFix},
		{"the signature is too long", "", signed + strings.Repeat("x", 9000), keys,
			"p/f.wasm.sig: is of no use: it is not a signature: it has more than one line [plugin-signature]" + signFix},
		{"all is wrong", "# none\n", "", keys,
			"p/f.wasm: is not in plugins.lock; its SHA-256 is " + hash + " [plugin-lock]\n  fix: if you trust it, add that: wasmill plugin lock prints the line\n" +
				"p/f.wasm: is not signed: there is no f.wasm.sig beside it [plugin-signature]" + signFix},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := errors.Join(os.RemoveAll("p"), os.RemoveAll("plugins.lock"), os.Mkdir("p", 0o700), os.WriteFile("p/f.wasm", plugin, 0o600)); err != nil {
				t.Fatal(err)
			}
			a := Admission{Keys: tt.keys}
			if tt.lock != "" {
				a.Lock = "plugins.lock"
			}
			for name, text := range map[string]string{"plugins.lock": tt.lock, "p/f.wasm.sig": tt.signature} {
				if text == "" || text == "-" {
					continue
				}
				if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			e := newEngine(t)
			e.Require(a)
			p, err := e.Load(t.Context(), "p/f.wasm", DefaultLimits())
			if got := fmt.Sprint(err); err != nil && got != tt.want || err == nil && tt.want != "" {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
			if err == nil {
				if err := p.Close(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestASignatureHasToBeAFileOfTheFolder, as the plugin has.
func TestASignatureHasToBeAFileOfTheFolder(t *testing.T) {
	e := newEngine(t)
	key := trust.NewPrivate()
	e.Require(Admission{Keys: []trust.PublicKey{key.Public()}})
	path := drop(t, filepath.Join(t.TempDir(), "f.wasm"), 0o600)
	makePipe(t, path+".sig")
	if _, err := e.Load(t.Context(), path, DefaultLimits()); stream.CodeOf(err) != stream.PluginName || !strings.Contains(err.Error(), "f.wasm.sig: is a named pipe") {
		t.Errorf("got %v", err)
	}
}
