package config_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/stream"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// load reads a file of testdata. Comments "#env K=V" and "#set path=value" add
// layers; the name says whether it is a process file.
func load(t *testing.T, path string) error {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	l := config.Layers{Files: []config.File{{Name: filepath.Base(path), Data: data}}}
	for line := range bytes.Lines(data) {
		if v, ok := strings.CutPrefix(string(line), "#env "); ok {
			l.Env = append(l.Env, strings.TrimSuffix(v, "\n"))
		}
		if v, ok := strings.CutPrefix(string(line), "#set "); ok {
			l.Set = append(l.Set, strings.TrimSuffix(v, "\n"))
		}
	}
	if strings.HasPrefix(filepath.Base(path), "process-") {
		_, err = config.LoadProcess(l)
	} else {
		_, err = config.LoadPipeline(l, catalog())
	}
	return err
}

func TestBadConfigs(t *testing.T) {
	paths, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(paths) < 160 {
		t.Fatalf("found %d bad configs: %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			err := load(t, path)
			if err == nil {
				t.Fatal("it was accepted")
			}
			got := err.Error() + "\n"
			golden := strings.TrimSuffix(path, ".yaml") + ".txt"
			if *rewrite {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got:\n%swant:\n%s", got, want)
			}
		})
	}
}

// TestEveryKindOfFaultHasABadConfig looks for the codes in the golden files.
func TestEveryKindOfFaultHasABadConfig(t *testing.T) {
	paths, err := filepath.Glob("testdata/bad/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text...)
	}
	for _, code := range []stream.Code{
		stream.ConfigSyntax, stream.ConfigUnknownKey, stream.ConfigDuplicateKey, stream.ConfigType, stream.ConfigValue, stream.ConfigMissing,
		stream.GraphDuplicate, stream.GraphDangling, stream.GraphCycle, stream.GraphShape, stream.GraphDuplicateEdge,
		stream.PluginName, stream.PluginCapability,
	} {
		if !bytes.Contains(all, []byte("["+string(code)+"]")) {
			t.Errorf("no bad config gives %s", code)
		}
	}
}

func TestGoodConfigs(t *testing.T) {
	paths, err := filepath.Glob("testdata/good/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("found %d good configs: %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			if err := load(t, path); err != nil {
				t.Error(err)
			}
		})
	}
}
