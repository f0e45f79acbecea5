package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// took is how long a test took, which is another time each time.
var took = regexp.MustCompile(`\(\d[\w.µ]*s\)`)

// TestWhatTestSays runs the test files of testdata/test and compares what is printed with
// the golden files beside them. Their sources, sinks and folders are nowhere, so they show
// too that nothing outside is touched.
func TestWhatTestSays(t *testing.T) {
	files, err := filepath.Glob("testdata/test/*_test.yaml")
	if err != nil || len(files) < 15 {
		t.Fatalf("found %v: %v", files, err)
	}
	home, err := filepath.Abs("testdata/test")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorkshop(t)
	if err := os.CopyFS(w.dir, os.DirFS(home)); err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(strings.TrimSuffix(name, "_test.yaml"), func(t *testing.T) {
			exit, out, errs := w.wasmill("test", name)
			got := took.ReplaceAllString(out+errs, "(…)")
			passes := name == "pass_test.yaml" || name == "join_test.yaml"
			if want := 2; passes && exit != 0 || !passes && exit != want {
				t.Errorf("exit %d", exit)
			}
			golden := filepath.Join(home, strings.TrimSuffix(name, "_test.yaml")+".txt")
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
	if _, err := os.Stat("nowhere"); err == nil {
		t.Error("a sink was opened")
	}
}

// TestTestsAreRepeatable runs the same tests again and again: what comes out, and in which
// order, is always the same.
func TestTestsAreRepeatable(t *testing.T) {
	home, err := filepath.Abs("testdata/test")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorkshop(t)
	if err := os.CopyFS(w.dir, os.DirFS(home)); err != nil {
		t.Fatal(err)
	}
	first := ""
	for range 10 {
		_, out, _ := w.wasmill("test", "-v", "diff_test.yaml", "pass_test.yaml", "state_test.yaml")
		if out = took.ReplaceAllString(out, ""); first == "" {
			first = out
		}
		if out != first {
			t.Fatalf("at first:\n%sthen:\n%s", first, out)
		}
	}
}

func TestWhichTestsRun(t *testing.T) {
	w := newWorkshop(t)
	w.write("a/p.yaml", plain)
	w.write("a/p_test.yaml", "tests:\n  - {name: one, vertex: f, input: [x], expect: [x]}\n  - {name: two, vertex: f, input: [x], expect: [y]}\n")
	w.write("a/deeper/q_test.yml", "pipeline: ../p.yaml\ntests:\n  - {name: three, vertex: f, input: [x], expect: [x]}\n")
	w.write("a/.hidden/h_test.yaml", "no: test")
	for _, c := range []struct {
		name string
		args []string
		exit int
		want string // the names in order
	}{
		{"all below a folder, hidden ones aside", []string{"a"}, 2, "three one two"},
		{"a folder and a file of it, each once", []string{"a/p_test.yaml", "a"}, 2, "one two three"},
		{"those of a name", []string{"--run", "^(one|three)$"}, 0, "three one"},
		{"all below the working directory", nil, 2, "three one two"},
	} {
		t.Run(c.name, func(t *testing.T) {
			exit, out, errs := w.wasmill(append([]string{"test", "--json"}, c.args...)...)
			var r struct {
				OK             bool
				Passed, Failed int
				Tests          []struct {
					Test     string
					OK       bool
					Findings []struct{ What string }
				}
			}
			if err := json.Unmarshal([]byte(out), &r); err != nil {
				t.Fatalf("%v: %s %s", err, out, errs)
			}
			var names []string
			for _, one := range r.Tests {
				names = append(names, one.Test)
				if one.OK != (one.Test != "two") || one.OK != (len(one.Findings) == 0) {
					t.Errorf("%+v", one)
				}
			}
			if got := strings.Join(names, " "); got != c.want || exit != c.exit || r.OK != (exit == 0) || r.Passed+r.Failed != len(names) {
				t.Errorf("exit %d, %+v", exit, r)
			}
		})
	}
	for _, c := range []struct{ name, args, want string }{
		{"a folder without tests", "plugins", "there is no test file in the folder"},
		{"a file that is no test file", "a/p.yaml", "name a/p_test.yaml"},
		{"a file that is not there", "a/q_test.yaml", "did you mean a/p_test.yaml?"},
		{"no test of that name", "--run=four a", "no test has a name that matches"},
		{"a pattern that is none", "--run=( a", "is no regular expression"},
	} {
		t.Run(c.name, func(t *testing.T) {
			exit, _, errs := w.wasmill(append([]string{"test"}, strings.Fields(c.args)...)...)
			if exit != 2 || !strings.Contains(errs, c.want) {
				t.Errorf("exit %d: %s", exit, errs)
			}
		})
	}
}

// TestTestsArePrintedInColourOnATerminalOnly looks for control codes.
func TestTestsArePrintedInColourOnATerminalOnly(t *testing.T) {
	w := newWorkshop(t)
	w.write("p.yaml", plain)
	w.write("p_test.yaml", "tests:\n  - {name: one, vertex: f, input: [x], expect: [y]}\n")
	if _, out, _ := w.wasmill("test"); strings.Contains(out, "\x1b") {
		t.Errorf("%q", out)
	}
	for _, colour := range []bool{true, false} {
		var s strings.Builder
		p := testPrinter{out: &s, colour: colour}
		p.line("31", "- ", "%s", "x")
		if got := s.String(); got != map[bool]string{true: "\x1b[31m- x\x1b[0m\n", false: "- x\n"}[colour] {
			t.Errorf("%q", got)
		}
	}
}

// TestTestFilesAreNoPipelines runs a folder of pipelines in which tests lie beside them.
func TestTestFilesAreNoPipelines(t *testing.T) {
	w := newWorkshop(t)
	w.write("pipelines/p.yaml", strings.ReplaceAll(plain, "in.txt", "../in.txt"))
	w.write("pipelines/p_test.yaml", "tests:\n  - {name: one, vertex: f, input: [x], expect: [x]}\n")
	if exit, out, errs := w.wasmill("validate"); exit != 0 || strings.Contains(out+errs, "p_test") {
		t.Errorf("exit %d: %s%s", exit, out, errs)
	}
}
