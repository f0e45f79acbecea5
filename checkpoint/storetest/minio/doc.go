// Package minio runs a real MinIO server for tests.
//
// The server is built from source the first time, with the go command and from
// the module proxy, which takes minutes; it is kept in the user's cache folder.
// Its tests and those that use it have the build tag minio: make test-minio.
package minio
