package s3

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/wasmill/wasmill/checkpoint"
)

// Store is a checkpoint.Store in a bucket.
type Store struct {
	client    *minio.Client
	transport *http.Transport
	endpoint  string
	secure    bool
	bucket    string
	prefix    string // empty, or ends with "/"
	timeout   time.Duration
	put       minio.PutObjectOptions
	checksums bool
	closed    atomic.Bool
}

var _ checkpoint.Store = (*Store)(nil)

// New returns the store of a bucket. It makes no request: whether the bucket is
// there and can be used, the first call tells.
func New(config Config) (*Store, error) {
	if err := config.check(); err != nil {
		return nil, err
	}
	endpoint, secure, err := config.endpoint()
	if err != nil {
		return nil, err
	}
	creds, err := config.Credentials.provider()
	if err != nil {
		return nil, err
	}
	sse, err := config.Encryption.option()
	if err != nil {
		return nil, err
	}
	s := &Store{endpoint: endpoint, secure: secure, bucket: config.Bucket, timeout: config.RequestTimeout, checksums: config.TrailingChecksums}
	if config.Prefix != "" {
		s.prefix = config.Prefix + "/"
	}
	if s.timeout == 0 {
		s.timeout = defaultTimeout
	}
	s.put = minio.PutObjectOptions{
		ContentType:          "application/octet-stream",
		ServerSideEncryption: sse,
		DisableMultipart:     true,
		SendContentMd5:       secure && !config.TrailingChecksums, // without TLS the signature covers the data
	}
	if config.TrailingChecksums {
		s.put.Checksum = minio.ChecksumFullObjectCRC32C
	}
	if s.transport, err = config.transport(s.timeout); err != nil {
		return nil, err
	}
	lookup := minio.BucketLookupAuto
	if config.PathStyle {
		lookup = minio.BucketLookupPath
	}
	s.client, err = minio.New(endpoint, &minio.Options{
		Creds:           creds,
		Secure:          secure,
		Transport:       s.transport,
		Region:          config.region(),
		BucketLookup:    lookup,
		TrailingHeaders: config.TrailingChecksums,
		MaxRetries:      1,
	})
	if err != nil {
		return nil, misconfigured("s3.endpoint", "the endpoint cannot be used: "+clean(err.Error()), "write host:port, or https://host:port")
	}
	return s, nil
}

// Create stores an object under a name that has none. After an answer that an
// object is there, or none at all, it reads back what is there: equal bytes are
// its own.
func (s *Store) Create(ctx context.Context, name string, data []byte) error {
	if err := checkpoint.CheckObject(name, len(data)); err != nil {
		return err
	}
	options := s.put
	options.SetMatchETagExcept("*")
	err := s.repeat(ctx, func(ctx context.Context) error { return s.upload(ctx, name, data, options) })
	switch {
	case err == nil:
		return nil
	case refused(err):
		there, err := s.Get(ctx, name)
		if err != nil && !errors.Is(err, checkpoint.ErrNotFound) { // gone again: not ours
			return err
		}
		return ours(there, data)
	case transient(err):
		// An attempt without an answer may have arrived.
		if there, err := s.Get(ctx, name); err == nil {
			return ours(there, data)
		}
	case unsupported(err) && !s.checksums: // or they may be what it does not know
		return s.notAtomic(name, err)
	}
	return s.explain("create the object", name, err)
}

// ours tells by the bytes whether a create has succeeded.
func ours(there, data []byte) error {
	if there != nil && bytes.Equal(there, data) {
		return nil
	}
	return checkpoint.ErrExists
}

// Put stores an object, and replaces the one of that name.
func (s *Store) Put(ctx context.Context, name string, data []byte) error {
	if err := checkpoint.CheckObject(name, len(data)); err != nil {
		return err
	}
	err := s.repeat(ctx, func(ctx context.Context) error { return s.upload(ctx, name, data, s.put) })
	return s.explain("store the object", name, err)
}

func (s *Store) upload(ctx context.Context, name string, data []byte, options minio.PutObjectOptions) error {
	_, err := s.client.PutObject(ctx, s.bucket, s.prefix+name, bytes.NewReader(data), int64(len(data)), options)
	return err
}

// Get returns an object, whole or not at all.
func (s *Store) Get(ctx context.Context, name string) (data []byte, err error) {
	if err := checkpoint.CheckName(name); err != nil {
		return nil, err
	}
	err = s.repeat(ctx, func(ctx context.Context) (err error) {
		data, err = s.download(ctx, name)
		return err
	})
	switch {
	case err == nil:
		return data, nil
	case notFound(err):
		return nil, checkpoint.ErrNotFound
	}
	return nil, s.explain("read the object", name, err)
}

func (s *Store) download(ctx context.Context, name string) ([]byte, error) {
	body, info, _, err := minio.Core{Client: s.client}.GetObject(ctx, s.bucket, s.prefix+name, minio.GetObjectOptions{Checksum: s.checksums})
	if err != nil {
		return nil, err
	}
	defer body.Close()
	if info.Size > checkpoint.MaxObject {
		return nil, errTooLong
	}
	if info.Size < 0 { // the server has not said
		data, err := io.ReadAll(io.LimitReader(body, checkpoint.MaxObject+1))
		if len(data) > checkpoint.MaxObject {
			return nil, errTooLong
		}
		return data, err
	}
	data := make([]byte, info.Size)
	if _, err := io.ReadFull(body, data); err != nil {
		return nil, err
	}
	// The end of the body tells whether its checksum is right.
	if n, err := io.Copy(io.Discard, io.LimitReader(body, 1)); err != nil || n > 0 {
		return nil, errors.Join(errWrongLength, err)
	}
	return data, nil
}

// Close ends the connections that are not in use.
func (s *Store) Close() error {
	s.closed.Store(true)
	s.transport.CloseIdleConnections()
	return nil
}
