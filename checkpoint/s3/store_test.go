package s3_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/checkpoint/s3"
	"github.com/wasmill/wasmill/checkpoint/storetest"
	"github.com/wasmill/wasmill/checkpoint/storetest/s3server"
)

// serve starts a server and returns what reaches its bucket.
func serve(t testing.TB) (*s3server.Server, s3.Config) {
	server := s3server.Start()
	t.Cleanup(server.Close)
	return server, config(server)
}

func config(server *s3server.Server) s3.Config {
	return s3.Config{
		Endpoint:       server.Endpoint(),
		Bucket:         server.Bucket,
		Prefix:         "some/prefix",
		Credentials:    s3.Credentials{AccessKey: server.AccessKey, SecretKey: server.SecretKey},
		RequestTimeout: time.Minute,
	}
}

func open(t testing.TB, c s3.Config) *s3.Store {
	t.Helper()
	store, err := s3.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

func TestConformance(t *testing.T) {
	_, c := serve(t)
	storetest.Run(t, func(t *testing.T) checkpoint.Store { return open(t, c) })
}

func TestConformanceWithTLSAndTrailingChecksumsAtTheTopOfTheBucket(t *testing.T) {
	server := s3server.StartTLS()
	t.Cleanup(server.Close)
	c := config(server)
	c.Prefix, c.TrailingChecksums, c.PathStyle = "", true, true
	c.TLS.CAFile = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(c.TLS.CAFile, server.Certificate(), 0o600); err != nil {
		t.Fatal(err)
	}
	storetest.Run(t, func(t *testing.T) checkpoint.Store { return open(t, c) })
	for _, h := range server.Puts() {
		if h.Get("X-Amz-Trailer") == "" && h.Get("X-Amz-Decoded-Content-Length") != "" {
			t.Fatalf("a PUT without a checksum behind: %v", h)
		}
	}
}

func TestTwoPrefixesOfABucketDoNotMeet(t *testing.T) {
	server, c := serve(t)
	one := open(t, c)
	c.Prefix = "some/prefix-and-more"
	other := open(t, c)
	for _, store := range []*s3.Store{one, other} {
		if err := store.Create(t.Context(), "a", []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	server.SetObject("some/prefix/", nil)
	server.SetObject("some/prefix/of somebody else", nil)
	var names []string
	for o, err := range one.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, o.Name)
	}
	if len(names) != 1 || names[0] != "a" {
		t.Errorf("listed %v, want a", names)
	}
	if err := one.Delete(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if _, ok := server.Object("some/prefix-and-more/a"); !ok {
		t.Error("the object of the other prefix is gone")
	}
}

func TestEncryptionIsAskedFor(t *testing.T) {
	for _, c := range []struct {
		name       string
		encryption s3.Encryption
		header     string
		want       string
	}{
		{"none by default", s3.Encryption{}, "X-Amz-Server-Side-Encryption", ""},
		{"by the key of the store", s3.Encryption{SSE: "s3"}, "X-Amz-Server-Side-Encryption", "AES256"},
		{"by a key of KMS", s3.Encryption{SSE: "kms", KMSKey: "my-key"}, "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", "my-key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := s3server.StartTLS()
			t.Cleanup(server.Close)
			config := config(server)
			config.Encryption, config.TLS.Insecure = c.encryption, true
			store := open(t, config)
			if err := store.Create(t.Context(), "a", []byte("x")); err != nil {
				t.Fatal(err)
			}
			if err := store.Put(t.Context(), "a", []byte("x")); err != nil {
				t.Fatal(err)
			}
			puts := server.Puts()
			if len(puts) != 2 {
				t.Fatalf("%d PUTs, want 2", len(puts))
			}
			for _, h := range puts {
				if got := h.Get(c.header); got != c.want {
					t.Errorf("%s: %q, want %q", c.header, got, c.want)
				}
				if h.Get("Content-Md5") == "" {
					t.Error("a PUT without a checksum")
				}
			}
		})
	}
}
