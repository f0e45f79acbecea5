package s3_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/checkpoint/s3"
	"github.com/wasmill/wasmill/checkpoint/storetest/s3server"
	"github.com/wasmill/wasmill/host/stream"
)

// Answers of the store, and what a person is told.
func TestAnswersBecomeErrorsWithAFix(t *testing.T) {
	for _, c := range []struct {
		status int
		code   string
		want   stream.Code
		fix    string
	}{
		{404, "NoSuchBucket", stream.StoreMisconfigured, "create the bucket"},
		{403, "AccessDenied", stream.StoreDenied, "s3:PutObject"},
		{403, "InvalidAccessKeyId", stream.StoreDenied, "access key"},
		{403, "SignatureDoesNotMatch", stream.StoreDenied, "secret key"},
		{400, "ExpiredToken", stream.StoreDenied, "temporary credentials"},
		{403, "RequestTimeTooSkewed", stream.StoreMisconfigured, "clock"},
		{400, "AuthorizationHeaderMalformed", stream.StoreMisconfigured, "s3.region"},
		{301, "PermanentRedirect", stream.StoreMisconfigured, "s3.region"},
		{400, "KMS.NotFoundException", stream.StoreMisconfigured, "s3.encryption"},
		{501, "NotImplemented", stream.StoreMisconfigured, "s3.endpoint"},
		{507, "XMinioStorageFull", stream.StoreUnavailable, "free space"},
		{503, "SlowDown", stream.StoreUnavailable, "overloaded"},
		{500, "InternalError", stream.StoreUnavailable, "overloaded"},
		{429, "", stream.StoreUnavailable, "overloaded"},
		{400, "InvalidArgument", stream.StoreMisconfigured, "s3.endpoint"},
		{405, "MethodNotAllowed", stream.StoreMisconfigured, "s3.endpoint"},
	} {
		t.Run(fmt.Sprint(c.status, " ", c.code), func(t *testing.T) {
			t.Parallel()
			server, config := serve(t)
			store := open(t, config)
			server.Break("", "", 0, s3server.Fault{Status: c.status, Code: c.code})
			for doing, err := range every(t.Context(), store) {
				if c.status == http.StatusNotImplemented && doing == "create" {
					expect(t, doing, err, stream.StoreNotAtomic, "update the server", server.SecretKey)
					continue
				}
				expect(t, doing, err, c.want, c.fix, server.SecretKey)
			}
		})
	}
}

// Places that give no answer.
func TestNoAnswerBecomesAnErrorWithAFix(t *testing.T) {
	plain, config1 := serve(t)
	secure := s3server.StartTLS()
	t.Cleanup(secure.Close)
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody.Close()
	foreign := filepath.Join(t.TempDir(), "foreign.pem")
	other := s3server.StartTLS()
	t.Cleanup(other.Close)
	if err := os.WriteFile(foreign, secure.Certificate(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		change func(*s3.Config)
		want   stream.Code
		fix    string
	}{
		{"nobody listens", func(c *s3.Config) { c.Endpoint = "http://" + nobody.Addr().String() }, stream.StoreUnavailable, "start the store"},
		{"the host is unknown", func(c *s3.Config) { c.Endpoint = "http://store.invalid:9000" }, stream.StoreUnavailable, "DNS"},
		{"TLS with a server that has none", func(c *s3.Config) { c.Endpoint = strings.Replace(plain.Endpoint(), "http:", "https:", 1) }, stream.StoreMisconfigured, "http://"},
		{"no TLS with a server that wants it", func(c *s3.Config) { c.Endpoint = strings.Replace(secure.Endpoint(), "https:", "http:", 1) }, stream.StoreMisconfigured, "https://"},
		{"a certificate that nobody knows", func(c *s3.Config) { c.Endpoint = secure.Endpoint() }, stream.StoreMisconfigured, "s3.tls.caFile"},
		{"a certificate of another host", func(c *s3.Config) {
			c.Endpoint = strings.Replace(secure.Endpoint(), "127.0.0.1", "localhost", 1)
			c.TLS.CAFile = foreign
		}, stream.StoreMisconfigured, "s3.tls.caFile"},
		{"a bucket that is not there", func(c *s3.Config) { c.Bucket = "another" }, stream.StoreMisconfigured, "create the bucket another"},
		{"an unknown access key", func(c *s3.Config) { c.Credentials.AccessKey = "unknown" }, stream.StoreDenied, "access key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := config1
			c.change(&config)
			store := open(t, config)
			expect(t, "get", get(t.Context(), store, "a"), c.want, c.fix, plain.SecretKey)
		})
	}
}

func TestWithoutCredentialsNothingIsSent(t *testing.T) {
	server, config := serve(t)
	for name, value := range map[string]string{
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_ACCESS_KEY_ID": "", "AWS_ACCESS_KEY": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SECRET_KEY": "",
		"AWS_SHARED_CREDENTIALS_FILE": filepath.Join(t.TempDir(), "none"), "AWS_PROFILE": "",
	} {
		t.Setenv(name, value)
	}
	config.Credentials = s3.Credentials{}
	store := open(t, config)
	expect(t, "put", store.Put(t.Context(), "a", []byte("x")), stream.StoreDenied, "AWS_ACCESS_KEY_ID", server.SecretKey)
	if got := server.Requests("PUT"); got != 0 {
		t.Errorf("%d requests without a signature were sent", got)
	}

	file := filepath.Join(t.TempDir(), "credentials")
	text := "[mine]\naws_access_key_id = " + server.AccessKey + "\naws_secret_access_key = " + server.SecretKey + "\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", file)
	t.Setenv("AWS_PROFILE", "mine")
	if err := open(t, config).Put(t.Context(), "a", []byte("x")); err != nil {
		t.Errorf("with the shared file: %v", err)
	}
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(t.TempDir(), "none"))
	t.Setenv("AWS_ACCESS_KEY_ID", server.AccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", server.SecretKey)
	if err := open(t, config).Put(t.Context(), "a", []byte("x")); err != nil {
		t.Errorf("with the environment: %v", err)
	}

	role := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"AccessKeyId": %q, "SecretAccessKey": %q, "Token": "t", "Expiration": %q}`, server.AccessKey, server.SecretKey, time.Now().Add(time.Hour).Format(time.RFC3339))
	}))
	defer role.Close()
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", role.URL)
	if err := open(t, config).Put(t.Context(), "a", []byte("x")); err != nil {
		t.Errorf("with the role of a container: %v", err)
	}
}

func TestBadConfigIsRefusedBeforeAnyRequest(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*s3.Config)
		fix    string
	}{
		{"no bucket", func(c *s3.Config) { c.Bucket = "" }, "s3://bucket/prefix"},
		{"a bucket with a slash", func(c *s3.Config) { c.Bucket = "a/b" }, "s3://bucket/prefix"},
		{"a prefix that leaves", func(c *s3.Config) { c.Prefix = "../other" }, "prefix"},
		{"a prefix with a slash at the end", func(c *s3.Config) { c.Prefix = "a/" }, "prefix"},
		{"an endpoint with a path", func(c *s3.Config) { c.Endpoint = "https://host/path" }, "path"},
		{"an endpoint with a user", func(c *s3.Config) { c.Endpoint = "https://me:secret@host" }, "user"},
		{"an endpoint of another protocol", func(c *s3.Config) { c.Endpoint = "ftp://host" }, "https://"},
		{"https and TLS off", func(c *s3.Config) { c.Endpoint, c.TLS.Off = "https://host", true }, "one of the two"},
		{"half of the credentials", func(c *s3.Config) { c.Credentials.SecretKey = "" }, "both"},
		{"an unknown encryption", func(c *s3.Config) { c.Encryption.SSE = "aes" }, "kms"},
		{"kms without a key", func(c *s3.Config) { c.Encryption.SSE = "kms" }, "KMS key"},
		{"a key without kms", func(c *s3.Config) { c.Encryption.KMSKey = "x" }, "kms"},
		{"a negative timeout", func(c *s3.Config) { c.RequestTimeout = -time.Second }, "30s"},
		{"a CA file that is not there", func(c *s3.Config) { c.TLS.CAFile = "/nowhere/ca.pem" }, "caFile"},
		{"a CA file without a certificate", func(c *s3.Config) { c.TLS.CAFile = "errors_test.go" }, "PEM"},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := s3.Config{Endpoint: "127.0.0.1:1", Bucket: "bucket", Credentials: s3.Credentials{AccessKey: "a", SecretKey: "very secret"}}
			c.change(&config)
			_, err := s3.New(config)
			expect(t, "new", err, stream.StoreMisconfigured, c.fix, "very secret")
		})
	}
}

func TestCredentialsDoNotPrint(t *testing.T) {
	c := s3.Config{Credentials: s3.Credentials{AccessKey: "public", SecretKey: "very secret", SessionToken: "very secret"}}
	text := fmt.Sprintf("%v %+v %#v %s", c, c, c, c.Credentials)
	if strings.Contains(text, "very secret") {
		t.Error(text)
	}
}

func TestAnswersOfAServerAreFitForATerminal(t *testing.T) {
	server, config := serve(t)
	store := open(t, config)
	server.Break("", "", 0, s3server.Fault{Status: http.StatusBadRequest, Code: "\u009b31mRed\u202e" + strings.Repeat("x", 1000)})
	err := store.Put(t.Context(), "a", nil)
	if text := err.Error(); strings.ContainsAny(text, "\u009b\x1b\u202e") || len(text) > 1500 {
		t.Errorf("%d bytes: %q", len(text), text)
	}
}

func expect(t *testing.T, doing string, err error, code stream.Code, fix, secret string) {
	t.Helper()
	if err == nil {
		t.Fatalf("%s: no error, want %s", doing, code)
	}
	text := err.Error()
	_, advice, _ := strings.Cut(text, "fix: ")
	if stream.CodeOf(err) != code || stream.ExitCode(err) != stream.ExitEnvironment || !strings.Contains(advice, fix) || strings.Contains(text, secret) {
		t.Errorf("%s: %v\nwant %s with a fix about %q", doing, err, code, fix)
	}
}
