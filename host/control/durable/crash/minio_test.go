//go:build minio

package crash_test

import (
	"strings"
	"testing"

	"github.com/wasmill/wasmill/checkpoint/storetest/minio"
)

// serve starts a server, and returns how to get to the prefix of a world in it.
func serve(t *testing.T) func(w *world) *bucket {
	server := minio.Start(t)
	return func(w *world) *bucket {
		prefix := strings.NewReplacer("/", "-", " ", "-", "_", "-").Replace(w.Name())
		return &bucket{server.Endpoint, server.Bucket, server.AccessKey, server.SecretKey, prefix}
	}
}

// TestMinIOKillsAtAnyTime is K1 in short.
func TestMinIOKillsAtAnyTime(t *testing.T) {
	at := serve(t)
	killAtAnyTime(t, kills(8, 100), func(w *world) { w.Bucket = at(w) })
}

// TestMinIOAKillAtEveryStep is K2 in short.
func TestMinIOAKillAtEveryStep(t *testing.T) {
	at := serve(t)
	for _, tt := range stepTests {
		t.Run(tt.step, func(t *testing.T) {
			w := newWorld(t)
			w.Bucket = at(w)
			killAtStep(w, tt.step, tt.nth[:2])
		})
	}
}
