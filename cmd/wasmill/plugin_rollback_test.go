package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
)

func TestAPluginIsRolledBack(t *testing.T) {
	w := newWorkshop(t)
	w.write("p.yaml", plain)
	var modules [3]string
	for k := range modules {
		modules[k] = string(append(abitest.Identity(), 0, 3, 1, 'v', byte('0'+k))) // a custom section
		w.write("plugins/identity.wasm", modules[k])
		if exit, _, text := w.wasmill("run", "p.yaml"); exit != 0 {
			t.Fatalf("exit %d: %s", exit, text)
		}
	}
	hash := func(module string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(module))) }
	is := func(k int) {
		t.Helper()
		if w.read("plugins/identity.wasm") != modules[k] {
			t.Errorf("version %d is not in the folder", k)
		}
	}
	exit, out, _ := w.wasmill("plugin", "versions", "identity")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if exit != 0 || len(lines) != 4 || !strings.HasPrefix(lines[1], hash(modules[2])[:12]+" ") || !strings.HasSuffix(lines[1], "yes") || !strings.HasSuffix(lines[2], "-") || !strings.HasPrefix(lines[3], hash(modules[0])[:12]) {
		t.Errorf("exit %d:\n%s", exit, out)
	}
	if exit, out, text := w.wasmill("plugin", "rollback", "identity"); exit != 0 || out != "plugins/identity.wasm is version "+hash(modules[1])[:12]+" again\n" {
		t.Errorf("exit %d: %s%s", exit, out, text)
	}
	is(1)
	if exit, out, _ := w.wasmill("plugin", "rollback", "identity.wasm", strings.ToUpper(hash(modules[0])), "--json"); exit != 0 || !strings.Contains(out, `"changed": true`) {
		t.Errorf("exit %d: %s", exit, out)
	}
	is(0)
	if exit, out, _ := w.wasmill("plugin", "rollback", "identity", hash(modules[0])[:12]); exit != 0 || !strings.HasSuffix(out, " already\n") {
		t.Errorf("exit %d: %s", exit, out)
	}
	is(0)
	if exit, _, text := w.wasmill("plugin", "rollback", "identity", "zz"); exit != stream.ExitInput || !strings.Contains(text, `begins with "zz"`) || !strings.Contains(text, hash(modules[2])[:12]) {
		t.Errorf("exit %d: %s", exit, text)
	}

	w.write("plugins/identity.wasm", "broken") // and never served
	exit, out, _ = w.wasmill("plugin", "versions", "identity", "--json")
	var list struct {
		OK       bool
		Plugin   string
		Versions []struct {
			SHA256   string
			Bytes    int
			Began    *string
			InFolder bool `json:"in_folder"`
		}
	}
	if err := json.Unmarshal([]byte(out), &list); err != nil || exit != 0 || !list.OK || list.Plugin != "identity" || len(list.Versions) != 4 {
		t.Fatalf("%v, exit %d: %s", err, exit, out)
	}
	if v := list.Versions[0]; v.SHA256 != hash("broken") || v.Bytes != 6 || v.Began != nil || !v.InFolder {
		t.Errorf("%+v", v)
	}
	if v := list.Versions[1]; v.SHA256 != hash(modules[2]) || v.Bytes != len(modules[2]) || v.Began == nil || v.InFolder {
		t.Errorf("%+v", v)
	}
	if exit, _, _ := w.wasmill("plugin", "rollback", "identity"); exit != 0 {
		t.Errorf("exit %d", exit)
	}
	is(2)
	if err := os.Remove(filepath.Join(w.dir, "plugins/identity.wasm")); err != nil {
		t.Fatal(err)
	}
	if exit, _, _ := w.wasmill("plugin", "rollback", "identity"); exit != 0 {
		t.Errorf("what was deleted: exit %d", exit)
	}
	is(2)
	if left, err := filepath.Glob("plugins/.*"); err != nil || len(left) != 0 {
		t.Errorf("left are %v, %v", left, err)
	}
}

func TestARollbackNeedsAVersion(t *testing.T) {
	w := newWorkshop(t)
	w.write("p.yaml", plain)
	if exit, _, text := w.wasmill("run", "p.yaml", "--set", "plugins.keep=0"); exit != 0 {
		t.Fatalf("exit %d: %s", exit, text)
	}
	if exit, out, _ := w.wasmill("plugin", "versions", "identity"); exit != 0 || strings.Count(out, "\n") != 2 {
		t.Errorf("exit %d: %s", exit, out)
	}
	if exit, _, text := w.wasmill("plugin", "rollback", "identity"); exit != stream.ExitInput || !strings.Contains(text, "no other version") {
		t.Errorf("exit %d: %s", exit, text)
	}
	for _, command := range []string{"versions", "rollback"} {
		for name, code := range map[string]stream.Code{"nobody": stream.PluginNotFound, "../identity": stream.PluginName} {
			if exit, _, text := w.wasmill("plugin", command, name); exit != stream.ExitInput || !strings.Contains(text, string(code)) {
				t.Errorf("%s %s: exit %d: %s", command, name, exit, text)
			}
		}
	}
	if !bytes.Equal([]byte(w.read("plugins/identity.wasm")), abitest.Identity()) {
		t.Error("the plugin was changed")
	}
	one, other := pluginVersion{SHA256: strings.Repeat("a", 64)}, pluginVersion{SHA256: "aab" + strings.Repeat("a", 61)}
	if _, err := chooseVersion("p", []pluginVersion{one, other}, "aa"); stream.CodeOf(err) != stream.Usage {
		t.Errorf("two that begin alike: %v", err)
	}
}
