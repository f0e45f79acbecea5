package fetch

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// service starts a server and returns its address, which is on loopback.
func service(t testing.TB, handle http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(handle)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// client makes one that may go where rules say. Denials are added to said.
func client(t testing.TB, said *[]string, rules ...string) *Client {
	t.Helper()
	var mu sync.Mutex
	p := Policy{MaxBytes: 1 << 20, Timeout: time.Minute, Conns: 8}
	for _, text := range rules {
		r, err := ParseRule(text)
		if err != nil {
			t.Fatal(err)
		}
		p.Allow = append(p.Allow, r)
	}
	if said != nil {
		p.Denied = func(target, why string) {
			mu.Lock()
			defer mu.Unlock()
			*said = append(*said, target+" "+why)
		}
	}
	c := New(p)
	t.Cleanup(c.Close)
	return c
}

// wantReason asks c and holds the error to a reason.
func wantReason(t testing.TB, c *Client, q *Request, want Reason, text string) {
	t.Helper()
	_, err := c.Do(t.Context(), q)
	var e *Error
	if !errors.As(err, &e) || e.Reason != want || !strings.Contains(e.Error(), text) {
		t.Errorf("%s: got %v, want reason %d with …%s…", q.URL, err, want, text)
	}
}

func TestARequestAndItsAnswerArriveWhole(t *testing.T) {
	at := service(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header()["X-Two"] = []string{"1", "2"}
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprintf(w, "%s %s %s %s %q %s", r.Method, r.URL, r.Host, r.UserAgent(), r.Header["X-Own"], body)
	})
	c := client(t, nil, at)
	for _, method := range []string{"POST", "get-it"} {
		got, err := c.Do(t.Context(), &Request{Method: method, URL: "HTTP://" + at + "/a%2Fb?c=%20#d", Header: []Header{{"x-own", "é"}, {"X-Own", ""}}, Body: []byte("body")})
		if err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf(`%s /a%%2Fb?c=%%20 %s wasmill ["é" ""] body`, method, at)
		if got.Status != http.StatusTeapot || string(got.Body) != want || fmt.Sprint(got.Header["X-Two"]) != "[1 2]" {
			t.Errorf("got %d %q %v\nwant %q", got.Status, got.Body, got.Header, want)
		}
	}
	if got, err := c.Do(t.Context(), &Request{Method: "HEAD", URL: "http://" + at}); err != nil || len(got.Body) != 0 {
		t.Errorf("HEAD: %v, %v", got, err)
	}
}

func TestMalformedRequestsAreNotSent(t *testing.T) {
	at := service(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") })
	c, url := client(t, nil, at), "http://"+at
	head := func(name, value string) *Request { return &Request{URL: url, Header: []Header{{name, value}}} }
	tests := []struct {
		q    *Request
		want string
	}{
		{&Request{URL: url, Method: "A B"}, "method"},
		{&Request{URL: url, Method: "CONNECT"}, "method"},
		{&Request{URL: url, Method: "TRACE"}, "method"},
		{&Request{URL: ""}, "http://"},
		{&Request{URL: "ftp://" + at}, "http://"},
		{&Request{URL: "file:///etc/passwd"}, "http://"},
		{&Request{URL: "http:" + at}, "no host"},
		{&Request{URL: "http:///x"}, "no host"},
		{&Request{URL: "http://u:p@" + at}, "Authorization"},
		{&Request{URL: "http://127.0.0.1:0/"}, "port"},
		{&Request{URL: "http://127.0.0.1:65536/"}, "port"},
		{&Request{URL: "http://exa mple.org/"}, "URL"},
		{&Request{URL: "http://ex\x00ample.org/"}, "URL"},
		{&Request{URL: "http://①②⑦.⓪.⓪.①/"}, "punycode"},
		{&Request{URL: "http://a..b/"}, "name of letters"},
		{&Request{URL: url + "/" + strings.Repeat("x", maxURL)}, "8192 bytes"},
		{head("", "x"), "name of a header"},
		{head("a b", "x"), "name of a header"},
		{head("x", "a\r\nHost: b"), "control characters"},
		{head("x", "\x00"), "control characters"},
		{head("x", strings.Repeat("x", maxHeader)), "65536 bytes"},
		{head("Host", "x"), "not for plugins"},
		{head("connection", "close"), "not for plugins"},
		{head("content-length", "5"), "not for plugins"},
		{head("TRANSFER-ENCODING", "chunked"), "not for plugins"},
		{head("Upgrade", "h2c"), "not for plugins"},
		{head("proxy-authorization", "x"), "not for plugins"},
	}
	for _, tt := range tests {
		wantReason(t, c, tt.q, Invalid, tt.want)
	}
}

func TestWhatIsNotListedIsDeniedAndReported(t *testing.T) {
	at := service(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") })
	_, port, _ := net.SplitHostPort(at)
	var said []string
	c := client(t, &said, "api.example.org", "*.example.net:81", "https://only.example.com", "10.0.0.7:80")
	urls := []string{
		"http://" + at + "/latest",
		"http://localhost:" + port + "/?secret=1",
		"http://[::ffff:127.0.0.1]:" + port,
		"http://[::127.0.0.1]:" + port,
		"http://[64:ff9b::7f00:1]:" + port,
		"http://[2002:7f00:1::]:" + port,
		"http://[2001::7f00:1]:" + port,
		"http://[::1]:" + port,
		"http://[fe80::1%25lo]:" + port,
		"http://169.254.169.254/latest/meta-data",
		"http://[fd00:ec2::254]/latest",
		"http://2130706433:" + port,
		"http://0x7f000001:" + port,
		"http://0x7f.1:" + port,
		"http://0177.0.0.1:" + port,
		"http://127.1:" + port,
		"http://127.0.0.1.:" + port,
		"http://0:" + port,
		"http://example.org", "http://api.example.org:81", "https://api.example.org:80",
		"http://example.net:81", "http://x.example.net", "http://xexample.net:81",
		"http://only.example.com", "http://api.example.org.evil.com", "http://10.0.0.7:81",
	}
	for _, url := range urls {
		wantReason(t, c, &Request{URL: url}, Denied, "")
	}
	if len(said) != len(urls) {
		t.Errorf("%d denials were reported, want %d", len(said), len(urls))
	}
	if text := strings.Join(said, "\n"); strings.Contains(text, "secret") || strings.Contains(text, "latest") {
		t.Errorf("a report has more than scheme, host and port:\n%s", text)
	}
	wantReason(t, &Client{}, &Request{URL: "http://" + at}, Denied, "not listed")
}

func TestRules(t *testing.T) {
	tests := []struct{ rule, url string }{ // "" = no rule
		{"api.example.org", "http://api.example.org/x"},
		{"API.Example.org.", "https://api.example.org."},
		{"api.example.org", "https://api.example.org:443"},
		{"api.example.org:81", "http://api.example.org:81"},
		{"*.example.org", "https://a.b.example.org"},
		{"https://*.example.org:8443", "https://a.example.org:8443"},
		{"10.0.0.7:80", "http://10.0.0.7"},
		{"[fd00::7]:8080", "http://[FD00:0::7]:8080"},
		{"[::ffff:10.0.0.7]:80", "http://10.0.0.7"},
		{"10.0.0.7", ""}, {"[::1]", ""}, {"::1", ""}, {"*", ""}, {"*.org", ""}, {"*.10.0.0.7:80", ""}, {"", ""}, {"a b", ""},
		{"ftp://x", ""}, {"example.org/path", ""}, {"u@example.org", ""}, {"example.org:", ""}, {"example.org:x", ""}, {"example.org:0", ""},
		{"127.1:80", ""}, {"a*.example.org", ""}, {"10.0.0.0/8", ""},
	}
	for _, tt := range tests {
		r, err := ParseRule(tt.rule)
		if tt.url == "" {
			if err == nil {
				t.Errorf("%q is taken for a rule: %+v", tt.rule, r)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", tt.rule, err)
			continue
		}
		if _, to, err := parseURL(tt.url); err != nil || !r.allows(to) {
			t.Errorf("%q does not allow %s: %+v, %+v, %v", tt.rule, tt.url, r, to, err)
		}
	}
}

// names is a resolver whose answers are made up, one per look-up, the last for ever.
func names(answers ...string) *net.Resolver {
	var asked atomic.Int32
	answer := func(q []byte) []byte {
		end := 12
		for q[end] != 0 {
			end += int(q[end]) + 1
		}
		kind := binary.BigEndian.Uint16(q[end+1:])
		n := 0
		if kind == 1 {
			n = min(int(asked.Add(1)), len(answers)) - 1
		}
		a := netip.MustParseAddr(answers[n])
		b := bytes.Clone(q[:end+5])
		copy(b[2:], []byte{0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0})
		if a.Is4() == (kind == 1) {
			b[7] = 1
			b = append(b, 0xc0, 12, 0, byte(kind), 0, 1, 0, 0, 0, 0, 0, byte(a.BitLen()/8))
			b = append(b, a.AsSlice()...)
		}
		return b
	}
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe() // which is spoken to as over TCP
		go func() {
			defer ours.Close()
			var size [2]byte
			if _, err := io.ReadFull(ours, size[:]); err != nil {
				return
			}
			q := make([]byte, binary.BigEndian.Uint16(size[:]))
			if _, err := io.ReadFull(ours, q); err != nil {
				return
			}
			b := answer(q)
			ours.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...))
		}()
		return theirs, nil
	}}
}

func TestANameThatLeadsElsewhereIsDeniedWhenItIsDialled(t *testing.T) {
	var asked atomic.Int32
	at := service(t, func(http.ResponseWriter, *http.Request) { asked.Add(1) })
	_, port, _ := net.SplitHostPort(at)
	for _, address := range []string{"127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "fd00:ec2::254", "2002:7f00:1::", "0.0.0.0"} {
		var said []string
		c := client(t, &said, "api.example.org:"+port)
		c.dialer.Resolver = names(address)
		wantReason(t, c, &Request{URL: "http://api.example.org:" + port}, Denied, "resolves to a")
		if len(said) != 1 || !strings.Contains(said[0], "address that is not listed in http.allow, ") {
			t.Errorf("%s: reported %q", address, said)
		}
	}
	if asked.Load() > 0 {
		t.Error("a request was sent")
	}
	// An address that is listed, and then one that is not.
	c := client(t, nil, "api.example.org:"+port, at)
	c.dialer.Resolver = names("127.0.0.1", "127.0.0.2")
	if _, err := c.Do(t.Context(), &Request{URL: "http://api.example.org:" + port}); err != nil {
		t.Fatal(err)
	}
	c.Close()
	wantReason(t, c, &Request{URL: "http://api.example.org:" + port}, Denied, "loopback")
}

func TestARedirectIsAnAnswer(t *testing.T) {
	private := service(t, func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") })
	at := service(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://"+private+"/", http.StatusFound)
	})
	got, err := client(t, nil, at, private).Do(t.Context(), &Request{URL: "http://" + at})
	if err != nil || got.Status != http.StatusFound || got.Header.Get("Location") != "http://"+private+"/" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestProxiesOfTheEnvironmentAreNotUsed(t *testing.T) {
	proxy := service(t, func(http.ResponseWriter, *http.Request) { t.Error("the proxy was asked") })
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"} {
		t.Setenv(name, "http://"+proxy)
	}
	// The real thing keeps loopback from the proxy, so the name has to be another.
	at := service(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "direct") })
	_, port, _ := net.SplitHostPort(at)
	c := client(t, nil, "api.example.org:"+port, at)
	c.dialer.Resolver = names("127.0.0.1")
	got, err := c.Do(t.Context(), &Request{URL: "http://api.example.org:" + port})
	if err != nil || string(got.Body) != "direct" || c.transport.Proxy != nil {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestAnswersAreCapped(t *testing.T) {
	zeros := func(n int64, gz bool) []byte {
		var b bytes.Buffer
		var w io.Writer = &b
		if gz {
			z := gzip.NewWriter(&b)
			defer z.Close()
			w = z
		}
		if _, err := io.CopyN(w, zero{}, n); err != nil {
			t.Fatal(err)
		}
		if z, ok := w.(*gzip.Writer); ok {
			z.Flush()
		}
		return b.Bytes()
	}
	bomb := zeros(8<<20, true)
	at := service(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(bomb)
		case "/declared":
			w.Header().Set("Content-Length", "1048577")
			w.Write([]byte("x"))
		case "/stream":
			io.CopyN(w, zero{}, 1<<20+1)
		case "/headers":
			w.Header().Set("X", strings.Repeat("x", 1<<20))
		case "/both":
			w.Header().Set("X", strings.Repeat("x", 1<<19))
			w.Write(zeros(1<<19, false))
		case "/most":
			w.Write(zeros(1<<20-200, false))
		}
	})
	c := client(t, nil, at)
	for _, path := range []string{"/declared", "/stream", "/headers", "/both"} {
		wantReason(t, c, &Request{URL: "http://" + at + path}, TooLarge, "http.maxResponseBytes")
	}
	got, err := c.Do(t.Context(), &Request{URL: "http://" + at + "/bomb", Header: []Header{{"Accept-Encoding", "gzip"}}})
	if err != nil || !bytes.Equal(got.Body, bomb) || len(got.Body) > 1<<20 {
		t.Errorf("the bomb was changed, or did not arrive: %v", err)
	}
	if _, err := c.Do(t.Context(), &Request{URL: "http://" + at + "/most"}); err != nil {
		t.Error(err)
	}
}

type zero struct{}

func (zero) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestTimeAndFailuresHaveReasons(t *testing.T) {
	hang := make(chan struct{})
	at := service(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hang" {
			<-hang
		}
		panic(http.ErrAbortHandler)
	})
	t.Cleanup(func() { close(hang) }) // before the server is closed, which waits for its answers
	c := client(t, nil, at, "nobody.example.org")
	wantReason(t, c, &Request{URL: "http://" + at + "/hang", Timeout: time.Millisecond}, Timeout, "in 1ms")
	wantReason(t, c, &Request{URL: "http://" + at + "/abort"}, Failed, "")

	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	_, err = client(t, nil, gone.Addr().String()).Do(t.Context(), &Request{URL: "http://" + gone.Addr().String()})
	if err == nil || !strings.Contains(err.Error(), "refused") || strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("got %v, want a refusal without the address", err)
	}
	c.dialer.Resolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("10.1.1.1 is down") }}
	wantReason(t, c, &Request{URL: "http://nobody.example.org"}, Failed, "the name of the host")

	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("the call is over")
	cancel(why)
	if _, err := c.Do(ctx, &Request{URL: "http://" + at + "/hang"}); err != why {
		t.Errorf("got %v, want the cause of the end", err)
	}
}

func TestConnectionsAreUsedAgainAndClosed(t *testing.T) {
	var opened, closed atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") }))
	over := make(chan struct{}, 100)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			opened.Add(1)
		case http.StateClosed:
			closed.Add(1)
			over <- struct{}{}
		}
	}
	s.Start()
	defer s.Close()
	at := s.Listener.Addr().String()
	c := client(t, nil, at)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			for range 4 {
				if _, err := c.Do(t.Context(), &Request{URL: "http://" + at}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n := opened.Load(); n > 8 {
		t.Errorf("%d connections for 200 requests, want at most 8", n)
	}
	c.Close()
	for range opened.Load() {
		<-over
	}
}
