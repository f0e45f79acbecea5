package plan_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/control/plan"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

func load(t testing.TB, name, text string) *config.Pipeline {
	t.Helper()
	p, err := config.LoadPipeline(config.Layers{Files: []config.File{{Name: name, Data: []byte(text)}}}, catalog)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return p
}

// TestPlans reads pairs of configs from testdata, and compares what leads from one to
// the other with what is written there.
func TestPlans(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) < 25 {
		t.Fatalf("found %d pairs: %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			title, rest, ok1 := strings.Cut(string(data), "-- old --\n")
			old, rest, ok2 := strings.Cut(rest, "-- new --\n")
			new, want, ok3 := strings.Cut(rest, "-- plan --\n")
			if !ok1 || !ok2 || !ok3 || !strings.HasPrefix(title, "# ") {
				t.Fatal("it does not have all parts")
			}
			got := plan.Of(load(t, "old.yaml", old), load(t, "new.yaml", new)).String()
			if *rewrite {
				if err := os.WriteFile(path, []byte(strings.TrimSuffix(string(data), want)+got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != want {
				t.Errorf("%sgot:\n%swant:\n%s", title, got, want)
			}
		})
	}
}

// TestEachFieldHasOneClass fails for a field of the config that has none, and for what
// is no field any more. testdata/classes.golden is what people are told.
func TestEachFieldHasOneClass(t *testing.T) {
	classes := make(map[string]plan.Class)
	var text bytes.Buffer
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, f := range plan.Fields() {
		if _, twice := classes[f.Field]; twice {
			t.Errorf("%s is there twice", f.Field)
		}
		if f.Class < plan.Live || f.Class > plan.Restart {
			t.Errorf("%s has the class %d", f.Field, f.Class)
		}
		classes[f.Field] = f.Class
		fmt.Fprintf(w, "%s\t%s\t%s\n", f.Field, f.Class, f.Note)
	}
	w.Flush()
	for _, f := range config.Fields() {
		if _, ok := classes[f]; !ok {
			t.Errorf("%s has no class: say in table.go what it takes to change it while a pipeline runs", f)
		}
		delete(classes, f)
	}
	for f := range classes {
		t.Errorf("%s is no field of the config", f)
	}
	if *rewrite {
		if err := os.WriteFile("testdata/classes.golden", text.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile("testdata/classes.golden"); err != nil || string(want) != text.String() {
		t.Errorf("%v: got:\n%swant:\n%s", err, text.String(), want)
	}
}
