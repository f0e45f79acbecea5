package instance

import (
	"path/filepath"
	"testing"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/stream"
)

// TestAllPathsOfAnInstanceBeginInItsFolder also those of keys, for commands in other folders.
func TestAllPathsOfAnInstanceBeginInItsFolder(t *testing.T) {
	s := Spec{Name: "a", Data: "/data", WorkDir: "/work", Set: []string{"plugins.lock=locks", "plugins.trust=[{file: one.pub}, {file: /keys/two.pub}]", "s3.tls.caFile=ca.pem"}}
	o, err := s.placed(s.options("/home/a/pipeline.yaml", nil))
	if err != nil {
		t.Fatal(err)
	}
	p, err := host.Settings(o)
	if err != nil {
		t.Fatalf("%s: %v", stream.CodeOf(err), err)
	}
	for _, at := range p.Paths() {
		if *at.Path != "" && !filepath.IsAbs(*at.Path) {
			t.Errorf("%s is %s", at.Setting, *at.Path)
		}
	}
	if one, two, lock := p.Plugins.Trust[0].File, p.Plugins.Trust[1].File, p.Plugins.Lock; one != "/work/one.pub" || two != "/keys/two.pub" || lock != "/work/locks" {
		t.Errorf("they are %s, %s and %s", one, two, lock)
	}
}
