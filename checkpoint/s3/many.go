package s3

import (
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/minio/minio-go/v7"

	"github.com/wasmill/wasmill/checkpoint"
)

// page is the most that a request lists or deletes, by the protocol.
const page = 1000

// List asks for one page at a time. Keys that are no names of objects are left out.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[checkpoint.Object, error] {
	return func(yield func(checkpoint.Object, error) bool) {
		if prefix != "" && checkpoint.CheckName(prefix) != nil && checkpoint.CheckName(prefix+"x") != nil {
			return // no name begins so
		}
		last := ""
		for more := true; more; {
			var objects []minio.ObjectInfo
			err := s.repeat(ctx, func(ctx context.Context) (err error) {
				objects, err = s.page(ctx, prefix, last)
				return err
			})
			if err != nil {
				yield(checkpoint.Object{}, s.explain("list the objects", prefix, err))
				return
			}
			more = len(objects) >= page
			for _, o := range objects {
				if o.Key <= last {
					yield(checkpoint.Object{}, s.explain("list the objects", prefix, errDisorder))
					return
				}
				last = o.Key
				name := strings.TrimPrefix(o.Key, s.prefix)
				if checkpoint.CheckName(name) != nil {
					continue
				}
				if !yield(checkpoint.Object{Name: name, Bytes: o.Size, Changed: o.LastModified}, nil) {
					return
				}
			}
		}
	}
}

// page returns the objects after a key, at most a page of them.
func (s *Store) page(ctx context.Context, prefix, after string) ([]minio.ObjectInfo, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // the iterator wants it when it is left
	var objects []minio.ObjectInfo
	for o := range s.client.ListObjectsIter(ctx, s.bucket, minio.ListObjectsOptions{
		Prefix: s.prefix + prefix, Recursive: true, MaxKeys: page, StartAfter: after,
	}) {
		if o.Err != nil {
			return nil, o.Err
		}
		if objects = append(objects, o); len(objects) == page {
			break
		}
	}
	return objects, ctx.Err()
}

// Delete removes objects, a page of them with one request.
func (s *Store) Delete(ctx context.Context, names ...string) error {
	for _, name := range names {
		if err := checkpoint.CheckName(name); err != nil {
			return err
		}
	}
	for some := range slices.Chunk(names, page) {
		err := s.repeat(ctx, func(ctx context.Context) error { return s.remove(ctx, some) })
		if err != nil {
			return s.explain("delete the objects", some[0], err)
		}
	}
	return nil
}

func (s *Store) remove(ctx context.Context, names []string) error {
	if len(names) == 1 {
		return s.client.RemoveObject(ctx, s.bucket, s.prefix+names[0], minio.RemoveObjectOptions{})
	}
	results, err := s.client.RemoveObjectsWithIter(ctx, s.bucket, func(yield func(minio.ObjectInfo) bool) {
		for _, name := range names {
			if !yield(minio.ObjectInfo{Key: s.prefix + name}) {
				return
			}
		}
	}, minio.RemoveObjectsOptions{})
	if err != nil {
		return err
	}
	for r := range results {
		if r.Err != nil {
			return r.Err
		}
	}
	return ctx.Err()
}
