package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
)

func TestALockSaysWhichPluginsRun(t *testing.T) {
	w := newWorkshop(t)
	w.write("p.yaml", plain)
	line := fmt.Sprintf("%x  plugins/identity.wasm\n", sha256.Sum256(abitest.Identity()))
	if exit, out, text := w.wasmill("plugin", "lock"); exit != 0 || out != line {
		t.Errorf("exit %d: %s%s", exit, out, text)
	}
	if exit, out, text := w.wasmill("plugin", "lock", "--write", "plugins.lock"); exit != 0 || w.read("plugins.lock") != line {
		t.Errorf("exit %d: %s%s", exit, out, text)
	}
	if exit, out, _ := w.wasmill("plugin", "lock", "--json"); exit != 0 || !strings.Contains(out, `"identity": "`+line[:64]) {
		t.Errorf("exit %d: %s", exit, out)
	}
	w.write("wasmill.yaml", "plugins: {lock: plugins.lock}\n")
	if exit, _, text := w.wasmill("run", "p.yaml"); exit != 0 {
		t.Errorf("with what is locked: exit %d: %s", exit, text)
	}
	if exit, out, _ := w.wasmill("plugin", "verify", "identity"); exit != 0 || !strings.Contains(out, "locked in plugins.lock") {
		t.Errorf("verify: exit %d: %s", exit, out)
	}

	w.write("plugins/identity.wasm", string(abitest.Identity())+"\x00\x03\x01v2") // another version
	w.write("plugins/new.wasm", string(abitest.Identity()))
	for _, command := range [][]string{{"run", "p.yaml"}, {"validate", "p.yaml"}, {"plugin", "verify", "identity"}} {
		if exit, _, text := w.wasmill(command...); exit != stream.ExitInput || !strings.Contains(text, "plugins/identity.wasm: has the SHA-256 ") {
			t.Errorf("%v of another version: exit %d: %s", command, exit, text)
		}
	}
	exit, out, _ := w.wasmill("plugin", "list", "--json")
	if exit != 0 || !strings.Contains(out, `"lock": "differs"`) || !strings.Contains(out, `"lock": "unlocked"`) {
		t.Errorf("list: exit %d: %s", exit, out)
	}
	if exit, out, text := w.wasmill("plugin", "inspect", "new"); exit != 0 { // who asks about a file has chosen it
		t.Errorf("inspect: exit %d: %s%s", exit, out, text)
	}
	w.write("plugins.lock", "nonsense")
	if exit, _, text := w.wasmill("run", "p.yaml"); exit != stream.ExitInput || !strings.Contains(text, "line 1") {
		t.Errorf("with a damaged lock: exit %d: %s", exit, text)
	}
	if exit, _, text := w.wasmill("plugin", "lock", "--write", "none/plugins.lock"); exit != stream.ExitEnvironment || !strings.Contains(text, "none/plugins.lock: cannot be written") {
		t.Errorf("into a folder that is not there: exit %d: %s", exit, text)
	}
}

func TestASignedPluginRuns(t *testing.T) {
	w := newWorkshop(t)
	w.write("p.yaml", plain)
	if exit, _, text := w.wasmill("plugin", "verify", "identity"); exit != stream.ExitInput || !strings.Contains(text, "there is nothing to verify it by") {
		t.Errorf("verify without anything: exit %d: %s", exit, text)
	}
	exit, public, text := w.wasmill("plugin", "keygen", "--out", "release.key")
	if exit != 0 || w.read("release.key.pub") != public {
		t.Fatalf("keygen: exit %d: %s%s", exit, public, text)
	}
	if info, err := os.Stat(filepath.Join(w.dir, "release.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key is %v, %v", info.Mode(), err)
	}
	before := w.read("release.key")
	if exit, _, text := w.wasmill("plugin", "keygen", "--out", "release.key"); exit != stream.ExitInput || w.read("release.key") != before {
		t.Errorf("keygen over another: exit %d: %s", exit, text)
	}
	w.write("wasmill.yaml", "plugins: {trust: [{file: release.key.pub}]}\n")
	for _, command := range [][]string{{"run", "p.yaml"}, {"plugin", "verify", "identity"}} {
		if exit, _, text := w.wasmill(command...); exit != stream.ExitInput || !strings.Contains(text, "is not signed") || !strings.Contains(text, "wasmill plugin sign plugins/identity.wasm") {
			t.Errorf("%v without a signature: exit %d: %s", command, exit, text)
		}
	}
	if exit, out, text := w.wasmill("plugin", "sign", "identity", "--key", "release.key"); exit != 0 || !strings.HasPrefix(out, "plugins/identity.wasm.sig signs ") {
		t.Fatalf("sign: exit %d: %s%s", exit, out, text)
	}
	if exit, out, _ := w.wasmill("plugin", "verify", "--json", "plugins/identity.wasm"); exit != 0 || !strings.Contains(out, `"signed_by": "`+strings.TrimSpace(public)) {
		t.Errorf("verify: exit %d: %s", exit, out)
	}
	if exit, _, text := w.wasmill("run", "p.yaml"); exit != 0 {
		t.Errorf("run: exit %d: %s", exit, text)
	}
	if exit, out, _ := w.wasmill("plugin", "list"); exit != 0 || strings.Contains(out, "sig") { // which is no plugin
		t.Errorf("list: exit %d: %s", exit, out)
	}
	for name, key := range map[string]string{"the public key": "release.key.pub", "no file": "none"} {
		if exit, _, text := w.wasmill("plugin", "sign", "identity", "--key", key); exit != stream.ExitInput || !strings.Contains(text, "there is no key to sign with") {
			t.Errorf("sign with %s: exit %d: %s", name, exit, text)
		}
	}
	for _, command := range [][]string{{"plugin", "sign", "identity"}, {"plugin", "keygen"}} {
		if exit, _, text := w.wasmill(command...); exit != stream.ExitInput || !strings.Contains(text, "["+string(stream.Usage)+"]") {
			t.Errorf("%v: exit %d: %s", command, exit, text)
		}
	}
}
