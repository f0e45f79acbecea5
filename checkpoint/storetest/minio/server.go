package minio

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// startTime bounds the start of a server that is built.
const startTime = time.Minute

// Server is a running server with one empty bucket.
type Server struct {
	Endpoint  string // http://127.0.0.1:port
	Bucket    string
	AccessKey string
	SecretKey string
}

// Start builds the server if need be, starts it on a loopback port with a data
// folder of its own, and waits until it is ready. It ends with the test, and on
// Linux also when the test binary is killed.
func Start(t testing.TB) *Server {
	t.Helper()
	program, err := Build()
	if err != nil {
		t.Fatal(err)
	}
	// Another process may take the port between the look and the start.
	for range 3 {
		var s *Server
		if s, err = start(t, program); err == nil {
			return s
		}
	}
	t.Fatal(err)
	return nil
}

func start(t testing.TB, program string) (*Server, error) {
	address, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &Server{Endpoint: "http://" + address, Bucket: "checkpoints", AccessKey: rand.Text(), SecretKey: rand.Text()}
	folder := t.TempDir()
	// A folder of the data is a bucket.
	if err := os.MkdirAll(filepath.Join(folder, "data", s.Bucket), 0o755); err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	var log bytes.Buffer
	c := exec.CommandContext(ctx, program, "server", "--quiet", "--address", address, "--certs-dir", filepath.Join(folder, "certs"), filepath.Join(folder, "data"))
	c.Env = append(os.Environ(), "MINIO_ROOT_USER="+s.AccessKey, "MINIO_ROOT_PASSWORD="+s.SecretKey, "MINIO_BROWSER=off", "MINIO_UPDATE=off", "HOME="+folder)
	c.Stdout, c.Stderr = &log, &log
	tie(c)
	ended := make(chan error, 1)
	go func() {
		// The child is tied to this thread, which lives as long as it is locked.
		runtime.LockOSThread()
		ended <- c.Run()
		close(ended)
	}()
	end := func() {
		stop()
		<-ended
	}
	if err := s.ready(ended); err != nil {
		end()
		return nil, fmt.Errorf("start minio: %w\n%s", err, log.Bytes())
	}
	t.Cleanup(end)
	return s, nil
}

// ready waits until the server answers that it can write, or has ended.
func (s *Server) ready(ended <-chan error) error {
	giveUp := time.After(startTime)
	for {
		if r, err := http.Get(s.Endpoint + "/minio/health/cluster"); err == nil {
			r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case err := <-ended:
			return fmt.Errorf("it has ended: %v", err)
		case <-giveUp:
			return fmt.Errorf("it is not ready after %s", startTime)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// freePort returns an address that nobody listens at.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
