package s3

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"syscall"
	"unicode"

	"github.com/minio/minio-go/v7"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/host/stream"
)

var (
	errTooLong     = fmt.Errorf("the object has more than %d bytes, so it is none of a checkpoint", checkpoint.MaxObject)
	errWrongLength = errors.New("the object has not the length that was announced")
	errDisorder    = errors.New("the objects are not listed in the order of their names")
)

// answer returns what the store answered, if it did.
func answer(err error) (a minio.ErrorResponse, ok bool) {
	ok = errors.As(err, &a)
	return a, ok
}

// notFound reports whether there is no such object (and the bucket is there).
func notFound(err error) bool {
	a, ok := answer(err)
	return ok && a.Code == minio.NoSuchKey
}

// refused reports whether a conditional PUT met an object.
func refused(err error) bool {
	a, ok := answer(err)
	return ok && (a.StatusCode == http.StatusPreconditionFailed || a.Code == minio.PreconditionFailed)
}

// unsupported reports whether the store does not know what it was asked for.
func unsupported(err error) bool {
	a, ok := answer(err)
	return ok && (a.StatusCode == http.StatusNotImplemented || a.Code == minio.NotImplemented) && !aboutKeys(a)
}

// aboutKeys reports whether the store cannot encrypt.
func aboutKeys(a minio.ErrorResponse) bool {
	text := strings.ToUpper(a.Code + " " + a.Message)
	return strings.Contains(text, "KMS") || strings.Contains(text, "SERVER SIDE ENCRYPT")
}

// again reports whether to repeat a request. MinIO also denies access when the
// folder that it wants to write into goes with the last object in it.
func again(err error) bool {
	a, _ := answer(err)
	return transient(err) || a.Code == minio.AccessDenied
}

// transient reports whether the same request may have another answer soon. A
// request without an answer may have been carried out.
func transient(err error) bool {
	if err == nil || ended(err) {
		return false
	}
	if a, ok := answer(err); ok {
		switch a.Code {
		case "SlowDown", "SlowDownRead", "SlowDownWrite", "InternalError", "RequestTimeout", "ServiceUnavailable",
			"Throttling", "ThrottlingException", "RequestLimitExceeded", "OperationAborted", "ConditionalRequestConflict", "IncompleteBody", "BadDigest":
			return true
		}
		switch a.StatusCode {
		case http.StatusNotImplemented, http.StatusInsufficientStorage:
			return false
		case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooManyRequests, 499:
			return true
		}
		return a.StatusCode >= 500 && !full(a.Code)
	}
	return !untrusted(err) && !wrongScheme(err) &&
		!errors.Is(err, errNoCredentials) && !errors.Is(err, errTooLong) && !errors.Is(err, fs.ErrClosed)
}

func full(code string) bool {
	return strings.Contains(code, "StorageFull") || strings.Contains(code, "QuotaExceeded")
}

// untrusted reports whether the certificate of the server was not accepted.
func untrusted(err error) bool {
	var verify *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	return errors.As(err, &verify) || errors.As(err, &authority) || errors.As(err, &host) || errors.As(err, &invalid)
}

// wrongScheme reports whether a server without TLS was asked for it.
func wrongScheme(err error) bool {
	var header tls.RecordHeaderError
	return errors.As(err, &header) || strings.Contains(err.Error(), "server gave HTTP response to HTTPS client")
}

// explain makes an error one that a person can act on.
func (s *Store) explain(doing, name string, err error) error {
	if err == nil || ended(err) || errors.Is(err, fs.ErrClosed) {
		return err
	}
	e := &stream.Error{Where: "s3://" + s.bucket + "/" + s.prefix + name}
	if a, ok := answer(err); ok {
		e.Code, e.Fix = s.advice(a)
		e.Why = fmt.Sprintf("cannot %s: %s (%s)", doing, strings.TrimSuffix(clean(a.Error()), "."), strings.Join(facts(a), ", "))
		return e
	}
	e.Code, e.Fix = s.trouble(err)
	e.Why, e.Err = "cannot "+doing, err
	return e
}

func (s *Store) notAtomic(name string, err error) error {
	a, _ := answer(err)
	return &stream.Error{
		Code:  stream.StoreNotAtomic,
		Where: "s3://" + s.bucket + "/" + s.prefix + name,
		Why:   "the store has no conditional writes (If-None-Match): " + clean(a.Error()),
		Fix:   "use a store that has them (Amazon S3, MinIO) or update the server; without them two processes could continue one pipeline at once",
	}
}

// facts names the answer for whoever runs the store.
func facts(a minio.ErrorResponse) []string {
	var facts []string
	if a.Code != "" {
		facts = append(facts, clean(a.Code))
	}
	if a.StatusCode != 0 && !strings.HasPrefix(a.Code, fmt.Sprint(a.StatusCode)) {
		facts = append(facts, fmt.Sprintf("status %d", a.StatusCode))
	}
	if a.RequestID != "" {
		facts = append(facts, "request "+clean(a.RequestID))
	}
	return facts
}

// advice says what kind of error an answer is, and what to do.
func (s *Store) advice(a minio.ErrorResponse) (stream.Code, string) {
	switch a.Code {
	case minio.NoSuchBucket:
		return stream.StoreMisconfigured, "create the bucket " + s.bucket + " at " + s.endpoint + ", or correct its name in s3://bucket/prefix"
	case "InvalidAccessKeyId", "InvalidClientTokenId", "InvalidToken":
		return stream.StoreDenied, s.endpoint + " does not know the access key: correct s3.accessKey, or AWS_ACCESS_KEY_ID"
	case "SignatureDoesNotMatch":
		return stream.StoreDenied, "the secret key does not fit the access key: correct s3.secretKey, or AWS_SECRET_ACCESS_KEY"
	case "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired":
		return stream.StoreDenied, "get new temporary credentials, or use a role that renews them"
	case "RequestTimeTooSkewed", "RequestExpired":
		return stream.StoreMisconfigured, "set the clock of this machine: requests are signed with its time (timedatectl, chrony)"
	case "AuthorizationHeaderMalformed", minio.InvalidRegion, "PermanentRedirect", "TemporaryRedirect", "IllegalLocationConstraintException":
		if region := clean(a.Region); region != "" {
			return stream.StoreMisconfigured, "set s3.region to " + region + ", and the endpoint of that region"
		}
		return stream.StoreMisconfigured, "set s3.region and s3.endpoint to those of the bucket"
	}
	switch {
	case full(a.Code) || a.StatusCode == http.StatusInsufficientStorage:
		return stream.StoreUnavailable, "free space in the store, or raise its quota"
	case aboutKeys(a):
		return stream.StoreMisconfigured, "correct s3.encryption: the key, and the right of these credentials to use it"
	case strings.Contains(a.Message, "HTTP request to an HTTPS server") || strings.Contains(a.Message, "HTTP request was sent to HTTPS port"):
		return stream.StoreMisconfigured, "the server wants TLS: write https:// in front of s3.endpoint"
	case transient(a):
		return stream.StoreUnavailable, "the store is overloaded or being repaired: look at its state; checkpoints go on when it answers"
	case a.Code == minio.AccessDenied || a.StatusCode == http.StatusForbidden || a.StatusCode == http.StatusUnauthorized:
		return stream.StoreDenied, "allow these credentials s3:GetObject, s3:PutObject and s3:DeleteObject on " + s.bucket + "/" + s.prefix + "* and s3:ListBucket on " + s.bucket
	case unsupported(a) && s.checksums:
		return stream.StoreMisconfigured, "the server does not know a part of the protocol: set s3.trailingChecksums: false"
	}
	return stream.StoreMisconfigured, "check that s3.endpoint " + s.endpoint + " speaks the protocol of S3, and the settings below s3"
}

// trouble says what kind of error it is to have no answer, and what to do.
func (s *Store) trouble(err error) (stream.Code, string) {
	var dns *net.DNSError
	var timeout *timeoutError
	switch {
	case errors.Is(err, errNoCredentials):
		return stream.StoreDenied, "set s3.accessKey and s3.secretKey, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run with a role"
	case wrongScheme(err):
		return stream.StoreMisconfigured, "the server speaks plain HTTP: write http:// in front of s3.endpoint"
	case untrusted(err):
		return stream.StoreMisconfigured, "put the CA that signed the certificate of " + s.endpoint + " into s3.tls.caFile, and use the host name that is in the certificate"
	case errors.Is(err, errTooLong), errors.Is(err, errDisorder):
		return stream.StoreMisconfigured, "use a bucket and prefix for checkpoints alone, of a general purpose bucket (those of S3 Express are not in order)"
	case errors.As(err, &dns):
		return stream.StoreUnavailable, "check the host in s3.endpoint, " + s.endpoint + ", and the DNS of this machine"
	case errors.Is(err, syscall.ECONNREFUSED):
		return stream.StoreUnavailable, "start the store, or correct host and port in s3.endpoint, " + s.endpoint
	case errors.As(err, &timeout):
		return stream.StoreUnavailable, "check the store and the network to " + s.endpoint + ", or raise s3.requestTimeout"
	}
	if !s.secure {
		return stream.StoreUnavailable, "check the store and the network to " + s.endpoint + "; if it wants TLS, write https:// in front of s3.endpoint"
	}
	return stream.StoreUnavailable, "check the store and the network to " + s.endpoint
}

// clean makes text of a server fit for a terminal and a log.
func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) {
			return r
		}
		return ' '
	}, text)
	if runes := []rune(text); len(runes) > 300 {
		text = string(runes[:300]) + "…"
	}
	return strings.TrimSpace(text)
}
