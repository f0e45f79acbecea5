package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// mistakes are command lines with which somebody who begins a plugin goes wrong; what is
// before wasmill in them is set in the environment.
func mistakes() []string {
	return []string{
		"quickstart now",
		"quickstart --for 10",
		"quickstart --for -1s",
		"init a b",
		"init in.txt",
		"new",
		"new plugin shout",
		"new shout",
		"udf shout",
		"compile taken",
		"new udf",
		"new udf a b",
		"new udf Shout",
		"new udf ../shout",
		"new udf in",
		"new udf my_test",
		"new udf shout --lang python",
		"new udf shout --lang rsut",
		"new udf shout --lang TypeScript",
		"new udf shout --kind maps",
		"new udf shout --kind source",
		"new udf taken",
		"new udf identity",
		"new udf shout --dir src",
		"new udf shout --dir in.txt/shout",
		"build nowhere",
		"build in.txt",
		"build plugins/taken/taken.c",
		"build plugins/spare.wasm",
		"build a b",
		"build",
		"build takne",
		"build ./taken",
		"build two",
		"build mixed",
		"build plugins/taken --params [",
		"PATH=/nowhere build golang",
		"PATH=/nowhere CLANG= build plugins/taken",
		"PATH=/nowhere ZIG= XDG_CACHE_HOME=/work/cache/none build zigzag",
		"PATH=/nowhere ASC= XDG_CACHE_HOME=/work/cache/none build script",
		"PATH=/nowhere RUSTC=rustc build rusty",
		"CLANG=/no/clang build plugins/taken",
		"ZIG=/work/old build zigzag",
		"GO=/work/old build golang",
		"RUSTC=/work/old build rusty",
		"ASC=/work/old build script",
		"CLANG=/work/old build plugins/taken",
		"CLANG=/work/apple build plugins/taken",
		"ZIG=/work/chatty build zigzag",
		"ZIG=/work/fails build zigzag",
		"ZIG=/work/garbage build zigzag",
		"ZIG=/work/empty build zigzag",
		"ZIG=/work/empty build zigzag --plugins in.txt",
		"dev nowhere",
		"dev two",
		"dev a b",
		"test takne",
		"test plugins/taken",
		"validate spare",
		"validate plugins/spare",
		"validate plugins/identity.wasm",
		"call identity",
		"call identity x",
		"call spare.wasm --input x",
		"call identitty",
		"call plugins/taken",
	}
}

// TestMistakesWithProjectsAreAnswered has each answered with a code, what to do, and as
// JSON, and checks that nothing is changed. testdata/projects.golden has them for people;
// -rewrite makes it anew.
func TestMistakesWithProjectsAreAnswered(t *testing.T) {
	golden, err := filepath.Abs("testdata/projects.golden")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorkshop(t)
	for name, text := range map[string]string{
		"plugins/taken/taken.c": "broken", "plugins/spare/spare.c": "broken", "plugins/spare/spare.yaml": "", "plugins/spare.wasm": "no plugin", "golang/main.go": "package main", "zigzag/zigzag.zig": "", "rusty/rusty.rs": "", "script/script.ts": "",
		"two/a.c": "", "two/b.c": "", "mixed/main.go": "", "mixed/mixed.zig": "",
	} {
		w.write(name, text)
	}
	for name, script := range map[string]string{
		"old":     "echo version 0.1.2",
		"apple":   "[ $1 = --print-targets ] || echo Apple clang version 15.0.0",
		"chatty":  "echo hello",
		"fails":   "[ $1 = version ] && echo 0.17.1 || { echo 'zigzag.zig:1:1: error: it is broken' >&2; exit 1; }",
		"garbage": "[ $1 = version ] && echo 0.17.1 || for a; do case $a in -femit-bin=*) echo not wasm > ${a#*=};; esac; done",
		"empty":   "[ $1 = version ] && echo 0.17.1 || for a; do case $a in -femit-bin=*) printf '\\000asm\\001\\000\\000\\000' > ${a#*=};; esac; done",
	} {
		w.write(name, "#!/bin/sh\n"+script+"\n")
		if err := os.Chmod(filepath.Join(w.dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	var table strings.Builder
	for _, line := range mistakes() {
		t.Run(line, func(t *testing.T) {
			args := strings.Fields(line)
			for ; strings.Contains(args[0], "="); args = args[1:] {
				name, value, _ := strings.Cut(args[0], "=")
				t.Setenv(name, strings.ReplaceAll(value, "/work", w.dir))
			}
			before := files(t, w.dir)
			exit, out, text := w.wasmill(append([]string{"--json"}, args...)...)
			var answer struct {
				OK     bool
				Exit   int
				Output string
				Errors []struct{ Code, Where, Why, Fix string }
			}
			if err := json.Unmarshal([]byte(out), &answer); err != nil || exit == 0 || answer.OK || answer.Exit != exit || len(answer.Errors) == 0 {
				t.Fatalf("exit %d, %v: %s%s", exit, err, out, text)
			}
			e := answer.Errors[0]
			if e.Code == "" || e.Code == "internal" || e.Why == "" || e.Fix == "" {
				t.Errorf("%+v", e)
			}
			if plain, _, text := w.wasmill(args...); plain != exit || !strings.Contains(text, e.Why) || !strings.Contains(text, e.Fix) || !strings.HasPrefix(text, answer.Output) {
				t.Errorf("without --json: exit %d: %s", plain, text)
			}
			if after := files(t, w.dir); before != after {
				t.Errorf("it has changed something:\n%s\n%s", before, after)
			}
			where := ""
			if e.Where != "" {
				where = " at " + e.Where
			}
			fmt.Fprintf(&table, "%s\n  exit %d, %s%s\n  why: %s\n  fix: %s\n", line, exit, e.Code, where, e.Why, e.Fix)
		})
	}
	got := strings.ReplaceAll(table.String(), w.dir, "/work")
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
		t.Errorf("the answers are\n%s", got)
	}
}

// files lists what there is below a folder, but for the cache.
func files(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == "cache" {
			return filepath.SkipDir
		}
		fmt.Fprintln(&all, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}
