package project

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/stream"
)

func TestFind(t *testing.T) {
	for _, test := range []struct {
		name   string
		files  []string
		want   Project // without Dir and Name
		refuse string
	}{
		{name: "Go is all of a folder", files: []string{"main.go", "more.go", "main_test.go"}, want: Project{Language: Go}},
		{name: "the source is named after the folder", files: []string{"it.zig", "more.zig"}, want: Project{Language: Zig, Source: "it.zig"}},
		{name: "or the only one", files: []string{"lib.rs", "README.md", "it.yaml"}, want: Project{Language: Rust, Source: "lib.rs"}},
		{name: "declarations of TypeScript are no sources", files: []string{"it.ts", "x.d.ts"}, want: Project{Language: AssemblyScript, Source: "it.ts"}},
		{name: "headers are no sources", files: []string{"it.c", "it.h"}, want: Project{Language: C, Source: "it.c"}},
		{name: "none of several is meant", files: []string{"a.c", "b.c"}, refuse: "there are a.c, b.c, and none is named after the folder"},
		{name: "several languages are not told apart", files: []string{"main.go", "it.c"}, refuse: "there are sources in Go and C"},
		{name: "tests alone are no plugin", files: []string{"main_test.go"}, refuse: "there is no source of a plugin"},
		{name: "an empty folder is none", refuse: "there is no source of a plugin"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "it")
			for _, f := range test.files {
				if err := write(dir, File{f, nil}); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			p, err := Find(dir)
			if test.refuse != "" {
				is(t, err, stream.ProjectUnknown, test.refuse)
				return
			}
			test.want.Dir, test.want.Name = dir, "it"
			if err != nil || *p != test.want {
				t.Errorf("got %+v, %v", p, err)
			}
		})
	}
	_, err := Find(filepath.Join(t.TempDir(), "nowhere"))
	is(t, err, stream.ProjectUnknown, "there is no such folder")
	file := filepath.Join(t.TempDir(), "it.c")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Find(file)
	is(t, err, stream.ProjectUnknown, "it is a file")
	hidden := filepath.Join(t.TempDir(), ".it")
	if err := write(hidden, File{"it.c", nil}); err != nil {
		t.Fatal(err)
	}
	_, err = Find(hidden)
	is(t, err, stream.ProjectUnknown, "no name for one")
	t.Chdir(t.TempDir())
	if err := write("plugins/shout", File{"shout.c", nil}); err != nil {
		t.Fatal(err)
	}
	if err := write("plugins/empty", File{"notes", nil}); err != nil {
		t.Fatal(err)
	}
	for dir, fix := range map[string]string{
		"shout": "did you mean plugins/shout?", "empty": "wasmill new udf", ".": "name one of plugins/shout", "plugins": "name one of plugins/shout",
	} {
		_, err := Find(dir)
		if e := (*stream.Error)(nil); !errors.As(err, &e) || e.Code != stream.ProjectUnknown || !strings.HasPrefix(e.Fix, fix) {
			t.Errorf("%s: got %v, want %q", dir, err, fix)
		}
	}
	t.Chdir(filepath.Dir(file))
	if p, err := Find("."); err != nil || p.Name != filepath.Base(filepath.Dir(file)) {
		t.Errorf("the working directory is %+v, %v", p, err)
	}
}
