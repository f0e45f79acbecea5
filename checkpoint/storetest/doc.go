// Package storetest holds what every checkpoint.Store promises, as tests, and
// what tests of the rest need: a store in memory, one that fails on demand, an
// S3 server in the process with faults (s3server) and a real one (minio).
//
// A store passes the suite in some ten lines:
//
//	func TestConformance(t *testing.T) {
//		folder := t.TempDir()
//		storetest.Run(t, func(t *testing.T) checkpoint.Store { … })
//	}
package storetest
