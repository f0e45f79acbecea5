// Package s3 keeps the objects of checkpoints in a bucket of Amazon S3 or of a
// server that speaks its protocol. It owns minio-go.
//
//	Create ──▶ one PUT with If-None-Match: *  ── 200 ──▶ nil
//	                    │                     ── 412 ──▶ read back: ours? nil : ErrExists
//	                    └── no answer, 5xx, 409 ──▶ again, a few times
//
// A store can lose the answer to a PUT that it has carried out, and then refuses
// the second try because of the first. It knows no names of writers, so Create
// compares the bytes: equal ones count as its own. What is given to Create must
// therefore hold something that no other writer's has, such as a random nonce:
// two writers of the same bytes may both get nil.
//
// The package starts no goroutine of its own; the HTTP client has some for its
// connections until Close.
//
// Invariants
//
//  1. Every object goes in one PUT of known length. minio-go makes several of
//     what is longer than MaxObject, and drops the condition on the way.
//  2. minio-go retries nothing (MaxRetries 1): a PUT that it repeats silently
//     meets its own 412.
//  3. Each request has a deadline of its own besides the caller's context.
//  4. Every error that is not one of Store or of a context is a *stream.Error of
//     the environment, with a fix, and holds no secret.
package s3
