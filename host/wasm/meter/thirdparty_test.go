package meter_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
)

// TestModulesOfOthersCompile rewrites and compiles the modules below the folder
// in THIRD_PARTY; make third-party fetches some and runs it.
func TestModulesOfOthersCompile(t *testing.T) {
	dir := os.Getenv("THIRD_PARTY")
	if dir == "" {
		t.Skip("needs modules from a package registry: run make third-party")
	}
	compiled := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".wasm") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		took := func(module []byte) (time.Duration, error) {
			r := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigCompiler())
			defer r.Close(t.Context())
			start := time.Now()
			_, err := r.CompileModule(t.Context(), module)
			return time.Since(start), err
		}
		plain, errPlain := took(data)
		r, err := rewrite(data)
		if err != nil {
			t.Logf("%s: refused: %v (by wazero: %v)", filepath.Base(path), err, errPlain)
			if errPlain == nil {
				t.Errorf("%s: refused although wazero takes it: %v", path, err)
			}
			return nil
		}
		metered, errMetered := took(r.Module)
		if (errPlain == nil) != (errMetered == nil) {
			t.Errorf("%s: metered %v, plain %v", path, errMetered, errPlain)
		}
		if errMetered == nil {
			compiled++
		}
		t.Logf("%s: %d bytes, × %.2f metered; compiled in %v, × %.2f metered", filepath.Base(path), len(data),
			float64(len(r.Module))/float64(len(data)), plain.Round(time.Millisecond), float64(metered)/float64(plain))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if compiled < 10 {
		t.Errorf("only %d modules compiled", compiled)
	}
}
