package main

import (
	"strings"
	"testing"
)

func TestRunSaysWhereAdminListens(t *testing.T) {
	w := newWorkshop(t)
	w.write("p.yaml", plain)
	tests := []struct {
		name string
		args []string
		says bool
	}{
		{"usually", nil, true},
		{"at a given address", []string{"--set", "admin.listen=127.0.0.1:0"}, true},
		{"not if it does not listen", []string{"--set", "admin.listen=off"}, false},
		{"not if it is to be quiet", []string{"--quiet"}, false},
		{"not into the JSON of the result", []string{"--json"}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			exit, _, stderr := w.wasmill(append([]string{"run", "p.yaml"}, test.args...)...)
			if says := strings.Contains(stderr, `"url":"http://127.0.0.1:`); exit != 0 || says != test.says {
				t.Errorf("exit %d: %s", exit, stderr)
			}
		})
	}
}
