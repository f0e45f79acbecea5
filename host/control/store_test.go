package control_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/checkpoint/storetest/s3server"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/control"
	"github.com/wasmill/wasmill/host/stream"
)

const secretKey = "hunter2"

// checkpointed is a pipeline with settings below checkpoint.
func checkpointed(t *testing.T, settings string) *config.Pipeline {
	t.Helper()
	text := "name: p\nvertices: [{name: in, source: stdin}, {name: out, sink: drop}]\nedges: [{from: in, to: out}]\ncheckpoint: {" + settings + "}\n"
	p, err := config.LoadPipeline(config.Layers{Files: []config.File{{Name: "p.yaml", Data: []byte(text)}}}, control.Catalog())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// bucket starts a server and returns the settings that lead to it.
func bucket(t *testing.T, settings string) (*s3server.Server, *control.Stores) {
	t.Helper()
	server := s3server.Start()
	t.Cleanup(server.Close)
	server.SecretKey = secretKey
	text := fmt.Sprintf("s3: {endpoint: %q, accessKey: {env: KEY}, secretKey: {env: SECRET}, requestTimeout: 1m%s}", server.Endpoint(), settings)
	process, err := config.LoadProcess(config.Layers{Files: []config.File{{Name: "wasmill.yaml", Data: []byte(text)}}})
	if err != nil {
		t.Fatal(err)
	}
	return server, control.NewStores(process, []string{"KEY=" + server.AccessKey, "SECRET=" + secretKey})
}

func storeAt(t *testing.T, p *config.Pipeline, dir string) control.StoreAt {
	t.Helper()
	at, ok := control.StoreOf(p, dir)
	if !ok {
		t.Fatal("the pipeline has no store")
	}
	return at
}

func TestAStoreOfFilesIsRelativeToThePipelineFile(t *testing.T) {
	dir := t.TempDir()
	at := storeAt(t, checkpointed(t, "storage: file://./data/../kept"), dir)
	stores := control.NewStores(&config.Process{}, nil)
	looked, err := stores.Inspect(at)
	if err != nil {
		t.Fatal(err)
	}
	for o, err := range looked.List(t.Context(), "") {
		t.Errorf("an empty store has %v, %v", o, err)
	}
	if _, err := looked.Get(t.Context(), "p/x"); !errors.Is(err, checkpoint.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "kept")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("looking has made a folder: %v", err)
	}
	s, err := stores.Open(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Put(t.Context(), "p/x", []byte("y")); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "kept", "p", "x")); err != nil || string(got) != "y" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, ok := control.StoreOf(&config.Pipeline{}, dir); ok {
		t.Error("a pipeline without checkpoints has a store")
	}
}

func TestABucketIsProbedOnceWhenItIsWrittenTo(t *testing.T) {
	server, stores := bucket(t, "")
	at := storeAt(t, checkpointed(t, "storage: s3://"+server.Bucket+"/a/b"), "")
	looked, err := stores.Inspect(at)
	if err != nil || server.Requests("PUT") != 0 {
		t.Fatalf("looking has put %d objects: %v", server.Requests("PUT"), err)
	}
	defer looked.Close()
	for range 2 {
		s, err := stores.Open(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if err := s.Put(t.Context(), "p/x", []byte("y")); err != nil {
			t.Fatal(err)
		}
	}
	if n := server.Requests("PUT"); n != 16+2 {
		t.Errorf("%d PUTs, where one probe makes 16 and two were asked for", n)
	}
	if got, ok := server.Object("a/b/p/x"); string(got) != "y" || !ok {
		t.Errorf("got %q, %v", got, ok)
	}
	other := at
	other.Storage.Prefix = "c"
	s, err := stores.Open(t.Context(), other)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if n := server.Requests("PUT"); n != 2*16+2 {
		t.Errorf("%d PUTs: another store was not probed", n)
	}
}

func TestSettingsOfABucketReachTheRequests(t *testing.T) {
	server, stores := bucket(t, ", pathStyle: true, encryption: {sse: kms, kmsKey: some-key}, region: eu-central-1")
	s, err := stores.Inspect(storeAt(t, checkpointed(t, "storage: s3://"+server.Bucket), ""))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Put(t.Context(), "p/x", []byte("y")); err != nil {
		t.Fatal(err)
	}
	for _, h := range server.Puts() {
		if h.Get("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id") != "some-key" || !strings.Contains(h.Get("Authorization"), "/eu-central-1/") {
			t.Errorf("headers %v", h)
		}
	}
	if len(server.Puts()) == 0 {
		t.Error("nothing was put")
	}
}

func TestErrorsOfAStoreStandAtItsPlaceInTheConfig(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name    string
		harm    func(*s3server.Server)
		storage string
		set     string
		code    stream.Code
		text    []string
	}{
		{"a store that cannot fence", func(s *s3server.Server) { s.SetConditions(s3server.Ignored) }, "s3://bucket/x", "", stream.StoreNotAtomic, []string{"exactly one may"}},
		{"a store without conditions", func(s *s3server.Server) { s.SetConditions(s3server.Unknown) }, "s3://bucket/x", "", stream.StoreNotAtomic, []string{"conditional writes"}},
		{"a store that is full", func(s *s3server.Server) { s.Break("PUT", "", 0, s3server.Fault{Status: 507, Code: "StorageFull"}) }, "s3://bucket/x", "", stream.StoreUnavailable, []string{"free space"}},
		{"a key that is not known", func(s *s3server.Server) { s.AccessKey = "other" }, "s3://bucket/x", "", stream.StoreDenied, []string{"s3.accessKey"}},
		{"a bucket that is not there", func(*s3server.Server) {}, "s3://bucked/x", "", stream.StoreMisconfigured, []string{"create the bucket"}},
		{"a CA that is not there", func(*s3server.Server) {}, "s3://bucket/x", ", tls: {caFile: none.pem}", stream.StoreMisconfigured, []string{"none.pem", "s3.tls.caFile"}},
		{"a secret that is not there", func(*s3server.Server) {}, "s3://bucket/x", ", sessionToken: {env: NONE}", stream.ConfigMissing, []string{"wasmill.yaml:1:", "s3.sessionToken", "NONE"}},
		{"a file for a folder", func(*s3server.Server) {}, "file://" + file, "", stream.StoreMisconfigured, []string{"a file stands"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server, stores := bucket(t, test.set)
			test.harm(server)
			_, err := stores.Open(t.Context(), storeAt(t, checkpointed(t, "storage: "+test.storage), ""))
			e, ok := errors.AsType[*stream.Error](err)
			if !ok || e.Code != test.code || !strings.HasPrefix(e.Where, "p.yaml:4:23 (checkpoint.storage)") || e.Fix == "" || strings.Contains(err.Error(), secretKey) {
				t.Fatalf("got %v", err)
			}
			for _, text := range test.text {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("%q is not in %v", text, err)
				}
			}
		})
	}
}

// TestCheckpointSettingsFitTheCoordinator takes what config lets through to what
// package checkpoint refuses.
func TestCheckpointSettingsFitTheCoordinator(t *testing.T) {
	for _, text := range []string{
		"storage: file:///data",
		"storage: file:///data, interval: 0s, retain: 1, timeout: 0s, alignTimeout: 0s, tolerableFailures: 0",
		"storage: file:///data, interval: adaptive",
		"storage: file:///data, interval: {adaptive: {min: 10ms, max: 10ms, recoveryTime: 24h}}, retain: 1000, retainFor: 87840h, timeout: 24h, minPause: 24h",
	} {
		live := checkpointed(t, text).Checkpoint.Live
		s := checkpoint.Settings{
			Interval: live.Interval.Fixed, Timeout: live.Timeout, MinPause: live.MinPause, AlignTimeout: live.AlignTimeout, MaxInFlight: 1,
			TolerableFailures: live.TolerableFailures, Retain: checkpoint.Retention{Count: live.Retain, MinAge: live.RetainFor},
		}
		if a := live.Interval.Adaptive; a != nil {
			s.Adaptive = &checkpoint.Adaptive{Min: a.Min, Max: a.Max, RecoveryTime: a.RecoveryTime}
			if c := checkpoint.Choose(*s.Adaptive, checkpoint.Inputs{}, 0); c.Interval < a.Min || c.Interval > a.Max || c.Interval < 10*time.Millisecond {
				t.Errorf("%s: interval %v", text, c.Interval)
			}
		}
		if _, err := checkpoint.NewCoordinator([]stream.VertexID{"v"}, s, 1); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestABucketBehindTLS(t *testing.T) {
	server := s3server.StartTLS()
	defer server.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, server.Certificate(), 0o600); err != nil {
		t.Fatal(err)
	}
	host := strings.TrimPrefix(server.Endpoint(), "https://")
	for settings, ok := range map[string]bool{"caFile: " + ca: true, "insecure: true": true, "insecure: false": false, "off: true": false} {
		text := fmt.Sprintf("s3: {endpoint: %q, trailingChecksums: true, accessKey: {env: KEY}, secretKey: {env: KEY}, tls: {%s}}", host, settings)
		process, err := config.LoadProcess(config.Layers{Files: []config.File{{Name: "wasmill.yaml", Data: []byte(text)}}})
		if err != nil {
			t.Fatal(err)
		}
		s, err := control.NewStores(process, []string{"KEY=" + server.AccessKey}).Inspect(storeAt(t, checkpointed(t, "storage: s3://"+server.Bucket), ""))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Get(t.Context(), "p/x"); errors.Is(err, checkpoint.ErrNotFound) != ok {
			t.Errorf("%s: %v", settings, err)
		}
		if ok {
			if err := s.Put(t.Context(), "p/y", []byte("y")); err != nil {
				t.Errorf("%s: %v", settings, err)
			}
		}
		s.Close()
	}
	for _, h := range server.Puts() {
		if h.Get("X-Amz-Trailer") == "" && h.Get("X-Amz-Checksum-Crc32c") == "" {
			t.Errorf("no checksum in %v", h)
		}
	}
}
