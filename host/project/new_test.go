package project

import (
	"errors"
	"go/format"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/stream"
)

// is says whether an error has a code and a text in it, and a fix.
func is(t *testing.T, err error, code stream.Code, text string) {
	t.Helper()
	var e *stream.Error
	if !errors.As(err, &e) || e.Code != code || !strings.Contains(err.Error(), text) || e.Fix == "" {
		t.Errorf("got %v, want %s with %q", err, code, text)
	}
}

func TestAProjectIsWhole(t *testing.T) {
	for _, l := range Languages() {
		for _, kind := range Kinds() {
			n := New{Name: "word-count", Language: l, Kind: kind, Dir: filepath.Join(t.TempDir(), "word-count")}
			source, err := n.Write()
			if err != nil {
				t.Fatal(err)
			}
			files, err := n.Files()
			if err != nil {
				t.Fatal(err)
			}
			sdk := 0
			for _, f := range files {
				text := string(f.Data)
				if strings.HasPrefix(f.Path, "wasmill/") {
					sdk++
				} else if strings.Contains(text, "@name") || strings.Contains(text, "@kind") || strings.Contains(text, "@dir") || strings.Contains(text, "@source") || strings.Contains(text, "@language") {
					t.Errorf("%s %s: %s has a word that is not replaced:\n%s", l, kind, f.Path, text)
				}
				if filepath.Ext(f.Path) == ".go" {
					if neat, err := format.Source(f.Data); err != nil || string(neat) != text {
						t.Errorf("%s is not as gofmt has it: %v", f.Path, err)
					}
				}
				if got, err := os.ReadFile(filepath.Join(n.Dir, f.Path)); err != nil || string(got) != text {
					t.Errorf("%s: %v", f.Path, err)
				}
			}
			if sdk == 0 {
				t.Errorf("%s has no SDK", l)
			}
			p, err := Find(n.Dir)
			if err != nil || p.Name != "word-count" || p.Language != l || l != Go && source != filepath.Join(p.Dir, p.Source) {
				t.Errorf("%s: found %+v, %v", l, p, err)
			}
			if readme, err := os.ReadFile(filepath.Join(n.Dir, "README.md")); err != nil || !strings.Contains(string(readme), "kind "+string(kind)+", in "+l.String()) || !strings.Contains(string(readme), "`"+filepath.Base(source)+"`") {
				t.Errorf("%s: %v", readme, err)
			}
		}
	}
}

func TestAProjectOverwritesNothing(t *testing.T) {
	dir := t.TempDir()
	n := New{Name: "f", Language: C, Kind: abi.KindMap, Dir: filepath.Join(dir, "plugins", "f"), Plugins: filepath.Join(dir, "plugins")}
	if _, err := n.Write(); err != nil {
		t.Fatal(err)
	}
	source := filepath.Join(n.Dir, "f.c")
	if err := os.WriteFile(source, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := n.Write()
	is(t, err, stream.ProjectExists, "plugins/f: the folder is there, with README.md in it")
	if data, err := os.ReadFile(source); string(data) != "mine" {
		t.Errorf("the source is %q, %v", data, err)
	}
	n.Name, n.Dir = "g", filepath.Join(dir, "plugins", "g")
	if err := os.WriteFile(filepath.Join(dir, "plugins", "g.wasm"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = n.Write()
	is(t, err, stream.ProjectExists, "g.wasm: there is a plugin with this name")
	if _, err := os.Stat(n.Dir); err == nil {
		t.Error("the folder was made")
	}
	n.Name, n.Dir = "h", filepath.Join(source, "h")
	_, err = n.Write()
	is(t, err, stream.OutputFile, "not a directory")
}

func TestNamesThatCannotBeThoseOfAPlugin(t *testing.T) {
	for _, test := range []struct{ name, why string }{
		{"", "small letters"},
		{"Shout", "small letters"},
		{"a b", "small letters"},
		{"../x", "small letters"},
		{"a/b", "small letters"},
		{"1st", "starts with a letter"},
		{"-x", "starts with a letter"},
		{"naïve", "small letters"},
		{strings.Repeat("a", 64), "at most 63"},
		{"in", "other vertices of its pipeline"},
		{"out", "other vertices of its pipeline"},
		{"my_test", "files that end so are tests"},
	} {
		_, err := New{Name: test.name, Language: Go, Kind: abi.KindMap}.Files()
		is(t, err, stream.Usage, test.why)
	}
	for _, name := range []string{"a", "word-count_2", strings.Repeat("a", 63), "test", "input"} {
		if _, err := (New{Name: name, Language: Go, Kind: abi.KindMap}).Files(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := ParseLanguage("rusty")
	is(t, err, stream.Usage, "did you mean rust?")
	_, err = ParseKind("maps")
	is(t, err, stream.Usage, "did you mean map?")
}

func TestThePipelineOfAProjectNamesItsSchema(t *testing.T) {
	dir := t.TempDir()
	if _, err := Begin(dir); err != nil {
		t.Fatal(err)
	}
	n := New{Name: "f", Language: C, Kind: abi.KindMap, Dir: filepath.Join(dir, "plugins", "f"), Schema: filepath.Join(dir, SchemaFile)}
	for _, want := range []string{"# yaml-language-server: $schema=../../.wasmill/pipeline.schema.json\nname: f\n", "name: f\n"} {
		files, err := n.Files()
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(files, func(f File) bool { return f.Path == "f.yaml" })
		if !strings.HasPrefix(string(files[i].Data), want) {
			t.Errorf("got %s", files[i].Data)
		}
		n.Schema = "nowhere.json"
	}
}

func TestBeginTellsWhatWasThere(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	made, err := Begin(dir)
	if err != nil || len(made) != 6 || slices.ContainsFunc(made, func(m Made) bool { return !m.New }) {
		t.Fatal(made, err)
	}
	settings := filepath.Join(dir, "wasmill.yaml")
	if err := errors.Join(os.WriteFile(settings, []byte("mine"), 0o600), os.Remove(filepath.Join(dir, ".gitignore"))); err != nil {
		t.Fatal(err)
	}
	made, err = Begin(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range made {
		if m.New != (filepath.Base(m.Path) == ".gitignore") {
			t.Errorf("%+v", m)
		}
	}
	if data, err := os.ReadFile(settings); string(data) != "mine" {
		t.Errorf("the settings are %q, %v", data, err)
	}
	_, err = Begin(settings)
	is(t, err, stream.OutputFile, "not a directory")
}
