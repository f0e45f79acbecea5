package main

import (
	"bytes"
	"runtime/debug"
	"strings"
	"testing"
)

// TestTheVersionIsThatOfTheRelease sets what the linker does.
func TestTheVersionIsThatOfTheRelease(t *testing.T) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		t.Fatal("no build info")
	}
	for _, tt := range []struct{ name, release, want string }{
		{"a release says what it is", "v1.2.3-rc.1", "v1.2.3-rc.1"},
		{"another build says what Go recorded", "", info.Main.Version},
	} {
		t.Run(tt.name, func(t *testing.T) {
			version = tt.release
			defer func() { version = "" }()
			var out bytes.Buffer
			if code := run(t.Context(), []string{"version"}, stdio{out: &out, err: t.Output()}); code != 0 || !strings.HasPrefix(out.String(), "wasmill "+tt.want+" (go1.") {
				t.Errorf("code %d: %s", code, &out)
			}
			if got := versions()["wasmill"]; got != tt.want {
				t.Errorf("checkpoints name %s", got)
			}
		})
	}
}
