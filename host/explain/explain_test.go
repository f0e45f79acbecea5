package explain

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/stream"
)

// constants reads the codes of host/stream from their source, by the names they have there.
func constants(t *testing.T) map[string]stream.Code {
	t.Helper()
	codes := make(map[string]stream.Code)
	files, err := filepath.Glob("../stream/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			v, ok := n.(*ast.ValueSpec)
			if !ok || len(v.Values) != len(v.Names) {
				return true
			}
			if typ, ok := v.Type.(*ast.Ident); ok && typ.Name == "Code" {
				for i, id := range v.Names {
					codes[id.Name] = stream.Code(quoted(v.Values[i]))
				}
			}
			return true
		})
	}
	if len(codes) < 70 {
		t.Fatalf("found %d codes in the source", len(codes))
	}
	return codes
}

// quoted is the text of a literal; empty for another expression.
func quoted(e ast.Expr) string {
	if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
		text, _ := strconv.Unquote(lit.Value)
		return text
	}
	return ""
}

func TestEveryCodeIsExplained(t *testing.T) {
	codes := constants(t)
	for name, code := range codes {
		if _, ok := Of(code); !ok {
			t.Errorf("stream.%s (%s) is not explained: add an Entry for it to the function of its group in host/explain, in the order of codes.go, with a Title, a Cause, an Example as wasmill prints it (from a test or a run, not made up) and a Fix", name, code)
		}
	}
	seen := make(map[stream.Code]bool)
	for _, e := range All() {
		if seen[e.Code] {
			t.Errorf("%s is explained twice", e.Code)
		}
		seen[e.Code] = true
		if !slices.Contains(slices.Collect(maps.Values(codes)), e.Code) {
			t.Errorf("%s is explained, and no code of host/stream", e.Code)
		}
	}
}

// TestEntriesAreWhole looks for what was left out, or is of another form than the others.
func TestEntriesAreWhole(t *testing.T) {
	for _, e := range All() {
		switch {
		case e.Title == "" || strings.Contains(e.Title, "\n") || strings.HasSuffix(e.Title, ".") || len(e.Title) > 80:
			t.Errorf("%s: the title %q is not one line without a full stop", e.Code, e.Title)
		case !strings.HasSuffix(e.Cause, ".") || !strings.HasSuffix(e.Fix, "."):
			t.Errorf("%s: cause and fix are sentences", e.Code)
		case e.Example.Where == "" && e.Code != stream.WorkerDied || e.Example.Why == "" || e.Example.Code != e.Code:
			t.Errorf("%s: the example is %+v", e.Code, e.Example)
		case e.Exit() != stream.ExitCode(&stream.Error{Code: e.Code}):
			t.Errorf("%s: the exit code is %d", e.Code, e.Exit())
		}
		for _, want := range []string{string(e.Code) + ": " + e.Title, "error: " + e.Example.Where, "[" + string(e.Code) + "]", "exit code " + strconv.Itoa(e.Exit())} {
			if !strings.Contains(e.String(), want) {
				t.Errorf("%s: %q is not in\n%s", e.Code, want, e)
			}
		}
	}
}

// goldenErrors is what is said of all bad configs.
func goldenErrors(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob("../config/testdata/bad/*.txt")
	if err != nil || len(files) < 100 {
		t.Fatalf("found %d golden files: %v", len(files), err)
	}
	var golden []byte
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		golden = append(golden, text...)
	}
	return string(golden)
}

// TestExamplesAreGolden holds the examples of codes that bad configs have to these.
func TestExamplesAreGolden(t *testing.T) {
	golden := goldenErrors(t)
	checked := 0
	for _, e := range All() {
		if !strings.Contains(golden, "["+string(e.Code)+"]") {
			continue
		}
		checked++
		if !strings.Contains(golden, e.Example.Error()+"\n") {
			t.Errorf("%s: no file of host/config/testdata/bad has the example\n%s\ntake one that is there", e.Code, e.Example.Error())
		}
	}
	if checked < 12 {
		t.Errorf("only %d examples were looked for", checked)
	}
}

// texts are those of the functions that use a code, each as the parts that stand between
// what is filled in.
type texts map[string][][]string

// verb is a verb of package fmt.
var verb = regexp.MustCompile(`%[-+# 0]*[0-9.]*[a-zA-Z]`)

// textsOf reads all functions outside of tests.
func textsOf(t *testing.T) texts {
	t.Helper()
	all := make(texts)
	for _, root := range []string{"..", "../../checkpoint", "../../cmd"} {
		err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "../explain/") {
				return err
			}
			f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
			if err != nil {
				return err
			}
			for _, d := range f.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok {
					all.add(fn)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func (all texts) add(fn *ast.FuncDecl) {
	var codes []string
	var found [][]string
	ast.Inspect(fn, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && x.Name == "stream" {
				codes = append(codes, n.Sel.Name)
			}
		case *ast.BasicLit:
			if text := quoted(n); len(text) >= 8 {
				found = append(found, verb.Split(text, -1))
			}
		}
		return true
	})
	for _, code := range codes {
		all[code] = append(all[code], found...)
	}
}

// says reports whether a text has all parts, one behind the other, and is not just what
// was filled in.
func says(text string, parts []string) bool {
	letters := 0
	for _, part := range parts {
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text = text[i+len(part):]
		letters += len(part)
	}
	return letters >= 8
}

// TestExamplesAreWhatTheSourceSays looks for each other example in the functions that use
// its code.
func TestExamplesAreWhatTheSourceSays(t *testing.T) {
	all, golden := textsOf(t), goldenErrors(t)
	for name, code := range constants(t) {
		e, ok := Of(code)
		if !ok || strings.Contains(golden, "["+string(code)+"]") {
			continue // which another test looks at
		}
		if !slices.ContainsFunc(all[name], func(parts []string) bool { return says(e.Example.Why, parts) || says(e.Example.Fix, parts) }) {
			t.Errorf("%s: no function that uses stream.%s has a text as in the example\n%s\ntake what an error with this code says now", code, name, e.Example.Error())
		}
	}
}

func TestCodesLikeAWord(t *testing.T) {
	if got := Like("guest"); len(got) != 9 || got[0] != string(stream.GuestTrap) {
		t.Errorf("like guest are %q", got)
	}
	if got := Like("config_values"); !slices.Contains(got, "config-value") || slices.Contains(got, "guest-trap") {
		t.Errorf("like config_values are %q", got)
	}
	if got := Like("weather"); len(got) != len(All()) {
		t.Errorf("like weather are %d codes", len(got))
	}
}
