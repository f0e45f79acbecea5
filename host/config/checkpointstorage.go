package config

import (
	"fmt"
	"strings"

	"github.com/wasmill/wasmill/host/stream"
)

// Storage is where checkpoints are: a folder, or a bucket and a prefix in it.
type Storage struct {
	Folder string // as it was written: a relative one is relative to the folder of the file that names it
	Bucket string
	Prefix string // of the keys, without / at its ends; may be empty
}

// The schemes of a Storage.
const (
	schemeFile = "file"
	schemeS3   = "s3"
)

const maxPrefix = 400 // bytes, so that names of objects fit behind it

func (s Storage) String() string {
	switch {
	case s.Bucket != "" && s.Prefix != "":
		return schemeS3 + "://" + s.Bucket + "/" + s.Prefix
	case s.Bucket != "":
		return schemeS3 + "://" + s.Bucket
	}
	return schemeFile + "://" + s.Folder
}

// UnmarshalText reads file://path or s3://bucket/prefix; the error is a *stream.Error,
// which does not repeat what may be a password.
func (s *Storage) UnmarshalText(text []byte) error {
	given := string(text)
	scheme, rest, ok := strings.Cut(given, "://")
	bad := func(why, fix string) error { return &stream.Error{Code: stream.ConfigValue, Why: why, Fix: fix} }
	switch {
	case ok && scheme == schemeFile:
		return s.folder(rest)
	case ok && scheme == schemeS3:
		return s.bucket(rest)
	case strings.Contains(given, "@"):
		return bad("it is no storage", storageFix)
	case ok:
		fix := storageFix
		if near, ok := Nearest(scheme, []string{schemeFile, schemeS3}); ok && len(scheme) > 1 {
			fix = fmt.Sprintf("did you mean %s://?", near)
		}
		return bad(fmt.Sprintf("there is no storage of kind %q", shorten(scheme)), fix)
	case given == "":
		return bad("the storage is empty", storageFix)
	case strings.HasPrefix(given, "/"), strings.HasPrefix(given, "./"), strings.HasPrefix(given, "../"):
		return bad(fmt.Sprintf("%q does not say what kind of storage it is", shorten(given)), "write file://"+shorten(given))
	}
	return bad(fmt.Sprintf("%q is no storage", shorten(given)), storageFix)
}

// folder reads what is behind file://. A path that begins with a name could as well
// be a host, so it is not taken.
func (s *Storage) folder(p string) error {
	switch {
	case p == "" || strings.ContainsRune(p, 0):
		return &stream.Error{Code: stream.ConfigValue, Why: "the path of the folder is empty", Fix: storageFix}
	case p == "." || p == "..", strings.HasPrefix(p, "/"), strings.HasPrefix(p, "./"), strings.HasPrefix(p, "../"):
		*s = Storage{Folder: p}
		return nil
	}
	return &stream.Error{
		Code: stream.ConfigValue, Why: fmt.Sprintf("%q could be a host or a folder", shorten(p)),
		Fix: fmt.Sprintf("write file://./%s for a folder relative to this file, or file:///%s", shorten(p), shorten(p)),
	}
}

// bucket reads what is behind s3://.
func (s *Storage) bucket(rest string) error {
	bucket, prefix, _ := strings.Cut(strings.TrimSuffix(rest, "/"), "/")
	switch {
	case strings.Contains(rest, "@"):
		return &stream.Error{Code: stream.ConfigValue, Why: "an address of a bucket has no user in it", Fix: "write s3://bucket/prefix, and the keys in the process file: s3: {accessKey: {env: NAME}, secretKey: {env: NAME}}"}
	case !validBucket(bucket):
		return &stream.Error{
			Code: stream.ConfigValue, Why: fmt.Sprintf("%q is not the name of a bucket", shorten(bucket)),
			Fix: "write s3://bucket/prefix with a bucket of 3 to 63 small letters, digits, dots and -; the server is set by s3.endpoint of the process",
		}
	case prefix != "" && !validPrefix(prefix):
		return &stream.Error{
			Code: stream.ConfigValue, Why: fmt.Sprintf("%q is not a prefix of keys", shorten(prefix)),
			Fix: fmt.Sprintf("write s3://bucket/some/prefix of at most %d letters, digits, dots, - and _, without // and without parts that begin with a dot", maxPrefix),
		}
	}
	*s = Storage{Bucket: bucket, Prefix: prefix}
	return nil
}

func validBucket(name string) bool {
	if len(name) < 3 || len(name) > 63 || strings.Contains(name, "..") {
		return false
	}
	for i, c := range []byte(name) {
		letter := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
		if !letter && (c != '.' && c != '-' || i == 0 || i == len(name)-1) {
			return false
		}
	}
	return true
}

func validPrefix(prefix string) bool {
	for part := range strings.SplitSeq(prefix, "/") {
		if part == "" || part[0] == '.' || len(part) > 128 || strings.IndexFunc(part, func(r rune) bool {
			return r != '.' && (r > 0x7f || !plain(string(r)))
		}) >= 0 {
			return false
		}
	}
	return len(prefix) <= maxPrefix
}
