package host

import (
	"testing"

	"github.com/wasmill/wasmill/host/config/watch"
)

// TestTestFilesThatChangeAreNoPipelines has a watcher see a pipeline and its tests.
func TestTestFilesThatChangeAreNoPipelines(t *testing.T) {
	f := newFolder("p")
	seen := f.seen(watch.Snapshot{Files: map[string]watch.File{"p/a.yaml": {State: watch.Present}, "p/a_test.yaml": {State: watch.Present}, "p/a_test.yml": {State: watch.Present}}})
	if len(seen) != 1 || seen[0].Name != "p/a.yaml" {
		t.Errorf("%+v", seen)
	}
}
