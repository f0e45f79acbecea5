package config_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/wasmill/wasmill/host/control"
)

var brackets = regexp.MustCompile(`\[[^\]]*\]`)

// document reads YAML as a validator of JSON takes it, which is as editors do: a time is
// a text.
func document(text []byte) (any, error) {
	var node yaml.Node
	if err := yaml.Unmarshal(text, &node); err != nil {
		return nil, err
	}
	untime(&node)
	var v any
	return v, node.Decode(&v)
}

func untime(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!timestamp" {
		n.Tag = "!!str"
	}
	for _, below := range n.Content {
		untime(below)
	}
}

// TestTheSchemasFitAllThatIsRead goes through the pipelines of this repository.
func TestTheSchemasFitAllThatIsRead(t *testing.T) {
	schema, seen := compiled(t, pipelineTree(t, control.Catalog())), 0
	for _, root := range []string{"../../examples", "../../plugins"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".yaml" || strings.HasSuffix(path, "_test.yaml") { // those are tests of pipelines
				return err
			}
			seen++
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			doc, err := document(text)
			if err = errors.Join(err, schema.Validate(doc)); err != nil {
				t.Errorf("%s: %v", path, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if seen < 25 {
		t.Errorf("only %d pipelines were looked at", seen)
	}
}

// TestTheSchemasFitTheGuides looks at the blocks of YAML of the README and of the guides, of
// which most are parts.
func TestTheSchemasFitTheGuides(t *testing.T) {
	var guides []byte
	for _, name := range []string{"README.md", "host/config/PIPELINES.md", "checkpoint/CHECKPOINTS.md", "host/LIVE.md", "plugins/TRUST.md"} {
		guide, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Fatal(err)
		}
		guides = append(guides, guide...)
	}
	s, ofProcess := pipelineTree(t, control.Catalog()), processTree(t)
	whole := compiled(t, s)
	delete(s, "required")
	part := compiled(t, s)
	process, seen := compiled(t, ofProcess), 0
	for _, block := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(guides, -1) {
		doc, err := document(block[1])
		keys, ok := doc.(tree)
		if err != nil || !ok {
			continue // a part of a vertex, say
		}
		schema := part
		for key := range keys {
			switch {
			case key == "vertices":
				schema = whole
			case below(ofProcess, key) != nil:
				schema = process
			case below(s, key) == nil:
				schema = nil
			}
		}
		if schema == nil {
			continue
		}
		seen++
		if err := schema.Validate(doc); err != nil {
			t.Errorf("%v in\n%s", err, block[1])
		}
	}
	if seen < 5 {
		t.Errorf("only %d blocks were looked at", seen)
	}
}

// TestTheSchemasFitGoodConfigs looks at those of testdata, and at the one with every key.
func TestTheSchemasFitGoodConfigs(t *testing.T) {
	pipeline, process := compiled(t, pipelineTree(t, catalog())), compiled(t, processTree(t))
	paths, err := filepath.Glob("testdata/good/*.yaml")
	if err != nil || len(paths) < 10 {
		t.Fatalf("found %d good configs: %v", len(paths), err)
	}
	for _, path := range append(paths, "") {
		text := []byte(everything)
		if path != "" {
			if text, err = os.ReadFile(path); err != nil {
				t.Fatal(err)
			}
		}
		doc, err := document(text)
		if err != nil {
			t.Fatal(err)
		}
		schema := pipeline
		if strings.HasPrefix(filepath.Base(path), "process-") {
			schema = process
			if doc == nil {
				continue // an empty file has no document
			}
		}
		if err := schema.Validate(doc); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestTheSchemasRefuseBadConfigs holds that what is wrong by its keys and types is wrong
// by the schema, but for what a schema cannot know.
func TestTheSchemasRefuseBadConfigs(t *testing.T) {
	pipeline, process := compiled(t, pipelineTree(t, catalog())), compiled(t, processTree(t))
	paths, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	refused, all := 0, 0
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		said, err := os.ReadFile(strings.TrimSuffix(path, ".yaml") + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		doc, err := document(text)
		if err != nil || regexp.MustCompile(`(?m)^#(env|set) `).Match(text) {
			continue // no schema sees it
		}
		schema := pipeline
		if strings.HasPrefix(filepath.Base(path), "process-") {
			schema = process
		}
		all++
		switch err = schema.Validate(doc); {
		case err != nil:
			refused++
		case bytes.Contains(said, []byte("[config-unknown-key]")) || bytes.Contains(said, []byte("[config-type]")):
			t.Errorf("%s is accepted, where config says\n%s", path, said)
		}
	}
	if refused < 90 || refused == all {
		t.Errorf("%d of %d bad configs are refused", refused, all)
	}
}
