package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/wasmill/wasmill/host/admin"
	"github.com/wasmill/wasmill/host/stream"
)

const token = "0123456789abcdefghijklmnop"

// changes is a Control that notes what it is asked.
type changes struct {
	mu   sync.Mutex
	done []string // guarded by mu
}

func (c *changes) note(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done = append(c.done, text)
}

// taken returns what was done since it was last called.
func (c *changes) taken() (done string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	done, c.done = strings.Join(c.done, "; "), nil
	return done
}

func (c *changes) Pipelines() []admin.Pipeline {
	return []admin.Pipeline{{Name: "p", Status: map[string]any{"pipeline": "p"}, Vertices: []string{"v"}}, {Name: "q", Status: map[string]any{"pipeline": "q"}, Vertices: []string{}}}
}

func (c *changes) Ready(pipeline string) any {
	if pipeline != "p" {
		return nil
	}
	return map[string]any{"ready": false}
}

func (c *changes) SetPhase(_ context.Context, pipeline string, phase admin.Phase) (any, error) {
	c.note(pipeline + " is " + string(phase))
	return map[string]any{"desired": phase}, nil
}

func (c *changes) Checkpoint(_ context.Context, pipeline string) error {
	if pipeline == "q" {
		return &stream.Error{Code: admin.PipelineState, Where: "q", Why: "it has none", Fix: "add some"}
	}
	c.note("checkpoint of " + pipeline)
	return nil
}

func (c *changes) Reload(context.Context) (any, error) {
	c.note("reload")
	return nil, errors.Join(
		&stream.Error{Code: stream.ConfigType, Where: "p.yaml:1:1", Why: "first", Fix: "one"},
		fmt.Errorf("around: %w", &stream.Error{Code: stream.ConfigValue, Where: "p.yaml:2:1", Why: "second", Fix: "two"}),
		errors.New("bare"))
}

// withAPI runs a server with an API until the test ends.
func withAPI(t *testing.T) (*admin.Server, *changes, *admin.Events) {
	t.Helper()
	c, e := &changes{}, &admin.Events{}
	return serving(t, admin.Config{Addresses: []string{"127.0.0.1:0"}, Token: token, Control: c, Events: e}), c, e
}

// request is one as it stands.
func request(method, path, body string, headers ...string) string {
	text := method + " " + path + " HTTP/1.1\nHost: ADDRESS\n"
	if body != "" || method == "POST" {
		text += fmt.Sprintf("Content-Length: %d\nContent-Type: application/json\n", len(body))
	}
	for _, h := range headers {
		text += h + "\n"
	}
	return text + "Connection: close\n\n" + body
}

const bearer = "Authorization: Bearer " + token

// tell asks with the token and decodes the answer.
func tell(t *testing.T, s *admin.Server, method, path, body string, headers ...string) (int, map[string]any, http.Header) {
	t.Helper()
	status, text, header := exchange(t, s, request(method, path, body, append(headers, bearer)...))
	var answer map[string]any
	if method != "HEAD" {
		if err := json.Unmarshal([]byte(text), &answer); err != nil {
			t.Fatalf("%s %s: %d %q: %v", method, path, status, text, err)
		}
	}
	return status, answer, header
}

// endpoints are all, with a body that is right.
var endpoints = []struct{ method, path, body string }{
	{"GET", "/api/v1/pipelines", ""},
	{"GET", "/api/v1/pipelines/p", ""},
	{"GET", "/api/v1/pipelines/p/vertices", ""},
	{"GET", "/api/v1/pipelines/p/ready", ""},
	{"POST", "/api/v1/pipelines/p/phase", `{"phase":"paused"}`},
	{"POST", "/api/v1/pipelines/p/checkpoint", ""},
	{"GET", "/api/v1/pipelines/p/events", ""},
	{"GET", "/api/v1/events", ""},
	{"POST", "/api/v1/reload", ""},
	{"GET", "/api/v1/openapi.json", ""},
	{"GET", "/debug/pprof/goroutine", ""},
}

func TestEachEndpointIsBehindTheToken(t *testing.T) {
	s, control, _ := withAPI(t)
	address := strings.TrimPrefix(s.URL(), "http://")
	tests := []struct {
		name, header string
		status       int
		code         stream.Code
	}{
		{"without a token", "X: y", 401, admin.APIToken},
		{"with another token", "Authorization: Bearer x" + token[1:], 401, admin.APIToken},
		{"with a part of it", "Authorization: Bearer " + token[1:], 401, admin.APIToken},
		{"with more", "Authorization: Bearer " + token + "x", 401, admin.APIToken},
		{"with an empty one", "Authorization: Bearer ", 401, admin.APIToken},
		{"by another scheme", "Authorization: Basic " + token, 401, admin.APIToken},
		{"with two", bearer + "\nAuthorization: Bearer x", 401, admin.APIToken},
		{"in the address", "Cookie: token=" + token, 401, admin.APIToken},
		{"from a page of another origin", bearer + "\nOrigin: https://evil.example", 403, admin.APIForbidden},
		{"from a file", bearer + "\nOrigin: null", 403, admin.APIForbidden},
	}
	all := append(slices.Clone(endpoints), struct{ method, path, body string }{"GET", "/api", ""}, struct{ method, path, body string }{"GET", "/debug/none", ""})
	for _, e := range all {
		for _, test := range tests {
			status, body, header := exchange(t, s, request(e.method, e.path+"?token="+token, e.body, test.header))
			if status != test.status || !strings.Contains(body, `"code": "`+string(test.code)+`"`) || strings.Contains(body, token) {
				t.Errorf("%s %s %s: got %d %s", e.method, e.path, test.name, status, body)
			}
			if (header.Get("WWW-Authenticate") != "") != (status == 401) || header.Get("Content-Type") != "application/json" || header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s %s %s: the headers are %v", e.method, e.path, test.name, header)
			}
		}
		for _, host := range []string{"evil.example", "localhost.evil.example:7676", "10.0.0.1", ""} {
			status, body, _ := exchange(t, s, strings.Replace(request(e.method, e.path, e.body, bearer), "Host: ADDRESS", "Host: "+host, 1))
			if status != 403 || !strings.Contains(body, `"code": "api-forbidden"`) {
				t.Errorf("%s %s of the host %q: got %d %s", e.method, e.path, host, status, body)
			}
		}
	}
	if done := control.taken(); done != "" {
		t.Errorf("what was refused did %s", done)
	}
	if status, _, _ := tell(t, s, "POST", "/api/v1/pipelines/p/checkpoint", "", "Origin: http://"+address); status != 202 {
		t.Errorf("a page of its own gets %d", status)
	}
	if status, _, _ := exchange(t, s, request("GET", "/api/v1/pipelines", "", "authorization: bEARER "+token)); status != 200 {
		t.Errorf("the scheme in other letters gets %d", status)
	}
}

func TestWhatTheAPIAnswers(t *testing.T) {
	s, control, _ := withAPI(t)
	large := `{"phase":"paused","x":"` + strings.Repeat("x", 64<<10) + `"}`
	tests := []struct {
		name, method, path, body string
		status                   int
		answer                   string // in JSON
		done                     string
	}{
		{"all pipelines", "GET", "/api/v1/pipelines", "", 200, `{"pipelines":[{"pipeline":"p"},{"pipeline":"q"}]}`, ""},
		{"all, with a query", "GET", "/api/v1/pipelines?x=y", "", 200, `"pipelines":`, ""},
		{"one", "GET", "/api/v1/pipelines/q", "", 200, `{"pipeline":"q"}`, ""},
		{"its vertices", "GET", "/api/v1/pipelines/p/vertices", "", 200, `{"vertices":["v"]}`, ""},
		{"a pause", "POST", "/api/v1/pipelines/p/phase", ` {"phase": "paused"} `, 202, `{"desired":"paused"}`, "p is paused"},
		{"the end of it", "POST", "/api/v1/pipelines/q/phase", `{"phase":"running"}`, 202, `{"desired":"running"}`, "q is running"},
		{"a checkpoint", "POST", "/api/v1/pipelines/p/checkpoint", "", 202, `{"pipeline":"p","requested":true}`, "checkpoint of p"},
		{"a checkpoint, with an empty object", "POST", "/api/v1/pipelines/p/checkpoint", "{}\n", 202, `"requested":true`, "checkpoint of p"},
		{"a checkpoint where there are none", "POST", "/api/v1/pipelines/q/checkpoint", "", 409, `{"code":"pipeline-state","fix":"add some","where":"q","why":"it has none"}`, ""},
		{"a reload of what is wrong", "POST", "/api/v1/reload", "", 422, `{"code":"config-type","fix":"one","more":[{"code":"config-value","fix":"two","where":"p.yaml:2:1","why":"second"},{"code":"internal","fix":"","where":"","why":"bare"}],"where":"p.yaml:1:1","why":"first"}`, "reload"},

		{"no such pipeline", "GET", "/api/v1/pipelines/r", "", 404, `"code":"pipeline-unknown","fix":"there are p, q","where":"\"r\""`, ""},
		{"vertices of none", "GET", "/api/v1/pipelines/r/vertices", "", 404, `"code":"pipeline-unknown"`, ""},
		{"events of none", "GET", "/api/v1/pipelines/r/events", "", 404, `"code":"pipeline-unknown"`, ""},
		{"a phase of none", "POST", "/api/v1/pipelines/r/phase", `{"phase":"paused"}`, 404, `"code":"pipeline-unknown"`, ""},
		{"a checkpoint of none", "POST", "/api/v1/pipelines/r/checkpoint", "", 404, `"code":"pipeline-unknown"`, ""},
		{"no phase", "POST", "/api/v1/pipelines/p/phase", `{}`, 400, `"code":"api-request"`, ""},
		{"nothing", "POST", "/api/v1/pipelines/p/phase", ``, 400, `"code":"api-request"`, ""},
		{"another phase", "POST", "/api/v1/pipelines/p/phase", `{"phase":"stopped"}`, 400, `send {\"phase\": \"running\"} or {\"phase\": \"paused\"}`, ""},
		{"a phase of another type", "POST", "/api/v1/pipelines/p/phase", `{"phase":1}`, 400, `"code":"api-request"`, ""},
		{"a phase and more", "POST", "/api/v1/pipelines/p/phase", `{"phase":"paused","force":"yes"}`, 400, `"code":"api-request"`, ""},
		{"two objects", "POST", "/api/v1/pipelines/p/phase", `{"phase":"paused"}{}`, 400, `"code":"api-request"`, ""},
		{"a phase that is too large", "POST", "/api/v1/pipelines/p/phase", large, 413, `"fix":"send at most 65536 bytes"`, ""},
		{"a checkpoint with a body", "POST", "/api/v1/pipelines/p/checkpoint", `{"full":true}`, 400, `"fix":"send none"`, ""},
		{"a reload with a body", "POST", "/api/v1/reload", `{"dry":true}`, 400, `"fix":"send none"`, ""},
		{"a reload with a body that is too large", "POST", "/api/v1/reload", large, 413, `"code":"api-request"`, ""},

		{"no such path", "GET", "/api/v1/pipeline", "", 404, `"code":"api-path"`, ""},
		{"the top", "GET", "/api", "", 404, `"code":"api-path"`, ""},
		{"another version", "GET", "/api/v2/pipelines", "", 404, `"code":"api-path"`, ""},
		{"a doubled slash", "POST", "/api/v1//reload", "", 404, `"code":"api-path"`, ""},
		{"a slash at the end", "GET", "/api/v1/pipelines/", "", 404, `"code":"api-path"`, ""},
		{"a dot", "POST", "/api/v1/x/../reload", "", 404, `"code":"api-path"`, ""},
		{"an escaped letter", "POST", "/api/v1/%72eload", "", 404, `"code":"api-path"`, ""},
		{"an escaped slash", "GET", "/api/v1/pipelines/p%2fvertices", "", 404, `"code":"api-path"`, ""},
		{"no such profile", "GET", "/debug/pprof/secrets", "", 404, `there are profile, trace, allocs`, ""},
		{"a profile that lasts too long", "GET", "/debug/pprof/profile?seconds=601", "", 400, `"fix":"use 1 to 600"`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			status, answer, _ := tell(t, s, test.method, test.path, test.body)
			text, err := json.Marshal(answer)
			if err != nil || status != test.status || !strings.Contains(string(text), test.answer) {
				t.Errorf("got %d %s", status, text)
			}
			if done := control.taken(); done != test.done {
				t.Errorf("it did %q", done)
			}
		})
	}
	status, body, _ := exchange(t, s, strings.Replace(request("POST", "/api/v1/pipelines/p/phase", `{"phase":"paused"}`, bearer), "application/json", "text/plain", 1))
	if status != 415 || !strings.Contains(body, "api-request") || control.taken() != "" {
		t.Errorf("text that looks like JSON gets %d %s", status, body)
	}
	if status, body, header := exchange(t, s, request("GET", "/debug/pprof/goroutine?debug=1", "", bearer)); status != 200 || !strings.Contains(body, "goroutine profile: ") {
		t.Errorf("a profile is %d %q, %v", status, body, header)
	}
}

func TestAProfileIsTakenOnce(t *testing.T) {
	s, _, _ := withAPI(t)
	if status, body, _ := exchange(t, s, request("GET", "/debug/pprof/profile?seconds=1", "", bearer)); status != 200 || !strings.Contains(body, "\x1f\x8b\b") {
		t.Errorf("a profile is %d %.100q", status, body)
	}
	if err := pprof.StartCPUProfile(io.Discard); err != nil {
		t.Fatal(err)
	}
	defer pprof.StopCPUProfile()
	if status, answer, _ := tell(t, s, "GET", "/debug/pprof/profile?seconds=1", ""); status != 409 || answer["code"] != string(admin.APIBusy) {
		t.Errorf("a second one is %d %v", status, answer)
	}
}

func TestOtherMethodsAreRefused(t *testing.T) {
	s, control, _ := withAPI(t)
	for _, e := range endpoints {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"} {
			if method == e.method || method == "HEAD" && e.method == "GET" {
				continue
			}
			status, answer, header := tell(t, s, method, e.path, e.body)
			if status != 405 || method != "HEAD" && answer["code"] != string(admin.APIMethod) || !strings.HasPrefix(header.Get("Allow"), e.method) {
				t.Errorf("%s %s: got %d %v, %v", method, e.path, status, answer, header)
			}
		}
	}
	if done := control.taken(); done != "" {
		t.Errorf("what was refused did %s", done)
	}
}

func TestWithoutATokenTheAPIIsClosed(t *testing.T) {
	s := serving(t, admin.Config{Addresses: []string{"127.0.0.1:0"}, Locked: errors.New("read-only file system"), Control: &changes{}, Ready: func() error { return nil }})
	for _, header := range []string{"X: y", "Authorization: Bearer ", "Authorization:"} {
		status, body, _ := exchange(t, s, request("POST", "/api/v1/pipelines/p/checkpoint", "", header))
		if status != 503 || !strings.Contains(body, "api-closed") || !strings.Contains(body, "read-only file system") {
			t.Errorf("%s gets %d %s", header, status, body)
		}
	}
	if status, _, _ := exchange(t, s, request("GET", "/readyz", "")); status != 200 {
		t.Errorf("it is not ready: %d", status)
	}
}

// TestTheDocumentIsWhatIsServed asks for everything that the OpenAPI document has, and
// looks up everything that is served.
func TestTheDocumentIsWhatIsServed(t *testing.T) {
	s, _, _ := withAPI(t)
	status, doc, _ := tell(t, s, "GET", "/api/v1/openapi.json", "")
	if status != 200 || doc["openapi"] != "3.1.0" {
		t.Fatalf("got %d %v", status, doc)
	}
	paths := doc["paths"].(map[string]any)
	for path, operations := range paths {
		for method, operation := range operations.(map[string]any) {
			o := operation.(map[string]any)
			if strings.HasSuffix(path, "/events") {
				path = strings.Replace(path, "{name}", "none", 1) // which ends
			}
			if path == "/api/v1/events" || path == "/readyz" || path == "/status" {
				continue // has no end; and those that this server has nothing for
			}
			path := strings.NewReplacer("pprof/{name}", "pprof/heap", "{name}", "p").Replace(path)
			got, body, header := exchange(t, s, request(strings.ToUpper(method), path, "", bearer))
			answer, ok := o["responses"].(map[string]any)[fmt.Sprint(got)].(map[string]any)
			if !ok || got == 405 || got == 404 && !strings.Contains(body, "pipeline-unknown") {
				t.Errorf("%s %s: got %d, and the document has %v", method, path, got, slices.Sorted(maps.Keys(o["responses"].(map[string]any))))
				continue
			}
			media, _, _ := strings.Cut(header.Get("Content-Type"), ";")
			for want := range answer["content"].(map[string]any) {
				if want, _, _ := strings.Cut(want, ";"); want != media {
					t.Errorf("%s %s: got %s, and the document has %s", method, path, media, want)
				}
			}
			refused, _, _ := exchange(t, s, request(strings.ToUpper(method), path, ""))
			if needs := len(o["security"].([]any)) > 0; needs != (refused == 401) {
				t.Errorf("%s %s: %d without a token, and the document has %v", method, path, refused, o["security"])
			}
		}
	}
	_, list, _ := exchange(t, s, request("GET", "/", ""))
	lines := strings.Split(strings.TrimSuffix(list, "\n"), "\n")
	for _, line := range lines {
		method, path, ok := strings.Cut(strings.Fields(line)[0], "/")
		if path = "/" + path; !ok || method != "" {
			method, path = "POST", strings.Fields(line)[1]
		}
		if at, ok := paths[path].(map[string]any); !ok || at[strings.ToLower(max(method, "GET"))] == nil {
			t.Errorf("%s is served, and the document does not have it", line)
		}
	}
	if len(lines) != len(paths) || len(lines) < len(endpoints) {
		t.Errorf("%d are listed, %d are in the document", len(lines), len(paths))
	}
	body := paths["/api/v1/pipelines/{name}/phase"].(map[string]any)["post"].(map[string]any)["requestBody"]
	if text, err := json.Marshal(body); err != nil || !strings.Contains(string(text), `"enum":["running","paused"]`) {
		t.Errorf("the body of a phase is %s", text)
	}
}
