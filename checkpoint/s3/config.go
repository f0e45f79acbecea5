package s3

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/minio/minio-go/v7/pkg/encrypt"
	"github.com/minio/minio-go/v7/pkg/s3utils"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/host/stream"
)

// amazon is the endpoint when none is given.
const amazon = "s3.amazonaws.com"

// defaultTimeout is enough for an object of MaxObject at 4 Mbit/s.
const defaultTimeout = 30 * time.Second

// Config says where the bucket is and how to speak with it.
type Config struct {
	// Endpoint is host or host:port, with or without http:// or https:// in front;
	// Amazon's if empty.
	Endpoint string

	// Region signs the requests. If empty it is AWS_REGION or AWS_DEFAULT_REGION,
	// then what Amazon says of the bucket, or us-east-1 at another endpoint.
	Region string

	Bucket string

	// Prefix begins the keys of all objects, with a "/" after it; it may be empty.
	Prefix string

	// PathStyle puts the bucket into the path and not into the host, as is always
	// done at endpoints that are no known cloud's.
	PathStyle bool

	TLS         TLS
	Credentials Credentials
	Encryption  Encryption

	// RequestTimeout bounds one request; 30 s if zero. A call makes a few of them
	// when the store does not answer.
	RequestTimeout time.Duration

	// TrailingChecksums sends a CRC32C after each object, which the store checks
	// and keeps, and checks it when reading. Not all servers know it.
	TrailingChecksums bool
}

// TLS says how the connection is protected.
type TLS struct {
	Off      bool   // plain HTTP
	CAFile   string // PEM; certificates to trust besides those of the system
	Insecure bool   // trust any certificate: for tests only
}

// Encryption says how the store encrypts what it keeps: SSE is "" (as the bucket
// says), "s3" or "kms", and KMSKey the key for kms.
type Encryption struct {
	SSE    string
	KMSKey string
}

// misconfigured is an error of a field.
func misconfigured(field, why, fix string) error {
	return &stream.Error{Code: stream.StoreMisconfigured, Where: field, Why: why, Fix: fix}
}

// endpoint returns host and port, and whether to use TLS.
func (c *Config) endpoint() (host string, secure bool, err error) {
	if c.Endpoint == "" {
		return amazon, !c.TLS.Off, nil
	}
	secure = !c.TLS.Off
	address := c.Endpoint
	if scheme, rest, ok := strings.Cut(address, "://"); ok {
		switch {
		case scheme == "http":
			secure = false
		case scheme == "https" && !c.TLS.Off:
		case scheme == "https":
			return "", false, misconfigured("s3.endpoint", "the endpoint begins with https:// but TLS is off", "remove one of the two")
		default:
			return "", false, misconfigured("s3.endpoint", "the endpoint begins with neither http:// nor https://", "write host:port, or https://host:port")
		}
		address = strings.TrimSuffix(rest, "/")
	}
	u, err := url.Parse("//" + address)
	if err != nil || u.Hostname() == "" || u.Host != address {
		return "", false, misconfigured("s3.endpoint", "the endpoint is not host or host:port", "leave out path, user and bucket; the bucket is in s3://bucket/prefix")
	}
	return address, secure, nil
}

// region returns the region to sign for; empty lets Amazon say it.
func (c *Config) region() string {
	for _, r := range []string{c.Region, os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION")} {
		if r != "" {
			return r
		}
	}
	if c.Endpoint == "" || strings.Contains(c.Endpoint, "amazonaws.com") {
		return ""
	}
	return "us-east-1"
}

// check looks at the names.
func (c *Config) check() error {
	if err := s3utils.CheckValidBucketName(c.Bucket); err != nil {
		return misconfigured("s3 bucket", "the name of the bucket is not valid: "+clean(err.Error()), "write s3://bucket/prefix with the name of a bucket of 3 to 63 small letters, digits, dots and -")
	}
	if c.Prefix != "" && checkpoint.CheckName(c.Prefix) != nil {
		return misconfigured("s3 prefix", "the prefix is not a path of letters, digits, dots, - and _", "write s3://bucket/some/prefix without // and without parts that begin with a dot")
	}
	if c.RequestTimeout < 0 {
		return misconfigured("s3.requestTimeout", "the timeout is negative", "write a duration such as 30s")
	}
	return nil
}

func (e *Encryption) option() (encrypt.ServerSide, error) {
	if e.KMSKey != "" && e.SSE != "kms" {
		return nil, misconfigured("s3.encryption", "there is a KMS key, but SSE is not kms", "set it to kms, or remove the key")
	}
	switch e.SSE {
	case "":
		return nil, nil
	case "s3":
		return encrypt.NewSSE(), nil
	case "kms":
		sse, err := encrypt.NewSSEKMS(e.KMSKey, nil)
		if e.KMSKey == "" || err != nil {
			return nil, misconfigured("s3.encryption", "SSE kms without the id of a key", "set the id or ARN of the KMS key")
		}
		return sse, nil
	}
	return nil, misconfigured("s3.encryption", "SSE is neither s3 nor kms", "leave it out, or set s3 or kms")
}

// transport returns a client of HTTP of our own, so that Close can end its
// connections.
func (c *Config) transport(timeout time.Duration) (*http.Transport, error) {
	t := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: min(timeout, 10*time.Second), KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   min(timeout, 10*time.Second),
		ResponseHeaderTimeout: timeout,
		MaxIdleConnsPerHost:   16,
		IdleConnTimeout:       time.Minute,
		DisableCompression:    true, // what is stored is what is read
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: c.TLS.Insecure},
	}
	if c.TLS.CAFile == "" {
		return t, nil
	}
	pem, err := os.ReadFile(c.TLS.CAFile)
	if err != nil {
		return nil, &stream.Error{Code: stream.StoreMisconfigured, Where: c.TLS.CAFile, Why: "the file of certificates to trust cannot be read", Err: err, Fix: "correct s3.tls.caFile"}
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, &stream.Error{Code: stream.StoreMisconfigured, Where: c.TLS.CAFile, Why: "the file holds no certificate", Fix: "use a file with a CA certificate in PEM"}
	}
	t.TLSClientConfig.RootCAs = roots
	return t, nil
}
