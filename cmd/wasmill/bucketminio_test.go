//go:build minio

package main

import (
	"testing"

	"github.com/wasmill/wasmill/checkpoint/s3"
	"github.com/wasmill/wasmill/checkpoint/storetest/minio"
)

// TestMinIOIsSharedByInstances is L8 with a real server.
func TestMinIOIsSharedByInstances(t *testing.T) {
	server := minio.Start(t)
	sharesABucket(t, s3.Config{Endpoint: server.Endpoint, Bucket: server.Bucket, Credentials: s3.Credentials{AccessKey: server.AccessKey, SecretKey: server.SecretKey}})
}
