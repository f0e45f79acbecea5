package config

import (
	"net/url"
	"strings"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// S3 says how all buckets of the process are reached. Without keys they are looked for
// where Amazon's tools do.
type S3 struct {
	Endpoint          string        `koanf:"endpoint"` // host or host:port, also with http:// or https://; empty = Amazon's
	Region            string        `koanf:"region"`   // empty = that of the environment, then of the bucket
	AccessKey         SecretRef     `koanf:"accessKey"`
	SecretKey         SecretRef     `koanf:"secretKey"`
	SessionToken      SecretRef     `koanf:"sessionToken"` // of temporary keys
	PathStyle         bool          `koanf:"pathStyle"`    // the bucket is in the path and not in the host
	TLS               TLS           `koanf:"tls"`
	Encryption        Encryption    `koanf:"encryption"`
	TrailingChecksums bool          `koanf:"trailingChecksums"` // the store keeps a CRC-32C of each object; not all servers can
	RequestTimeout    time.Duration `koanf:"requestTimeout"`    // of one request
}

// TLS says how a connection is protected.
type TLS struct {
	Off      bool   `koanf:"off"`      // plain HTTP
	CAFile   string `koanf:"caFile"`   // PEM; certificates to trust besides those of the system
	Insecure bool   `koanf:"insecure"` // trust any certificate: for tests only
}

// Encryption says how the store encrypts what it keeps.
type Encryption struct {
	SSE    SSE    `koanf:"sse"`
	KMSKey string `koanf:"kmsKey"` // id or ARN of the key of SSEKMS
}

// SSE is a kind of encryption on the side of the store; empty = as the bucket says.
type SSE string

// The kinds of encryption.
const (
	SSES3  SSE = "s3"
	SSEKMS SSE = "kms"
)

// Choices implements Choice.
func (SSE) Choices() []string { return []string{string(SSES3), string(SSEKMS)} }

const maxRequestTimeout = 10 * time.Minute

// s3 checks an S3.
func (b *binder) s3(p path, s *S3) {
	b.endpoint(p.key("endpoint"), s)
	if s.Encryption.SSE != SSEKMS && s.Encryption.KMSKey != "" && !b.about(p.key("encryption").key("sse")) {
		b.fault(p.key("encryption").key("kmsKey"), stream.ConfigValue, "there is a key, but sse is not kms", "add sse: kms, or remove the key")
	}
	if s.Encryption.SSE == SSEKMS && s.Encryption.KMSKey == "" {
		b.missing(p.key("encryption"), "kmsKey", "add kmsKey: with the id or the ARN of the key")
	}
	access, secret := p.key("accessKey"), p.key("secretKey")
	switch {
	case b.about(access) || b.about(secret):
	case s.AccessKey.given() && !s.SecretKey.given():
		b.fault(access, stream.ConfigMissing, "there is an accessKey and no secretKey", "add secretKey: {env: NAME} or {file: PATH}, or remove it to use the keys of the environment")
	case s.SecretKey.given() && !s.AccessKey.given():
		b.fault(secret, stream.ConfigMissing, "there is a secretKey and no accessKey", "add accessKey: {env: NAME} or {file: PATH}, or remove it to use the keys of the environment")
	case s.SessionToken.given() && !s.AccessKey.given():
		b.fault(p.key("sessionToken"), stream.ConfigMissing, "there is a sessionToken and no accessKey", "add accessKey and secretKey, or remove it to use the keys of the environment")
	}
	within(b, p.key("requestTimeout"), s.RequestTimeout, minTimeout, maxRequestTimeout)
}

// endpoint checks that of an S3. What may be a password in it is not repeated.
func (b *binder) endpoint(p path, s *S3) {
	const fix = "write host, host:port, or https://host:port; the bucket is in checkpoint.storage of the pipeline"
	address := s.Endpoint
	if address == "" || b.about(p) {
		return
	}
	if scheme, rest, ok := strings.Cut(address, "://"); ok {
		address = strings.TrimSuffix(rest, "/")
		switch {
		case scheme != "http" && scheme != "https":
			b.fault(p, stream.ConfigValue, "the endpoint begins with neither http:// nor https://", fix)
			return
		case scheme == "https" && s.TLS.Off:
			b.fault(p, stream.ConfigValue, "the endpoint begins with https://, and s3.tls.off is true", "remove one of the two")
		}
	}
	if u, err := url.Parse("//" + address); err != nil || u.Hostname() == "" || u.Host != address || strings.HasSuffix(address, ":") {
		b.fault(p, stream.ConfigValue, "the endpoint is not a host, nor one with a port", fix)
	}
}
