package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/config"
)

func FuzzLoadPipeline(f *testing.F) {
	paths, err := filepath.Glob("testdata/*/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, "vertices.parse.concurrency=4")
	}
	f.Add([]byte("name: &a [*a, *a]\n<<: *a\n"), "vertices={<<: [")
	f.Fuzz(func(t *testing.T, data []byte, set string) {
		l := config.Layers{Files: []config.File{{Name: "f.yaml", Data: data}}, Set: []string{set}}
		p, err := config.LoadPipeline(l, catalog())
		if (p == nil) == (err == nil) {
			t.Fatalf("got both or neither of %v and %v", p, err)
		}
		if err == nil {
			for _, v := range p.Vertices {
				if v.UDF != nil {
					v.UDF.ParamsJSON()
				}
			}
			return
		}
		faults := config.Faults(err)
		if len(faults) == 0 {
			t.Fatalf("not a fault: %v", err)
		}
		for _, e := range faults {
			if !strings.HasPrefix(e.Where, "f.yaml:") && !strings.HasPrefix(e.Where, "--set ") || e.Code == "" || e.Why == "" || e.Fix == "" {
				t.Errorf("lacks a code, a place, a cause or a fix: %#v", e)
			}
		}
	})
}
