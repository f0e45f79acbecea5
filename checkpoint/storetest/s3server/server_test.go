package s3server

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// ask makes a request as a client with the right key, whose signature nobody checks.
func ask(t *testing.T, s *Server, method, path, body string, headers ...string) (status int, answer string, err error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.Endpoint()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+s.AccessKey+"/x, Signature=y")
	r.Header.Set("X-Amz-Date", time.Now().UTC().Format("20060102T150405Z"))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	return response.StatusCode, string(data), err
}

func TestRequestsThatAreWrongAreRefused(t *testing.T) {
	s := Start()
	defer s.Close()
	s.SetObject("there", []byte("x"))
	chunked := []string{"X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "X-Amz-Decoded-Content-Length", "5", "X-Amz-Trailer", "x-amz-checksum-crc32c"}
	for _, c := range []struct {
		name    string
		method  string
		path    string
		body    string
		headers []string
		status  int
		code    string
	}{
		{"no signature", "GET", "/bucket/there", "", []string{"Authorization", ""}, 403, "AccessDenied"},
		{"another key", "GET", "/bucket/there", "", []string{"Authorization", "AWS4-HMAC-SHA256 Credential=x/y, Signature=z"}, 403, "InvalidAccessKeyId"},
		{"an old date", "GET", "/bucket/there", "", []string{"X-Amz-Date", "20200101T000000Z"}, 403, "RequestTimeTooSkewed"},
		{"another bucket", "PUT", "/other/a", "x", nil, 404, "NoSuchBucket"},
		{"no such key", "GET", "/bucket/a", "", nil, 404, "NoSuchKey"},
		{"a condition that fails", "PUT", "/bucket/there", "y", []string{"If-None-Match", "*"}, 412, "PreconditionFailed"},
		{"a wrong checksum in front", "PUT", "/bucket/a", "y", []string{"Content-Md5", "AAAA"}, 400, "BadDigest"},
		{"a wrong checksum behind", "PUT", "/bucket/a", "5\r\nhello\r\n0\r\nx-amz-checksum-crc32c:AAAAAA==\r\n\r\n", chunked, 400, "BadDigest"},
		{"chunks that end too early", "PUT", "/bucket/a", "5\r\nhel", chunked, 400, "IncompleteBody"},
		{"chunks of another length", "PUT", "/bucket/a", "3\r\nhel\r\n0\r\n\r\n", chunked, 400, "IncompleteBody"},
		{"no document to delete by", "POST", "/bucket/?delete", "<Delete", nil, 400, "MalformedXML"},
		{"an unknown method", "PATCH", "/bucket/a", "", nil, 501, "NotImplemented"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, answer, err := ask(t, s, c.method, c.path, c.body, c.headers...)
			if err != nil || status != c.status || !strings.Contains(answer, "<Code>"+c.code+"</Code>") {
				t.Errorf("got %d %s, %v, want %d %s", status, answer, err, c.status, c.code)
			}
			if _, ok := s.Object("a"); ok {
				t.Error("it was carried out")
			}
		})
	}
	if status, _, err := ask(t, s, "PUT", "/bucket/a", "5\r\nhello\r\n0\r\nx-amz-checksum-crc32c:mnG7TA==\r\n\r\n", chunked...); status != 200 || err != nil {
		t.Errorf("the right checksum behind: %d, %v", status, err)
	}
}

func TestFaultsMeetTheRequestsTheyAreFor(t *testing.T) {
	for _, c := range []struct {
		name    string
		fault   Fault
		status  int // 0 is no answer
		applied bool
	}{
		{"none", Fault{}, 200, true},
		{"an answer of trouble", Fault{Status: 503, Code: "SlowDown"}, 503, false},
		{"a cut connection", Fault{Drop: true}, 0, false},
		{"a lost answer", Fault{Lose: true}, 0, true},
		{"a slow request", Fault{Delay: 10 * time.Millisecond, Rate: 1 << 20}, 200, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := Start()
			defer s.Close()
			s.Break("PUT", "a", 1, c.fault)
			if status, _, _ := ask(t, s, "PUT", "/bucket/b", "x"); status != 200 {
				t.Errorf("another key: %d", status)
			}
			if status, _, err := ask(t, s, "PUT", "/bucket/a", strings.Repeat("x", 10_000)); status != c.status || (err == nil) != (c.status != 0) {
				t.Errorf("got %d, %v, want %d", status, err, c.status)
			}
			if data, ok := s.Object("a"); ok != c.applied || ok && len(data) != 10_000 {
				t.Errorf("stored is %v with %d bytes", ok, len(data))
			}
			if status, _, err := ask(t, s, "PUT", "/bucket/a", "x"); status != 200 || err != nil {
				t.Errorf("the next request: %d, %v", status, err)
			}
		})
	}
}

func TestBodiesAreSlowOrCut(t *testing.T) {
	s := Start()
	defer s.Close()
	data := bytes.Repeat([]byte("x"), 10_000)
	s.SetObject("a", data)
	s.Break("GET", "", 1, Fault{Cut: 999})
	if _, answer, err := ask(t, s, "GET", "/bucket/a", ""); err == nil || len(answer) != 999 {
		t.Errorf("a cut body: %d bytes, %v", len(answer), err)
	}
	s.Break("GET", "", 1, Fault{Rate: 50_000})
	begin := time.Now()
	if _, answer, err := ask(t, s, "GET", "/bucket/a", ""); err != nil || len(answer) != len(data) || time.Since(begin) < 150*time.Millisecond {
		t.Errorf("a slow body: %d bytes in %s, %v", len(answer), time.Since(begin), err)
	}
	s.Break("PUT", "", 1, Fault{Rate: 50_000})
	begin = time.Now()
	if _, _, err := ask(t, s, "PUT", "/bucket/b", string(data)); err != nil || time.Since(begin) < 150*time.Millisecond {
		t.Errorf("a slow upload: %s, %v", time.Since(begin), err)
	}
}

func FuzzChunks(f *testing.F) {
	f.Add([]byte("5;chunk-signature=ab\r\nhello\r\n0;chunk-signature=cd\r\nx-a:b\r\n\r\n"))
	f.Add([]byte("ffffffff\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		data, _, ok := chunks(raw)
		if ok && len(data) > len(raw) {
			t.Errorf("%d bytes from %d", len(data), len(raw))
		}
	})
}
