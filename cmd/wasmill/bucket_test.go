package main

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/checkpoint/s3"
	"github.com/wasmill/wasmill/checkpoint/storetest/s3server"
	"github.com/wasmill/wasmill/host/instance"
)

// bucketOf lists the objects below a name in a store, with their sums.
func (w *background) bucketOf(c s3.Config, below string) string {
	w.Helper()
	store, err := s3.New(c)
	if err != nil {
		w.Fatal(err)
	}
	defer store.Close()
	var text strings.Builder
	for o, err := range store.List(w.Context(), below) {
		if err != nil {
			w.Fatal(err)
		}
		data, err := store.Get(w.Context(), o.Name)
		if err != nil {
			w.Fatal(err)
		}
		fmt.Fprintf(&text, "%s %x\n", o.Name, sha256.Sum256(data))
	}
	return text.String()
}

// TestInstanceSharesABucket is L8 with the server that tests have in their process.
func TestInstanceSharesABucket(t *testing.T) {
	server := s3server.Start()
	t.Cleanup(server.Close)
	sharesABucket(t, s3.Config{Endpoint: server.Endpoint(), Bucket: server.Bucket, Region: "us-east-1", Credentials: s3.Credentials{AccessKey: server.AccessKey, SecretKey: server.SecretKey}})
}

// sharesABucket is L8: of two instances with one bucket and prefix, whose names begin alike, one
// is deleted, from another folder. The other's objects stay byte for byte, and it goes on.
func sharesABucket(t *testing.T, c s3.Config) {
	w := newBackground(t)
	c.Prefix, c.RequestTimeout = "prefix", time.Minute
	t.Setenv("S3_ACCESS_KEY", c.Credentials.AccessKey)
	w.write("s3.secret", c.Credentials.SecretKey+"\n")
	w.write("wasmill.yaml", fmt.Sprintf("s3: {endpoint: %q, region: us-east-1, accessKey: {env: S3_ACCESS_KEY}, secretKey: {file: s3.secret}}\n", c.Endpoint))
	in := strings.Replace(followed, "file://./ckpt", "s3://"+c.Bucket+"/prefix", 1)
	w.write("p.yaml", in)
	w.write("q.yaml", strings.Replace(in, "out.txt", "other.txt", 1))
	w.does(0, "create", "a", "-f", "p.yaml", "--wait")
	w.does(0, "create", "a-2", "-f", "q.yaml", "--wait")
	w.grows("out.txt", 2)
	w.grows("other.txt", 2)
	w.does(0, "shutdown", "a-2")
	before := w.bucketOf(c, "a-2/")
	if before == "" {
		t.Fatal("it has stored nothing")
	}
	w.Chdir(t.TempDir())
	var answer struct{ Removed []instance.Removed }
	if exit := w.asJSON(&answer, "delete", "a", "--force", "--yes"); exit != 0 || len(answer.Removed) != 3 || answer.Removed[0].Objects == 0 {
		t.Errorf("exit %d: %+v", exit, answer)
	}
	w.Chdir(w.dir)
	if left := w.bucketOf(c, "a/"); left != "" {
		t.Errorf("of the one there is %s", left)
	}
	if now := w.bucketOf(c, ""); now != before {
		t.Errorf("of the other there is %s, and was %s", now, before)
	}
	w.does(0, "resume", "a-2", "--wait")
	w.append("in.txt", "four\n")
	w.grows("other.txt", 3)
	if got := w.read("other.txt"); got != "one\ntwo\nthree\nfour\n" {
		t.Errorf("the other has written %q", got)
	}
	w.does(0, "shutdown", "a-2")
}
