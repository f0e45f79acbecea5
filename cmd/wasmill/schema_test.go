package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestSchemaPrintsSchemas(t *testing.T) {
	w := newWorkshop(t)
	for _, tt := range []struct {
		args []string
		key  string
	}{{[]string{"schema"}, "vertices"}, {[]string{"schema", "pipeline"}, "edges"}, {[]string{"schema", "process", "--json"}, "s3"}} {
		exit, out, text := w.wasmill(tt.args...)
		var schema struct {
			Dialect    string         `json:"$schema"`
			Properties map[string]any `json:"properties"`
		}
		if err := json.Unmarshal([]byte(out), &schema); err != nil || exit != 0 || !strings.Contains(schema.Dialect, "2020-12") || schema.Properties[tt.key] == nil {
			t.Errorf("%v: exit %d, %v: %s%s", tt.args, exit, err, out, text)
		}
	}
	if exit, _, text := w.wasmill("schema", "plugin"); exit != 2 || !strings.Contains(text, "pipeline or process") {
		t.Errorf("exit %d: %s", exit, text)
	}
}
