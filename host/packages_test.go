package host_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// documented are packages whose comment is not in doc.go, and where it is.
var documented = map[string]string{
	"abi/sdk/go": "wasmill.go", // which users copy alone, and wasmill new with all that is beside it
}

// TestEachPackageSaysWhatItIs in doc.go, where it is looked for. A program of one's own, such as
// a plugin, may say it in any file.
func TestEachPackageSaysWhatItIs(t *testing.T) {
	checked := 0
	for dir, files := range packages(t) {
		checked++
		where := "doc.go"
		if file, ok := documented[dir]; ok {
			where = file
		}
		said := ""
		for name, f := range files {
			free := f.Name.Name == "main" && !strings.HasPrefix(dir, "cmd/")
			if text := f.Doc.Text(); text != "" && (name == where || free) {
				said = text
			} else if text != "" {
				t.Errorf("%s: %s has a comment of the package, whose place is %s", dir, name, where)
			}
		}
		if strings.TrimSpace(said) == "" {
			t.Errorf("%s does not say what it is: write a comment of the package in %s", dir, where)
		}
	}
	if checked < 50 {
		t.Errorf("only %d packages were checked", checked)
	}
}

// packages are the files of each package of the module that is built, by folder and name.
func packages(t *testing.T) map[string]map[string]*ast.File {
	all := make(map[string]map[string]*ast.File)
	err := walkSources(func(path string) error {
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		dir := folderOf(path)
		if all[dir] == nil {
			all[dir] = make(map[string]*ast.File)
		}
		all[dir][filepath.Base(path)] = f
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
