package admin_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/admin"
	"github.com/wasmill/wasmill/host/stream"
)

// authority signs certificates.
type authority struct {
	*testing.T
	cert   *x509.Certificate
	key    *ecdsa.PrivateKey
	serial int64
}

func newAuthority(t *testing.T) *authority {
	a := &authority{T: t}
	a.cert, a.key = a.make(nil, nil, &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	return a
}

// make makes a certificate, signed by itself without another one.
func (a *authority) make(by *x509.Certificate, with *ecdsa.PrivateKey, c *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.Fatal(err)
	}
	a.serial++
	c.SerialNumber, c.Subject = big.NewInt(a.serial), pkix.Name{CommonName: "test"}
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	if by == nil {
		by, with = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, by, key.Public(), with)
	if err != nil {
		a.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.Fatal(err)
	}
	return cert, key
}

// server writes a certificate for the loopback interface and its key.
func (a *authority) server(cert, key string) *x509.Certificate {
	c, k := a.make(a.cert, a.key, &x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	a.write(cert, key, c, k)
	return c
}

// client writes a certificate of an operator and its key.
func (a *authority) client(cert, key string) {
	c, k := a.make(a.cert, a.key, &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	a.write(cert, key, c, k)
}

func (a *authority) write(cert, key string, c *x509.Certificate, k *ecdsa.PrivateKey) {
	a.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		a.Fatal(err)
	}
	err = errors.Join(
		os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}), 0o600),
		os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
	if err != nil {
		a.Fatal(err)
	}
}

// files has a certificate of a server, of an operator, and of who signed them.
type files struct {
	*authority
	dir, ca, cert, key, opCert, opKey string
}

func newFiles(t *testing.T) *files {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	f := &files{newAuthority(t), dir, in("ca"), in("cert"), in("key"), in("opCert"), in("opKey")}
	f.server(f.cert, f.key)
	f.client(f.opCert, f.opKey)
	if err := os.WriteFile(f.ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.authority.cert.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return f
}

// ask asks as an operator does; without files of one it has no certificate.
func (f *files) ask(s *admin.Server, change func(*tls.Config), path, cert, key string) (*http.Response, error) {
	f.Helper()
	config, err := admin.ClientTLS(admin.File{Setting: "ca", Path: f.ca}, admin.File{Setting: "cert", Path: cert}, admin.File{Setting: "key", Path: key})
	if err != nil {
		return nil, err
	}
	if change != nil {
		change(config)
	}
	c := http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
	r, err := http.NewRequest("GET", s.URL()+path, nil)
	if err != nil {
		f.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	got, err := c.Do(r)
	if err == nil {
		_, err = io.Copy(io.Discard, got.Body)
		got.Body.Close()
	}
	return got, err
}

// reloads notes what is told of files that change.
type reloads struct {
	mu  sync.Mutex
	all []string
}

func (r *reloads) note(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		r.all = append(r.all, "used")
	} else {
		r.all = append(r.all, err.Error())
	}
}

func (r *reloads) taken() (all []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	all, r.all = r.all, nil
	return all
}

func TestTLSNeedsTheTokenToo(t *testing.T) {
	f := newFiles(t)
	s := serving(t, admin.Config{Addresses: []string{"127.0.0.1:0"}, Token: token, Control: &changes{}, Ready: func() error { return nil }, TLS: &admin.TLS{Cert: f.cert, Key: f.key}})
	if !strings.HasPrefix(s.URL(), "https://127.0.0.1:") {
		t.Fatalf("it listens on %s", s.URL())
	}
	if got, err := f.ask(s, nil, "/api/v1/pipelines", "", ""); err != nil || got.StatusCode != 200 {
		t.Errorf("got %v, %v", got, err)
	}
	config := &tls.Config{InsecureSkipVerify: true}
	raw := func(request string) string {
		c, err := tls.Dial("tcp", strings.TrimPrefix(s.URL(), "https://"), config)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := io.WriteString(c, strings.ReplaceAll(request, "\n", "\r\n")); err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(c)
		if err != nil {
			t.Fatal(err)
		}
		return string(answer)
	}
	host := strings.TrimPrefix(s.URL(), "https://")
	for name, test := range map[string]struct{ header, status string }{
		"without a token":                       {"X: y", "401"},
		"from a page of its own":                {"Authorization: Bearer " + token + "\nOrigin: https://" + host, "200"},
		"from the page at its port without TLS": {"Authorization: Bearer " + token + "\nOrigin: http://" + host, "403"},
	} {
		if got := raw("GET /api/v1/pipelines HTTP/1.1\nHost: " + host + "\nConnection: close\n" + test.header + "\n\n"); !strings.HasPrefix(got, "HTTP/1.1 "+test.status) {
			t.Errorf("%s: %.80s", name, got)
		}
	}
	c, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET /healthz HTTP/1.1\r\nHost: "+host+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if answer, _ := io.ReadAll(c); !strings.HasPrefix(string(answer), "HTTP/1.0 400") {
		t.Errorf("without TLS: %q", answer)
	}
	if got, err := f.ask(s, func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }, "/healthz", "", ""); err == nil {
		t.Errorf("TLS 1.1 gets %v", got.Status)
	}
	if got, err := f.ask(s, func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }, "/healthz", "", ""); err != nil {
		t.Errorf("TLS 1.2 gets %v, %v", got, err)
	}
}

func TestOperatorsShowACertificateIfTheyHaveTo(t *testing.T) {
	f, other := newFiles(t), newFiles(t)
	s := serving(t, admin.Config{Addresses: []string{"127.0.0.1:0"}, Token: token, Control: &changes{}, Ready: func() error { return nil }, TLS: &admin.TLS{Cert: f.cert, Key: f.key, ClientCA: f.ca}})
	if got, err := f.ask(s, nil, "/api/v1/pipelines", f.opCert, f.opKey); err != nil || got.StatusCode != 200 {
		t.Errorf("with one: %v, %v", got, err)
	}
	for name, pair := range map[string][2]string{
		"with none": {}, "with one of somebody else": {other.opCert, other.opKey}, "with one of a server": {f.cert, f.key},
	} {
		for _, path := range []string{"/api/v1/pipelines", "/healthz"} {
			if got, err := f.ask(s, nil, path, pair[0], pair[1]); err == nil {
				t.Errorf("%s: %s gets %s", path, name, got.Status)
			}
		}
	}
	open := serving(t, admin.Config{Addresses: []string{"unix:" + filepath.Join(f.dir, "s")}, TLS: &admin.TLS{Cert: f.cert, Key: f.key, ClientCA: f.ca}, Ready: func() error { return nil }})
	if status, _, _ := exchange(t, open, "GET /readyz HTTP/1.1\nHost: localhost\nConnection: close\n\n"); status != 200 {
		t.Errorf("over a socket: %d", status)
	}
}

func TestFilesThatAreRenewedAreUsed(t *testing.T) {
	f, told := newFiles(t), &reloads{}
	s := serving(t, admin.Config{Addresses: []string{"127.0.0.1:0"}, Ready: func() error { return nil }, TLS: &admin.TLS{Cert: f.cert, Key: f.key, ClientCA: f.ca, Renewed: told.note}})
	shown := func() int64 {
		t.Helper()
		got, err := f.ask(s, nil, "/readyz", f.opCert, f.opKey)
		if err != nil {
			t.Fatal(err)
		}
		return got.TLS.PeerCertificates[0].SerialNumber.Int64()
	}
	hears := func(want string) {
		t.Helper()
		if all := told.taken(); strings.Join(all, "; ") != want && !(len(all) == 1 && want != "" && strings.Contains(all[0], want)) {
			t.Errorf("it was told %q, not %q", all, want)
		}
	}
	first := shown()
	hears("")
	oldKey, err := os.ReadFile(f.key)
	if err != nil {
		t.Fatal(err)
	}
	second := f.server(f.cert, f.key).SerialNumber.Int64()
	if got := shown(); got != second || got == first {
		t.Errorf("after the renewal it shows %d", got)
	}
	hears("used")

	newKey, err := os.ReadFile(f.key)
	if err != nil {
		t.Fatal(err)
	}
	for name, broken := range map[string][]byte{"is another one": oldKey, "is half written": newKey[:len(newKey)/2], "is empty": {}} {
		if err := os.WriteFile(f.key, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if got := shown(); got != second {
				t.Errorf("while the key %s it shows %d", name, got)
			}
		}
		hears("it makes no certificate with the key in " + f.key) // once
		if err := os.WriteFile(f.key, newKey, 0o600); err != nil {
			t.Fatal(err)
		}
		shown()
		hears("used")
	}
	if err := errors.Join(os.Remove(f.cert)); err != nil {
		t.Fatal(err)
	}
	shown()
	hears(f.cert + ": the file cannot be read")
	third := f.server(f.cert, f.key).SerialNumber.Int64()
	if got := shown(); got != third {
		t.Errorf("after the second renewal it shows %d", got)
	}
	hears("used")

	other := newFiles(t)
	ca, err := os.ReadFile(other.ca)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(f.ca+"2", ca, 0o600); err != nil {
		t.Fatal(err)
	}
	mine, err := os.ReadFile(f.ca)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(f.ca+"2", f.ca); err != nil {
		t.Fatal(err)
	}
	known := func(c *tls.Config) { c.RootCAs = x509.NewCertPool(); c.RootCAs.AppendCertsFromPEM(mine) }
	if got, err := f.ask(s, known, "/readyz", f.opCert, f.opKey); err == nil {
		t.Errorf("who was let in by the authority before gets %s", got.Status)
	}
	if got, err := f.ask(s, known, "/readyz", other.opCert, other.opKey); err != nil {
		t.Errorf("who is let in by the new one gets %v, %v", got, err)
	}
}

func TestFilesThatCannotBeUsedKeepItFromListening(t *testing.T) {
	f := newFiles(t)
	in := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(f.dir, name)
		if err := errors.Join(os.WriteFile(path, []byte(content), 0o600), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	key, err := os.ReadFile(f.key)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(f.dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	none := filepath.Join(f.dir, "none")
	tests := []struct {
		name  string
		files admin.TLS
		where string
		why   string
		fix   string
	}{
		{"no certificate", admin.TLS{Cert: none, Key: f.key}, none, "the file cannot be read: no such file", "correct admin.tls.cert"},
		{"no key", admin.TLS{Cert: f.cert, Key: none}, none, "the file cannot be read: no such file", "correct admin.tls.key"},
		{"no authority", admin.TLS{Cert: f.cert, Key: f.key, ClientCA: none}, none, "the file cannot be read: no such file", "correct admin.tls.clientCA"},
		{"a folder", admin.TLS{Cert: f.dir, Key: f.key}, f.dir, "no regular file", "admin.tls.cert"},
		{"a pipe", admin.TLS{Cert: filepath.Join(f.dir, "pipe"), Key: f.key}, filepath.Join(f.dir, "pipe"), "no regular file", "admin.tls.cert"},
		{"a large file", admin.TLS{Cert: f.cert, Key: f.key, ClientCA: in("large", strings.Repeat("x", 1<<20+1), 0o600)}, filepath.Join(f.dir, "large"), "more than 1048576 bytes", "nothing else"},
		{"a key that everybody reads", admin.TLS{Cert: f.cert, Key: in("open", string(key), 0o644)}, filepath.Join(f.dir, "open"), "every user of this machine may use it", "chmod o="},
		{"a key of another certificate", admin.TLS{Cert: f.cert, Key: f.opKey}, f.cert, "private key does not match", "belong together"},
		{"both in the wrong place", admin.TLS{Cert: f.key, Key: f.cert}, f.key, "it makes no certificate", "belong together"},
		{"an authority without certificate", admin.TLS{Cert: f.cert, Key: f.key, ClientCA: f.key}, f.key, "it has no certificate in PEM", "admin.tls.clientCA"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			files := test.files
			s, err := admin.Open(admin.Config{Addresses: []string{"127.0.0.1:0"}, TLS: &files})
			e, ok := errors.AsType[*stream.Error](err)
			if s != nil || !ok || stream.ExitCode(err) != stream.ExitEnvironment || e.Where != test.where || !strings.Contains(e.Reason(), test.why) || !strings.Contains(e.Fix, test.fix) {
				t.Errorf("got %v, %v", s, err)
			}
			if block, _ := pem.Decode(key); bytes.Contains([]byte(err.Error()), block.Bytes) || strings.Contains(err.Error(), strings.Split(string(key), "\n")[1]) {
				t.Errorf("the key is in %v", err)
			}
		})
	}
}
