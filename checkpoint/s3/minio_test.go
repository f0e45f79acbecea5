//go:build minio

package s3_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/checkpoint/s3"
	"github.com/wasmill/wasmill/checkpoint/storetest"
	"github.com/wasmill/wasmill/checkpoint/storetest/minio"
	"github.com/wasmill/wasmill/host/stream"
)

func real(t testing.TB) s3.Config {
	server := minio.Start(t)
	return s3.Config{
		Endpoint:       server.Endpoint,
		Bucket:         server.Bucket,
		Credentials:    s3.Credentials{AccessKey: server.AccessKey, SecretKey: server.SecretKey},
		RequestTimeout: time.Minute,
	}
}

func TestMinIOConforms(t *testing.T) {
	c := real(t)
	for _, k := range []struct {
		name      string
		prefix    string
		checksums bool
	}{
		{"below a prefix", "some/prefix", false},
		{"with trailing checksums at the top of the bucket", "", true},
	} {
		t.Run(k.name, func(t *testing.T) {
			c.Prefix, c.TrailingChecksums = k.prefix, k.checksums
			storetest.Run(t, func(t *testing.T) checkpoint.Store { return open(t, c) })
		})
	}
}

func TestMinIORefusesWithErrorsThatHelp(t *testing.T) {
	c := real(t)
	for _, k := range []struct {
		name   string
		change func(*s3.Config)
		want   stream.Code
		fix    string
	}{
		{"a bucket that is not there", func(c *s3.Config) { c.Bucket = "another" }, stream.StoreMisconfigured, "create the bucket another"},
		{"an unknown access key", func(c *s3.Config) { c.Credentials.AccessKey = "unknown-key" }, stream.StoreDenied, "access key"},
		{"a wrong secret key", func(c *s3.Config) { c.Credentials.SecretKey = "wrong" }, stream.StoreDenied, "secret key"},
		{"encryption that is not set up", func(c *s3.Config) { c.Encryption.SSE = "s3" }, stream.StoreMisconfigured, "s3.encryption"},
	} {
		t.Run(k.name, func(t *testing.T) {
			wrong := c
			k.change(&wrong)
			store := open(t, wrong)
			expect(t, "put", store.Put(t.Context(), "a", []byte("x")), k.want, k.fix, c.Credentials.SecretKey)
			expect(t, "create", store.Create(t.Context(), "a", []byte("x")), k.want, k.fix, c.Credentials.SecretKey)
			if wrong.Encryption.SSE == "" {
				expect(t, "get", get(t.Context(), store, "a"), k.want, k.fix, c.Credentials.SecretKey)
				expect(t, "list", list(t.Context(), store), k.want, k.fix, c.Credentials.SecretKey)
			}
		})
	}
}

func BenchmarkMinIO(b *testing.B) {
	store := open(b, real(b))
	b.Run("Put16MiB", func(b *testing.B) {
		data := make([]byte, checkpoint.MaxObject)
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			if err := store.Put(b.Context(), "put", data); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Create1KiB", func(b *testing.B) {
		data := make([]byte, 1024)
		n := 0
		for b.Loop() {
			n++
			if err := store.Create(b.Context(), fmt.Sprintf("create/%d-%d", b.N, n), data); err != nil {
				b.Fatal(err)
			}
		}
	})
}
