package file_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/wasmill/wasmill/host/connector/file"
	"github.com/wasmill/wasmill/host/stream"
)

// TestACommitThatAnotherProcessFinishes lets another sink recover in the middle of a
// commit, as one does that has taken over: what is committed is shown once, and the
// commit has succeeded.
func TestACommitThatAnotherProcessFinishes(t *testing.T) {
	for _, test := range transactional[:3] {
		for _, step := range []string{"commit: rename", "commit: copy", "commit: remove"} {
			t.Run(step+", "+test.name, func(t *testing.T) {
				dir := t.TempDir()
				cfg := sinkSettings(filepath.Join(dir, test.path), test.change)
				old := file.NewSink(cfg)
				taken := false
				var commit []byte
				old.Between(func(name string) error {
					if name != step || taken {
						return nil
					}
					taken = true
					next := file.NewSink(cfg)
					if err := next.Open(t.Context()); err != nil {
						return err
					}
					if err := next.Recover(t.Context(), [][]byte{commit}); err != nil {
						return err
					}
					return next.Close()
				}, nil)
				must := func(err error) {
					t.Helper()
					if err != nil {
						t.Fatal(err)
					}
				}
				must(old.Open(t.Context()))
				must(old.Recover(t.Context(), nil))
				want := []string{"one", "two"}
				for i, value := range want { // the second one is added to a file that is there
					var b stream.Batch
					b.Append(1, nil, []byte(value), nil)
					must(old.Write(t.Context(), &b))
					var err error
					commit, err = old.Prepare(t.Context(), stream.Epoch(i+1))
					must(err)
					must(old.Commit(t.Context(), commit))
				}
				if got := shown(t, dir); !slices.Equal(got, want) {
					t.Errorf("got %q", got)
				}
				if single, first := test.path == "out", test.name == "a file that is replaced"; taken != (single && (step != "commit: rename" || first) || !single && step == "commit: rename") {
					t.Errorf("the other one came: %v", taken)
				}
				must(old.Close())
			})
		}
	}
}
