package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/stream"
)

func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("pipeline.yaml", "name: p\n", 0o644)
	write("notes.txt", "", 0o644)
	write("large.yaml", strings.Repeat("#", 1<<20+1), 0o644)
	write("fits.yaml", strings.Repeat("#", 1<<20), 0o644)
	write("secret.yaml", "", 0)
	if err := os.MkdirAll(filepath.Join(dir, "sub", "none"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "pipelines"), 0o755), os.MkdirAll(filepath.Join(dir, "plugins", "shout"), 0o755)); err != nil {
		t.Fatal(err)
	}
	write("pipelines/begun.yaml", "", 0o644)

	f, err := config.ReadFile(filepath.Join(dir, "pipeline.yaml"))
	if err != nil || f.Name != filepath.Join(dir, "pipeline.yaml") || string(f.Data) != "name: p\n" {
		t.Errorf("got %v, %v", f, err)
	}
	if _, err := config.ReadFile(filepath.Join(dir, "fits.yaml")); err != nil {
		t.Error(err)
	}
	tests := []struct{ name, path, why, fix string }{
		{"misspelt", "pipelin.yaml", "no such file", "did you mean " + dir + "/pipeline.yaml?"},
		{"with the other extension", "pipeline.yml", "no such file", "did you mean " + dir + "/pipeline.yaml?"},
		{"like none", "weather.yaml", "no such file", "there are fits.yaml, large.yaml, pipeline.yaml, secret.yaml"},
		{"in a folder without any", "sub/a.yaml", "no such file", "no .yaml file"},
		{"in the folder of pipelines", "begun.yaml", "no such file", "did you mean " + dir + "/pipelines/begun.yaml?"},
		{"a folder of plugins", "shout", "no such file", "did you mean " + dir + "/plugins/shout?"},
		{"in a folder that is not there", "bus/a.yaml", "no such file", "no folder " + dir + "/bus"},
		{"below a file", "notes.txt/a.yaml", "not a directory", "check the path"},
		{"directory", "sub", "is a directory", "inside it"},
		{"too large", "large.yaml", "larger than 1 MiB", "right file"},
		{"not permitted", "secret.yaml", "may not read", "right to read"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.name == "not permitted" && os.Geteuid() == 0 {
				t.Skip("root may read everything")
			}
			_, err := config.ReadFile(filepath.Join(dir, test.path))
			e, ok := errors.AsType[*stream.Error](err)
			code := stream.ConfigFile
			if test.name == "not permitted" {
				code = stream.Environment
			}
			if !ok || e.Code != code || !strings.HasSuffix(e.Where, test.path) ||
				!strings.Contains(e.Why, test.why) || !strings.Contains(e.Fix, test.fix) {
				t.Errorf("got %v", err)
			}
		})
	}
}
