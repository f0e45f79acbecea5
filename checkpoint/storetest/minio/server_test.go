//go:build minio

package minio

import (
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"
)

func TestMinIOStartsAndEnds(t *testing.T) {
	var s *Server
	t.Run("while a test runs", func(t *testing.T) {
		s = Start(t)
		r, err := http.Get(s.Endpoint + "/" + s.Bucket + "/nothing")
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if r.StatusCode != http.StatusForbidden {
			t.Errorf("a request without a signature: %s", r.Status)
		}
	})
	if r, err := http.Get(s.Endpoint); err == nil {
		r.Body.Close()
		t.Error("the server runs after its test")
	}
}

// TestMinIOEndsWithAKilledBinary runs this binary again and kills it.
func TestMinIOEndsWithAKilledBinary(t *testing.T) {
	if file := os.Getenv("MINIO_ENDPOINT_FILE"); file != "" {
		s := Start(t)
		if err := os.WriteFile(file+".new", []byte(s.Endpoint), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(file+".new", file); err != nil {
			t.Fatal(err)
		}
		select {}
	}
	file := t.TempDir() + "/endpoint"
	c := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$")
	c.Env = append(os.Environ(), "MINIO_ENDPOINT_FILE="+file, "TMPDIR="+t.TempDir())
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var endpoint []byte
	for range 600 {
		if endpoint, _ = os.ReadFile(file); len(endpoint) > 0 {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	c.Process.Kill()
	c.Wait()
	if len(endpoint) == 0 {
		t.Fatal("the server did not start")
	}
	for range 100 {
		r, err := http.Get(string(endpoint))
		if err != nil {
			return
		}
		r.Body.Close()
		time.Sleep(100 * time.Millisecond)
	}
	t.Error("the server outlives the binary that started it")
}
