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

func TestAPluginInQuarantineDoesNotRunUntilItIsReleased(t *testing.T) {
	w := newWorkshop(t)
	w.write("p.yaml", plain)
	w.write(fmt.Sprintf("cache/wasmill/wasm/quarantine/%x", sha256.Sum256(abitest.Identity())),
		`{"deaths":["7-A.breath"],"alone":true,"last":"2026-03-01T10:00:00Z","why":"panic: out of its wits"}`)
	exit, _, text := w.wasmill("run", "p.yaml")
	for _, want := range []string{"p.yaml:6:", string(stream.PluginQuarantined), "2026-03-01T10:00:00Z", "panic: out of its wits", "wasmill plugin release "} {
		if exit != stream.ExitInput || !strings.Contains(text, want) {
			t.Errorf("exit %d: %s\nwant %s", exit, text, want)
		}
	}
	if exit, out, _ := w.wasmill("plugin", "list"); exit != 0 || !strings.Contains(out, "quarantine") {
		t.Errorf("list: exit %d: %s", exit, out)
	}
	if exit, out, text := w.wasmill("plugin", "release", "identity"); exit != 0 || !strings.Contains(out, "is released") {
		t.Errorf("release: exit %d: %s%s", exit, out, text)
	}
	if exit, out, _ := w.wasmill("plugin", "release", "--json", "plugins/identity.wasm"); exit != 0 || !strings.Contains(out, `"released": false`) {
		t.Errorf("release again: exit %d: %s", exit, out)
	}
	if exit, _, text := w.wasmill("plugin", "release", "nobody"); exit != stream.ExitInput || !strings.Contains(text, string(stream.PluginNotFound)) {
		t.Errorf("release of what is not there: exit %d: %s", exit, text)
	}
	if exit, _, text := w.wasmill("run", "p.yaml"); exit != 0 {
		t.Errorf("after the release: exit %d: %s", exit, text)
	}
	breaths := filepath.Join(w.dir, "cache/wasmill/wasm/breath")
	if left, err := os.ReadDir(breaths); err != nil || len(left) != 0 { // a folder says that the run was watched
		t.Errorf("the run left %v, %v", left, err)
	}
}
