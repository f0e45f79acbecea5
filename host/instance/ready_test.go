package instance

import (
	"encoding/json"
	"testing"

	"github.com/wasmill/wasmill/host"
)

func TestWhatIsMissing(t *testing.T) {
	for text, want := range map[string]string{
		`{"ready": true, "vertices": [{"vertex": "in", "ready": 1, "want": 1}]}`:                                                   "",
		`{"vertices": [{"vertex": "in", "ready": 1, "want": 1}, {"vertex": "parse", "ready": 3, "want": 8}], "why": "it starts"}`:  "parse 3/8 instances",
		`{"vertices": [{"vertex": "parse", "ready": 0, "want": 8}, {"vertex": "out", "ready": 0, "want": 1}]}`:                     "parse 0/8 instances, out 0/1 instances",
		`{"vertices": [{"vertex": "in", "ready": 1, "want": 1}], "why": "it starts, and its last checkpoint is not restored yet"}`: "it starts, and its last checkpoint is not restored yet",
	} {
		var r host.Readiness
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			t.Fatal(err)
		}
		if got := Missing(&r); got != want {
			t.Errorf("%s: %q", text, got)
		}
	}
}

func TestWhereInstancesAre(t *testing.T) {
	for _, c := range []struct {
		name, given string
		env         map[string]string
		want        string
	}{
		{"the flag wins", "/f", map[string]string{"WASMILL_HOME": "/e", "HOME": "/h"}, "/f"},
		{"then the variable", "", map[string]string{"WASMILL_HOME": "/e", "XDG_STATE_HOME": "/x", "HOME": "/h"}, "/e"},
		{"then where the desktop keeps state", "", map[string]string{"XDG_STATE_HOME": "/x", "HOME": "/h"}, "/x/wasmill"},
		{"which has to be a whole path", "", map[string]string{"XDG_STATE_HOME": "x", "HOME": "/h"}, "/h/.local/state/wasmill"},
		{"then the user's home", "", map[string]string{"HOME": "/h"}, "/h/.local/state/wasmill"},
		{"without one it is an error", "", nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := HomeDir(c.given, func(name string) string { return c.env[name] })
			if got != c.want || (err == nil) != (c.want != "") {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}
