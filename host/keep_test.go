package host

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
)

// TestAPluginIsRolledBackWhileItsPipelineRuns goes to and fro between two versions.
func TestAPluginIsRolledBackWhileItsPipelineRuns(t *testing.T) {
	first := abitest.Identity()
	s := openSwapped(t, first, ", rate: 20000", ", order: input", "{file: {path: out.ndjson}}")
	s.called()
	file := filepath.Join(s.dir, "f.wasm")
	serves := func(plugin []byte, kept int) {
		t.Helper()
		hash := s.Pipelines()[0].plugins["f"]
		if data, err := os.ReadFile(file); err != nil || string(data) != string(plugin) {
			t.Errorf("another file is in the folder: %v", err)
		}
		all, err := Archive(s.Settings).Versions("f")
		if err != nil || len(all) != kept || all[0].Hash != hash {
			t.Errorf("%.12s serves, kept are %v, %v", hash, all, err)
		}
	}
	for all, _ := Archive(s.Settings).Versions("f"); len(all) == 0; all, _ = Archive(s.Settings).Versions("f") {
		runtime.Gosched() // it is kept beside what runs
	}
	second := versioned(first, 2)
	s.drop(second)
	s.reload("vertex")
	serves(second, 2)
	for _, want := range [][]byte{first, second, first} {
		all, err := Archive(s.Settings).Versions("f")
		if err != nil {
			t.Fatal(err)
		}
		if err := Archive(s.Settings).Restore("f", all[1].Hash, file); err != nil {
			t.Fatal(err)
		}
		s.reload("vertex")
		serves(want, 2)
	}
	s.end()
	if n := s.numbers(true); n == 0 {
		t.Error("no record came through")
	}
}

// TestKeepingVersionsFailsForItself has no folder to keep them in.
func TestKeepingVersionsFailsForItself(t *testing.T) {
	first := abitest.Identity()
	blocked := filepath.Join(t.TempDir(), "data")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := openSwapped(t, first, ", rate: 20000", "", "{file: {path: out.ndjson}}", "data.dir="+blocked)
	s.called()
	s.drop(versioned(first, 2))
	s.reload("vertex")
	s.end()
	var told []string
	s.options.Events = func(string) stream.Events {
		return stream.Events{ConfigNotice: func(text string) { told = append(told, text) }}
	}
	now := s.Pipelines()[0].plugins
	s.keep("p", now, now)
	s.keep("p", nil, now)
	if len(told) != 1 || !strings.Contains(told[0], "of plugin f cannot be kept") {
		t.Errorf("told %q", told)
	}
}
