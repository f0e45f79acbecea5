//go:build minio

package durable_test

import (
	"context"
	"testing"
	"time"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/checkpoint/s3"
	"github.com/wasmill/wasmill/checkpoint/storetest/minio"
)

func init() {
	minioStore = func(t *testing.T) func(context.Context) (checkpoint.Store, error) {
		server := minio.Start(t)
		return func(context.Context) (checkpoint.Store, error) {
			s, err := s3.New(s3.Config{
				Endpoint: server.Endpoint, Bucket: server.Bucket, RequestTimeout: time.Minute,
				Credentials: s3.Credentials{AccessKey: server.AccessKey, SecretKey: server.SecretKey},
			})
			if err != nil {
				return nil, err
			}
			return s, nil
		}
	}
}
