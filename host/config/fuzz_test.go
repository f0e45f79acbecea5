package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/stream"
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
		for _, fault := range placed(t, err) {
			if !strings.HasPrefix(fault.Where, "f.yaml:") && !strings.HasPrefix(fault.Where, "--set ") {
				t.Errorf("has no place: %#v", fault)
			}
		}
	})
}

// FuzzLoadProcess has a file, a variable and a flag at once.
func FuzzLoadProcess(f *testing.F) {
	paths, err := filepath.Glob("testdata/*/process-*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, "ADMIN_TLS_KEY=key.pem", "s3.secretKey.env=KEY")
	}
	f.Add([]byte("admin: &a {tls: *a}\n"), "ADMIN_TOKEN=x", "admin.tls={cert: [}")
	f.Fuzz(func(t *testing.T, data []byte, variable, set string) {
		l := config.Layers{Files: []config.File{{Name: "f.yaml", Data: data}}, Env: []string{"WASMILL_" + variable}, Set: []string{set}}
		p, err := config.LoadProcess(l)
		if (p == nil) == (err == nil) {
			t.Fatalf("got both or neither of %v and %v", p, err)
		}
		if err == nil {
			p.Admin.Listen.Addresses()
			return
		}
		for _, fault := range placed(t, err) {
			if !strings.HasPrefix(fault.Where, "f.yaml:") && !strings.HasPrefix(fault.Where, "--set ") && !strings.HasPrefix(fault.Where, "environment WASMILL_") {
				t.Errorf("has no place: %#v", fault)
			}
		}
	})
}

// placed returns the faults of an error, each of which has all that it needs.
func placed(t *testing.T, err error) []*stream.Error {
	t.Helper()
	faults := config.Faults(err)
	if len(faults) == 0 {
		t.Fatalf("not a fault: %v", err)
	}
	for _, e := range faults {
		if e.Code == "" || e.Where == "" || e.Why == "" || e.Fix == "" {
			t.Errorf("lacks a code, a place, a cause or a fix: %#v", e)
		}
	}
	return faults
}

func FuzzLoadTests(f *testing.F) {
	paths, err := filepath.Glob("../../cmd/wasmill/testdata/test/*_test.yaml")
	if err != nil || len(paths) == 0 {
		f.Fatal(paths, err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		tests, err := config.LoadTests(config.File{Name: "f.yaml", Data: data})
		if (tests == nil) == (err == nil) {
			t.Fatalf("got both or neither of %v and %v", tests, err)
		}
		if err != nil {
			for _, fault := range placed(t, err) {
				if !strings.HasPrefix(fault.Where, "f.yaml:") {
					t.Errorf("has no place: %#v", fault)
				}
			}
			return
		}
		for _, one := range tests.Tests {
			for i := range one.Input {
				if in := &one.Input[i]; in.File == "" && in.Watermark == nil {
					in.Bytes()
				}
			}
			for i := range one.HTTP {
				one.HTTP[i].Bytes()
			}
		}
	})
}
