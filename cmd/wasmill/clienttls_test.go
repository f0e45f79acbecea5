package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/admin"
)

// certificate writes one for the loopback interface and for operators, which has signed
// itself, and its key, which it returns.
func (w *workshop) certificate(cert, key string) string {
	w.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		w.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: cert}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, k.Public(), k)
	if err != nil {
		w.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		w.Fatal(err)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}))
	w.write(cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	w.write(key, text)
	return text
}

// withTLS is wasmill.yaml of a process with TLS at any free port.
const withTLS = `admin:
  listen: 127.0.0.1:0
  tls: {cert: cert.pem, key: key.pem, clientCA: op.pem}
`

func TestAProcessIsAskedOverTLS(t *testing.T) {
	w := newWorkshop(t)
	w.certificate("cert.pem", "key.pem")
	w.certificate("op.pem", "opkey.pem")
	w.certificate("other.pem", "otherkey.pem")
	w.write("wasmill.yaml", withTLS)
	w.write("none.yaml", "")
	at := w.serves()
	address := strings.TrimPrefix(at, "https://")
	shown := []string{"--admin-cert", "op.pem", "--admin-key", "opkey.pem"}
	tests := []struct {
		name string
		args []string
		exit int
		text string
	}{
		{"by its settings", append(shown, "--admin", at), 0, ""},
		{"by its settings, without https", append(shown, "--admin", address), 0, ""},
		{"by a file", append(shown, "--config", "none.yaml", "--admin", at, "--admin-ca", "cert.pem"), 0, ""},
		{"by another file", append(shown, "--admin", at, "--admin-ca", "other.pem"), 3, "has a certificate that is not trusted, so it was sent nothing"},
		{"by what the system trusts", append(shown, "--config", "none.yaml", "--admin", at), 3, "has a certificate that is not trusted, so it was sent nothing"},
		{"without TLS", []string{"--config", "none.yaml", "--admin", address}, 3, "write --admin https://"},
		{"without TLS, as it is told", []string{"--admin", "http://" + address}, 3, "write --admin https://"},
		{"without a certificate", []string{"--admin", at}, 3, "--admin-cert and --admin-key"},
		{"with another certificate", []string{"--admin", at, "--admin-cert", "other.pem", "--admin-key", "otherkey.pem"}, 3, "--admin-cert and --admin-key"},
		{"with a certificate and no key", []string{"--admin", at, "--admin-cert", "op.pem"}, 2, "--admin-cert and --admin-key belong together"},
		{"with a certificate without TLS", append(shown, "--admin", "http://"+address), 2, "is asked without TLS"},
		{"with a file that is not there", []string{"--admin", at, "--admin-ca", "nowhere.pem"}, 3, "nowhere.pem: the file cannot be read: no such file or directory [environment]\n  fix: correct --admin-ca"},
		{"with a key of another certificate", []string{"--admin", at, "--admin-cert", "op.pem", "--admin-key", "key.pem"}, 3, "set --admin-cert and --admin-key to files in PEM that belong together"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if exit, out, _ := w.wasmill(append([]string{"status", "--json"}, test.args...)...); exit != test.exit {
				t.Errorf("exit %d: %s", exit, out)
			}
			if test.exit == 0 {
				return
			}
			if _, out, text := w.wasmill(append([]string{"status"}, test.args...)...); out != "" || !strings.Contains(text, test.text) || !strings.Contains(text, "fix: ") {
				t.Errorf("it says %s%s", out, text)
			}
		})
	}
}

func TestACertificateIsRenewedWithoutARestart(t *testing.T) {
	w := newWorkshop(t)
	key := w.certificate("cert.pem", "key.pem")
	at := w.serves("--set", "admin.listen=127.0.0.1:0", "--set", "admin.tls.cert=cert.pem", "--set", "admin.tls.key=key.pem")
	const used, kept = "are used from now on", "cannot be used: those before still are"
	ask := func(config string) int {
		exit, _, _ := w.wasmill("status", "--json", "--admin", at, "--admin-ca", config)
		return exit
	}
	w.write("old.pem", w.read("cert.pem"))
	if exit := ask("old.pem"); exit != 0 || strings.Contains(w.read("log"), used) {
		t.Errorf("exit %d: %s", exit, w.read("log"))
	}
	w.certificate("cert.pem", "key.pem")
	if fresh, old := ask("cert.pem"), ask("old.pem"); fresh != 0 || old != 3 || strings.Count(w.read("log"), used) != 1 {
		t.Errorf("exit %d, with the one before %d: %s", fresh, old, w.read("log"))
	}
	w.write("key.pem", key) // of the certificate before
	if exit := ask("cert.pem"); exit != 0 || strings.Count(w.read("log"), kept) != 1 || !strings.Contains(w.read("log"), "cert.pem: it makes no certificate with the key in key.pem") {
		t.Errorf("exit %d: %s", exit, w.read("log"))
	}
}

func TestFilesOfTLSThatCannotBeReadKeepItFromRunning(t *testing.T) {
	w := newWorkshop(t)
	w.write("p.yaml", plain)
	w.certificate("cert.pem", "key.pem")
	for _, missing := range []string{"cert", "key", "clientCA"} {
		files := map[string]string{"cert": "cert.pem", "key": "key.pem", "clientCA": "cert.pem", missing: "nowhere.pem"}
		args := []string{"run", "p.yaml", "--set", "admin.listen=127.0.0.1:0"}
		for name, file := range files {
			args = append(args, "--set", "admin.tls."+name+"="+file)
		}
		exit, _, text := w.wasmill(args...)
		if exit != 3 || !strings.Contains(text, "nowhere.pem: the file cannot be read: no such file or directory [environment]\n  fix: correct admin.tls."+missing) || strings.Contains(text, "admin listens") {
			t.Errorf("%s: exit %d: %s", missing, exit, text)
		}
		if _, err := os.Stat("out.txt"); err == nil {
			t.Errorf("%s: it ran", missing)
		}
	}
}

// TestTheTokenIsNotSentToWhoDoesNotKnowIt has somebody else listen, who knows how
// wasmill answers, and may ask the process that is meant.
func TestTheTokenIsNotSentToWhoDoesNotKnowIt(t *testing.T) {
	w := newWorkshop(t)
	at := w.serves("--set", "admin.listen=127.0.0.1:0")
	token := strings.TrimSpace(w.read("data/admin.token"))
	real, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	var leaked, asked atomic.Bool
	spy := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked.Store(true)
			if r.Header.Get("Authorization") != "" {
				leaked.Store(true)
			}
			h.ServeHTTP(w, r)
		})
	}
	text := func(status int, text string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status); io.WriteString(w, text) })
	}
	relay := httputil.NewSingleHostReverseProxy(real)
	impostors := map[string]http.Handler{
		"that passes on what it is asked":   relay,
		"that makes up a proof":             text(200, strings.Repeat("0", 64)),
		"that has no proof":                 text(200, ""),
		"that says that there is no token":  text(404, "this process has no token, so there is nothing to prove"),
		"that says that the token is wrong": text(401, `{"code":"api-token"}`),
		"that sends elsewhere":              http.RedirectHandler(at, http.StatusTemporaryRedirect),
		"that knows another token": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, admin.Proof("another-token-of-20-letters", r.URL.Query().Get("nonce"), r.Context().Value(http.LocalAddrContextKey).(net.Addr)))
		}),
	}
	for name, h := range impostors {
		t.Run(name, func(t *testing.T) {
			leaked.Store(false)
			s := httptest.NewServer(spy(h))
			defer s.Close()
			for _, args := range [][]string{{"status"}, {"phase", "p", "paused"}, {"reload"}} {
				asked.Store(false)
				exit, out, said := w.wasmill(append(args, "--admin", s.URL)...)
				if exit == 0 || out != "" || !strings.Contains(said, "fix: ") || strings.Contains(said, token) || !asked.Load() {
					t.Errorf("%v: exit %d: %s%s", args, exit, out, said)
				}
			}
			if leaked.Load() {
				t.Error("it was sent the token")
			}
		})
	}
	if exit, out, _ := w.wasmill("status", "--admin", at); exit != 0 || !strings.HasPrefix(out, "p: running") {
		t.Errorf("the process itself: exit %d: %s", exit, out)
	}
}

// TestAnAnswerBehindTheProofIsRefused has somebody answer what was not asked yet.
func TestAnAnswerBehindTheProofIsRefused(t *testing.T) {
	const token = "0123456789abcdefghijklmnop"
	for name, test := range map[string]struct {
		head, behind string
		ok           bool
	}{
		"as it should be": {"", "", true}, "that is closed after it": {"Connection: close\r\n", "", false}, "with more behind it": {"", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", false},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go func() {
				c, err := l.Accept()
				if err != nil {
					return
				}
				defer c.Close()
				r, err := http.ReadRequest(bufio.NewReader(c))
				if err != nil {
					return
				}
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 64\r\n"+test.head+"\r\n"+admin.Proof(token, r.URL.Query().Get("nonce"), c.LocalAddr())+test.behind)
				io.Copy(io.Discard, c)
			}()
			cl := &client{at: l.Addr().String(), token: token}
			c, err := cl.dialProven(t.Context(), "tcp", cl.at)
			if (err == nil) != test.ok {
				t.Errorf("got %v", err)
			}
			if err == nil {
				c.Close()
			}
		})
	}
}
