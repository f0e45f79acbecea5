package s3server

import (
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"encoding/pem"
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"
)

// Conditions says what the server makes of If-None-Match.
type Conditions int

const (
	Atomic  Conditions = iota // as the protocol wants it
	Ignored                   // every PUT succeeds
	Racy                      // it looks first and stores later
	Unknown                   // it refuses the header with 501
)

// Server has one bucket.
type Server struct {
	Bucket    string
	AccessKey string
	SecretKey string
	http      *httptest.Server
	closing   chan struct{}

	mu         sync.Mutex // guards what follows
	objects    map[string]object
	conditions Conditions
	rules      []*rule
	requests   map[string]int // by method; LIST and MULTI-DELETE are their own
	headers    []http.Header  // of PUTs
}

type object struct {
	data    []byte
	changed time.Time
}

// Start starts a server on a loopback port. Whoever starts it closes it.
func Start() *Server { return start((*httptest.Server).Start) }

// StartTLS starts a server with a certificate that Certificate returns.
func StartTLS() *Server { return start((*httptest.Server).StartTLS) }

func start(listen func(*httptest.Server)) *Server {
	s := &Server{
		Bucket: "bucket", AccessKey: "test-" + rand.Text(), SecretKey: rand.Text(),
		closing: make(chan struct{}), objects: map[string]object{}, requests: map[string]int{},
	}
	s.http = httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	s.http.Config.ErrorLog = silent
	listen(s.http)
	return s
}

// Close ends the server and all requests.
func (s *Server) Close() {
	s.Heal()
	close(s.closing)
	s.http.CloseClientConnections()
	s.http.Close()
}

// Endpoint is the address, as http://host:port or https://host:port.
func (s *Server) Endpoint() string { return s.http.URL }

// Certificate returns what to trust, in PEM.
func (s *Server) Certificate() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.http.Certificate().Raw})
}

// SetConditions changes what becomes of If-None-Match.
func (s *Server) SetConditions(c Conditions) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conditions = c
}

// Requests returns how many requests of a method there were: PUT, GET, DELETE,
// LIST or MULTI-DELETE.
func (s *Server) Requests(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[method]
}

// Puts returns the headers of all PUTs.
func (s *Server) Puts() []http.Header {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.headers)
}

// Object returns what is stored under a key.
func (s *Server) Object(key string) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.objects[key]
	return o.data, ok
}

// Objects returns all that is stored, by key.
func (s *Server) Objects() map[string][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[string][]byte, len(s.objects))
	for key, o := range s.objects {
		all[key] = o.data
	}
	return all
}

// SetObject stores data under a key, behind the back of every client.
func (s *Server) SetObject(key string, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.objects[key] = object{data: data, changed: time.Now()}
}

// serve answers one request, after the faults that meet it.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	method := r.Method
	switch {
	case method == http.MethodGet && key == "":
		method = "LIST"
	case method == http.MethodPost && r.URL.Query().Has("delete"):
		method = "MULTI-DELETE"
	}
	s.mu.Lock()
	s.requests[method]++
	if method == http.MethodPut {
		s.headers = append(s.headers, r.Header.Clone())
	}
	s.mu.Unlock()

	fault := s.fault(method, key)
	w, served := fault.before(s, w, r)
	if served {
		return
	}
	switch {
	case bucket != s.Bucket:
		refuse(w, http.StatusNotFound, "NoSuchBucket")
	case !s.authorized(w, r):
	case method == "LIST" && r.URL.Query().Has("location"):
		answer(w, xmlLocation{})
	case method == "LIST":
		s.list(w, r)
	case method == "MULTI-DELETE":
		s.deleteMany(w, r)
	case method == http.MethodPut:
		s.put(w, r, key)
	case method == http.MethodGet || method == http.MethodHead:
		s.get(w, key)
	case method == http.MethodDelete:
		s.mu.Lock()
		delete(s.objects, key)
		s.mu.Unlock()
		w.WriteHeader(http.StatusNoContent)
	default:
		refuse(w, http.StatusNotImplemented, "NotImplemented")
	}
	fault.after()
}

// authorized looks at who signed the request, and when.
func (s *Server) authorized(w http.ResponseWriter, r *http.Request) bool {
	credential, ok := strings.CutPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=")
	if !ok || !strings.Contains(credential, "Signature=") {
		refuse(w, http.StatusForbidden, "AccessDenied")
		return false
	}
	if key, _, _ := strings.Cut(credential, "/"); key != s.AccessKey {
		refuse(w, http.StatusForbidden, "InvalidAccessKeyId")
		return false
	}
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil || time.Since(at).Abs() > 15*time.Minute {
		refuse(w, http.StatusForbidden, "RequestTimeTooSkewed")
		return false
	}
	return true
}

func (s *Server) put(w http.ResponseWriter, r *http.Request, key string) {
	data, code := body(r)
	if code != "" {
		refuse(w, http.StatusBadRequest, code)
		return
	}
	condition := r.Header.Get("If-None-Match")
	s.mu.Lock()
	defer s.mu.Unlock()
	if condition != "" {
		_, there := s.objects[key]
		switch s.conditions {
		case Ignored:
			there = false
		case Unknown:
			refuse(w, http.StatusNotImplemented, "NotImplemented")
			return
		case Racy:
			s.mu.Unlock()
			time.Sleep(20 * time.Millisecond)
			s.mu.Lock()
		}
		if there {
			refuse(w, http.StatusPreconditionFailed, "PreconditionFailed")
			return
		}
	}
	s.objects[key] = object{data: data, changed: time.Now()}
	w.Header().Set("ETag", etag(data))
	w.WriteHeader(http.StatusOK)
}

func (s *Server) get(w http.ResponseWriter, key string) {
	s.mu.Lock()
	o, ok := s.objects[key]
	s.mu.Unlock()
	if !ok {
		refuse(w, http.StatusNotFound, "NoSuchKey")
		return
	}
	w.Header().Set("ETag", etag(o.data))
	w.Header().Set("Last-Modified", o.changed.UTC().Format(http.TimeFormat))
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", decimal(len(o.data)))
	w.Write(o.data)
}

func etag(data []byte) string {
	sum := md5.Sum(data)
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

// refuse answers with an error of the protocol.
func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	xml.NewEncoder(w).Encode(xmlError{Code: code, Message: "refused by the test server", RequestID: "4711"})
}

// answer answers with a document.
func answer(w http.ResponseWriter, document any) {
	w.Header().Set("Content-Type", "application/xml")
	w.Write([]byte(xml.Header))
	xml.NewEncoder(w).Encode(document)
}
