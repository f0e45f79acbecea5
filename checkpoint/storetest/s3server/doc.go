// Package s3server is a small server of the S3 protocol in the process, with
// faults on demand, for tests of what uses a bucket.
//
//	client ─▶ Fault, if a rule has one for the request ─▶ one bucket in memory
//
// It knows what checkpoints use: PUT with If-None-Match, GET, HEAD, DELETE, the
// deletion of many, ListObjectsV2 and the location of the bucket, path style
// only. It looks whether a request names the access key and is not too old, but
// it verifies no signature.
//
// Its goroutines are those of an httptest.Server, one per connection; Close ends
// them, also those of requests that hang.
package s3server
