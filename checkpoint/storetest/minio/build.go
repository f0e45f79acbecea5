package minio

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// The version is the last of the community edition.
const (
	module  = "github.com/minio/minio"
	version = "v0.0.0-20260212201848-7aac2a2c5b7c"
)

// Build returns the path of the server's program, and builds it if it is not in
// the cache. Of several processes that want it, one builds and the others wait.
func Build() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	folder := filepath.Join(cache, "wasmill-test", "minio-"+version)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	program := filepath.Join(folder, "minio")
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	unlock, err := lock(filepath.Join(folder, "lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	// go install writes the program in place; only a whole one may have its name.
	temp, err := os.MkdirTemp(folder, "build-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(temp)
	install := exec.Command("go", "install", module+"@"+version)
	if nice, err := exec.LookPath("nice"); err == nil {
		install = exec.Command(nice, append([]string{"-n", "19"}, install.Args...)...)
	}
	install.Dir = temp
	install.Env = append(os.Environ(), "GOBIN="+temp, "GOFLAGS=", "GOOS=", "GOARCH=")
	if out, err := install.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go install %s@%s: %w\n%s", module, version, err, out)
	}
	return program, os.Rename(filepath.Join(temp, "minio"), program)
}
