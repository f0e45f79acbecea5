package host_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/wasmill/wasmill/"

// may lists what each package may import of this module: itself and what is
// below, and those named. A trailing /* stands for everything below.
var may = map[string][]string{
	"cmd/*":                        {"host", "host/*", "abi"},
	"host":                         {"host/admin", "host/control", "host/control/durable", "host/control/phase", "host/control/plan", "host/control/revision", "host/control/scale", "host/config", "host/config/watch", "host/pipeline", "host/suite", "host/wasm", "host/wasm/trust", "host/stream", "host/whole"},
	"host/instance":                {"host", "host/config", "host/stream", "host/supervise", "host/whole"},
	"host/project":                 {"host/config", "host/config/watch", "host/stream", "abi", "abi/abitest", "abi/sdk"},
	"host/suite":                   {"host/config", "host/control", "host/pipeline", "host/stream", "abi"},
	"host/admin":                   {"host/stream", "host/whole"},
	"host/control/durable":         {"checkpoint", "host/pipeline", "host/stream"},
	"host/control/phase":           {"host/pipeline", "host/stream"},
	"host/control/plan":            {"host/config", "host/stream"},
	"host/control/revision":        {"host/stream", "host/whole"},
	"host/control/scale":           {"host/stream"},
	"host/control":                 {"host/admin", "host/control/durable", "host/control/phase", "host/control/scale", "host/config", "host/field", "host/wasm", "host/wasm/fetch", "checkpoint", "checkpoint/dir", "checkpoint/s3", "host/pipeline", "host/connector/*", "host/side", "host/state", "host/state/*", "host/stream", "abi"},
	"host/config":                  {"host/stream", "abi"},
	"host/config/watch":            {"host/stream"},
	"host/diagram":                 {"host/config"},
	"host/explain":                 {"host/stream"},
	"host/doctor":                  {"host/stream"},
	"host/doctor/examine":          {"host", "host/admin", "host/config", "host/doctor", "host/instance", "host/stream", "host/wasm", "host/whole"},
	"host/wasm/meter":              {"host/wasm/binary"},
	"host/wasm":                    {"host/wasm/binary", "host/wasm/fetch", "host/wasm/meter", "host/wasm/trust", "host/stream", "host/whole", "abi", "abi/abitest"},
	"host/wasm/binary":             {},
	"host/wasm/fetch":              {},
	"host/wasm/trust":              {},
	"host/whole":                   {},
	"host/field":                   {"host/stream", "abi"},
	"host/pipeline":                {"host/state", "host/stream", "abi"},
	"host/state":                   {"host/stream"},
	"host/state/join":              {"host/state", "host/state/window", "host/stream"},
	"host/state/process":           {"host/state", "host/stream"},
	"host/state/statetest":         {"host/stream"},
	"host/state/window":            {"host/state", "host/stream"},
	"host/side":                    {"host/stream"},
	"host/stream":                  {},
	"host/stream/scripttest":       {},
	"host/notify":                  {"host/stream"},
	"host/supervise":               {"host/stream"},
	"host/connector/connectortest": {"host/stream", "abi"},
	"host/connector/internal/*":    {"host/stream", "abi"},
	"host/connector/*":             {"host/connector/internal/*", "host/stream", "host/whole", "abi"},
	"checkpoint":                   {"host/stream"},
	"checkpoint/*":                 {"checkpoint", "checkpoint/storetest/*", "host/stream"},
	"abi":                          {},
	"abi/abitest":                  {"abi"},
	"abi/sdk/*":                    {},
	"plugins/*":                    {"abi/sdk/*"},
	"examples/*":                   {"host", "abi/sdk/*"},
}

// owners lists the packages that may import a library, with spaces between.
var owners = map[string]string{
	"github.com/VictoriaMetrics":    "host/admin",
	"github.com/tetratelabs/wazero": "host/wasm",
	"github.com/knadh/koanf":        "host/config",
	"github.com/fsnotify":           "host/config/watch",
	"go.yaml.in/yaml":               "host/config",
	"github.com/spf13/cobra":        "cmd/wasmill",
	"github.com/ianlancetaylor":     "host/wasm",
	"golang.org/x/term":             "cmd/wasmill",
	"github.com/klauspost/compress": "host/connector/file checkpoint",
	"github.com/minio/minio-go":     "checkpoint/s3",
	"github.com/tidwall":            "host/field",
	"github.com/cenkalti":           "host/pipeline",
	"github.com/cespare":            "host/state",
	"github.com/axiomhq":            "host/state/window",
	"github.com/dgryski":            "host/state/window",
	"github.com/invopop":            "", // tests alone
	"github.com/santhosh-tekuri":    "", // tests alone
	"github.com/coreos/go-systemd":  "host/notify",
}

// TestImportsPointDownward holds the table of imports.
func TestImportsPointDownward(t *testing.T) {
	checked := 0
	err := walkSources(func(path string) error {
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		pkg := folderOf(path)
		for _, im := range f.Imports {
			name, err := strconv.Unquote(im.Path.Value)
			if err != nil {
				return err
			}
			checked++
			if ours, ok := strings.CutPrefix(name, module); ok && !allowed(pkg, ours) {
				t.Errorf("%s may not import %s (%s)", pkg, ours, path)
			}
			for library, owner := range owners {
				if strings.HasPrefix(name, library) && !slices.Contains(strings.Fields(owner), pkg) {
					t.Errorf("%s may not import %s, which belongs to %s (%s)", pkg, name, owner, path)
				}
			}
			if pkg == "host/stream" && strings.Contains(name, ".") {
				t.Errorf("host/stream may not import %s: it holds to the standard library", name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if checked < 100 {
		t.Errorf("only %d imports were checked", checked)
	}
}

// walkSources calls visit for each Go file of the module that is built: no test, and nothing
// of testdata.
func walkSources(visit func(path string) error) error {
	return filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "/testdata/") {
			return err
		}
		return visit(path)
	})
}

// folderOf is the folder of such a file in the module.
func folderOf(path string) string {
	return filepath.ToSlash(filepath.Dir(strings.TrimPrefix(path, "../")))
}

func allowed(pkg, target string) bool {
	rule, ok := may[pkg]
	for prefix := pkg; !ok; {
		cut := strings.LastIndexByte(prefix, '/')
		if cut < 0 {
			return false
		}
		prefix = prefix[:cut]
		rule, ok = may[prefix+"/*"]
	}
	for _, r := range rule {
		if r == target || (strings.HasSuffix(r, "/*") && strings.HasPrefix(target, strings.TrimSuffix(r, "*"))) {
			return true
		}
	}
	return false
}
