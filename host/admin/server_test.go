package admin_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/admin"
	"github.com/wasmill/wasmill/host/stream"
)

// started runs a server until the test ends.
func started(t *testing.T, ready func() error) *admin.Server {
	t.Helper()
	status := func() any { return map[string]string{"a": "<b>"} }
	return serving(t, admin.Config{Addresses: []string{"127.0.0.1:0"}, Ready: ready, Status: status})
}

// serving runs a server until the test ends.
func serving(t *testing.T, c admin.Config) *admin.Server {
	t.Helper()
	s, err := admin.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s
}

// ask sends the head of a request as it stands and returns status, body and headers.
func ask(t *testing.T, s *admin.Server, request string) (int, string, http.Header) {
	t.Helper()
	return exchange(t, s, request+"\nConnection: close\n\n")
}

// exchange sends a request as it stands. ADDRESS is that of the server.
func exchange(t *testing.T, s *admin.Server, request string) (int, string, http.Header) {
	t.Helper()
	network, address := "tcp", strings.TrimPrefix(s.URL(), "http://")
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		network, address = "unix", path
	}
	c, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	head, content, _ := strings.Cut(strings.ReplaceAll(request, "ADDRESS", address), "\n\n")
	if _, err := io.WriteString(c, strings.ReplaceAll(head, "\n", "\r\n")+"\r\n\r\n"+content); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	head, body, _ := strings.Cut(string(answer), "\r\n\r\n")
	var minor, status int
	if _, err := fmt.Sscanf(head, "HTTP/1.%d %d", &minor, &status); err != nil {
		t.Fatalf("%v: %s", err, answer)
	}
	header := http.Header{}
	for _, line := range strings.Split(head, "\r\n")[1:] {
		k, v, _ := strings.Cut(line, ": ")
		header.Add(k, v)
	}
	return status, body, header
}

func TestRequestsFromElsewhereAreRefused(t *testing.T) {
	s := started(t, func() error { return nil })
	tests := []struct {
		name, request string
		status        int
		body          string
	}{
		{"health", "GET /healthz HTTP/1.1\nHost: ADDRESS", 200, "ok\n"},
		{"without a body", "HEAD /healthz HTTP/1.1\nHost: ADDRESS", 200, ""},
		{"by the name of the loopback interface", "GET /healthz HTTP/1.1\nHost: localhost:1", 200, "ok\n"},
		{"by IPv6, through a forwarded port", "GET /healthz HTTP/1.1\nHost: [::1]:99", 200, "ok\n"},
		{"from a page of its own", "GET /metrics HTTP/1.1\nHost: ADDRESS\nOrigin: http://ADDRESS", 200, "# HELP wasmill_build_info"},
		{"a query", "GET /readyz?verbose=1 HTTP/1.1\nHost: ADDRESS", 200, "ready\n"},
		{"the status", "GET /status HTTP/1.1\nHost: ADDRESS", 200, "{\n  \"a\": \"\\u003cb\\u003e\"\n}\n"},
		{"the status by another method", "POST /status HTTP/1.1\nHost: ADDRESS\nContent-Length: 0", 405, "only GET"},
		{"the list", "GET / HTTP/1.1\nHost: ADDRESS", 200, "/healthz"},

		{"a name that was rebound", "GET /metrics HTTP/1.1\nHost: evil.example", 403, "the Host"},
		{"a name like the right one", "GET /metrics HTTP/1.1\nHost: localhost.evil.example:7676", 403, "the Host"},
		{"another address", "GET /metrics HTTP/1.1\nHost: 10.0.0.1:7676", 403, "the Host"},
		{"an address in decimal", "GET /metrics HTTP/1.1\nHost: 2130706433", 403, "the Host"},
		{"user info in the host", "GET /metrics HTTP/1.1\nHost: evil@127.0.0.1", 400, "400 Bad Request"},
		{"an empty host", "GET /metrics HTTP/1.1\nHost:", 403, "the Host"},
		{"a host in the target", "GET http://evil.example/metrics HTTP/1.1\nHost: ADDRESS", 403, "the Host"},
		{"a page of another origin", "GET /metrics HTTP/1.1\nHost: ADDRESS\nOrigin: https://evil.example", 403, "requests from pages"},
		{"a page of another port", "GET /metrics HTTP/1.1\nHost: ADDRESS\nOrigin: http://127.0.0.1:1", 403, "requests from pages"},
		{"a page of a file", "GET /metrics HTTP/1.1\nHost: ADDRESS\nOrigin: null", 403, "requests from pages"},
		{"a form of another origin", "POST /metrics HTTP/1.1\nHost: ADDRESS\nOrigin: https://evil.example\nContent-Length: 0", 403, "requests from pages"},
		{"two origins", "GET /metrics HTTP/1.1\nHost: ADDRESS\nOrigin: http://ADDRESS\nOrigin: https://evil.example", 403, "requests from pages"},

		{"no such path", "GET /metric HTTP/1.1\nHost: ADDRESS", 404, "there is no such path"},
		{"a path below one", "GET /metrics/ HTTP/1.1\nHost: ADDRESS", 404, "there is no such path"},
		{"a doubled slash", "GET //metrics HTTP/1.1\nHost: ADDRESS", 404, "there is no such path"},
		{"a dot", "GET /./metrics HTTP/1.1\nHost: ADDRESS", 404, "there is no such path"},
		{"an escaped dot", "GET /%2e/metrics HTTP/1.1\nHost: ADDRESS", 404, "there is no such path"},
		{"an escaped letter", "GET /%6detrics HTTP/1.1\nHost: ADDRESS", 404, "there is no such path"},
		{"everything", "OPTIONS * HTTP/1.1\nHost: ADDRESS", 404, "there is no such path"},
		{"a tunnel", "CONNECT ADDRESS HTTP/1.1\nHost: ADDRESS", 404, "there is no such path"},
		{"another method", "POST /metrics HTTP/1.1\nHost: ADDRESS\nContent-Length: 0", 405, "only GET"},
		{"a header that is too large", "GET /healthz HTTP/1.1\nHost: ADDRESS\nX: " + strings.Repeat("x", 32<<10), 431, "431"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			status, body, header := ask(t, s, test.request)
			if status != test.status || !strings.HasPrefix(body, test.body) || test.body == "" && body != "" {
				t.Errorf("got %d %q", status, body)
			}
			if header.Get("Access-Control-Allow-Origin") != "" || header.Get("Location") != "" {
				t.Errorf("the headers are %v", header)
			}
		})
	}
}

func TestReadinessSaysWhy(t *testing.T) {
	s := started(t, func() error { return errors.New("pipeline p is failed") })
	if status, body, _ := ask(t, s, "GET /readyz HTTP/1.1\nHost: ADDRESS"); status != 503 || body != "pipeline p is failed\n" {
		t.Errorf("got %d %q", status, body)
	}
	if status, _, _ := ask(t, s, "GET /healthz HTTP/1.1\nHost: ADDRESS"); status != 200 {
		t.Errorf("it is not healthy: %d", status)
	}
}

func TestATakenAddress(t *testing.T) {
	first := started(t, nil)
	taken := strings.TrimPrefix(first.URL(), "http://")
	_, err := admin.Open(admin.Config{Addresses: []string{taken}})
	if stream.ExitCode(err) != stream.ExitEnvironment || !strings.Contains(err.Error(), taken) || !strings.Contains(err.Error(), "fix: ") {
		t.Errorf("the error is %v", err)
	}
	second, err := admin.Open(admin.Config{Addresses: []string{taken, "127.0.0.1:0"}})
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if second.Moved == nil || second.URL() == first.URL() {
		t.Errorf("it listens on %s: %v", second.URL(), second.Moved)
	}
}

func TestOnlyTheLoopbackInterfaceIsListenedOn(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0"} {
		if s, err := admin.Open(admin.Config{Addresses: []string{address}}); stream.CodeOf(err) != stream.ConfigValue {
			t.Errorf("%s gives %v, %v", address, s, err)
		}
	}
}
