package instance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBinariesAreComparedByHashAndVersion(t *testing.T) {
	const (
		pseudo  = "v0.0.0-20260301120000-0123456789ab"
		another = "v1.2.4-0.20260301130000-ba9876543210"
	)
	for _, tt := range []struct {
		name     string
		was, now Binary
		want     kinship
	}{
		{"one file is the same, whatever its version says", Binary{Version: "v1.0.0", SHA256: "a"}, Binary{Version: "v2.0.0", SHA256: "a"}, same},
		{"without hashes the version decides", Binary{Version: "v1.0.0"}, Binary{Version: "v1.0.0", SHA256: "a"}, same},
		{"without hashes another version is another", Binary{Version: "v1.0.0"}, Binary{Version: "v1.0.1", SHA256: "a"}, other},
		{"a release is built again", Binary{Version: "v1.0.0", SHA256: "a"}, Binary{Version: "v1.0.0", SHA256: "b"}, rebuilt},
		{"a development build is built again", Binary{Version: "(devel)", SHA256: "a"}, Binary{Version: "(devel)", SHA256: "b"}, rebuilt},
		{"after a commit", Binary{Version: pseudo, SHA256: "a"}, Binary{Version: another, SHA256: "b"}, rebuilt},
		{"with changes", Binary{Version: pseudo, SHA256: "a"}, Binary{Version: "v1.0.0+dirty", SHA256: "b"}, rebuilt},
		{"a release follows a release", Binary{Version: "v1.0.0", SHA256: "a"}, Binary{Version: "v1.1.0-rc.1", SHA256: "b"}, other},
		{"a development build follows a release", Binary{Version: "v1.0.0", SHA256: "a"}, Binary{Version: pseudo, SHA256: "b"}, other},
		{"a release follows a development build", Binary{Version: "(devel)", SHA256: "a"}, Binary{Version: "v1.0.0", SHA256: "b"}, other},
	} {
		if got := tt.was.kin(tt.now); got != tt.want {
			t.Errorf("%s: %d", tt.name, got)
		}
	}
}

// TestTheWayBackIsACommandThatWorks names the old binary while it is there, and else what has to
// be brought back.
func TestTheWayBackIsACommandThatWorks(t *testing.T) {
	dir := t.TempDir()
	i := &Instance{Name: "a", home: &Home{Dir: filepath.Join(dir, "it's home")}}
	old := Binary{Version: "v1.0.0", Path: filepath.Join(dir, "wasmill")}
	if err := os.WriteFile(old.Path, []byte("one"), 0o700); err != nil {
		t.Fatal(err)
	}
	old.SHA256 = hashOf(old.Path)
	if got, want := i.resumes(old), old.Path+` resume a --home '`+dir+`/it'\''s home' goes on with v1.0.0`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if err := os.WriteFile(old.Path, []byte("two"), 0o700); err != nil {
		t.Fatal(err)
	}
	if got := i.resumes(old); !strings.HasPrefix(got, "bring back wasmill v1.0.0 (SHA-256 ") {
		t.Errorf("got %s", got)
	}
}
