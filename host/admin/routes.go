package admin

import (
	"net/http"
	"strings"
)

// route is one thing that can be asked for. The list of them is what requests are
// matched with, what GET / prints and what the OpenAPI document says.
type route struct {
	method string // GET, which stands for HEAD too, or POST
	path   string // {name} stands for one segment
	about  string
	open   bool // needs no token, and answers faults as text

	query    []parameter
	body     *body  // of the request; nil = it has none
	status   int    // of the answer, if all is well; 0 = 200
	produces string // media type of the answer; empty = application/json
	faults   []int  // statuses of other answers, besides those that every route has

	serve func(*Server, *request) error
}

// request is one that matched a route.
type request struct {
	w        http.ResponseWriter
	r        *http.Request
	name     string // what stands for {name}
	pipeline string // the same, if it is a pipeline's
}

const plainText = "text/plain; charset=utf-8"

// routes lists everything in the order in which people should read it.
func routes() []route { return append(openRoutes(), apiRoutes()...) }

func openRoutes() []route {
	return []route{
		{method: "GET", path: "/healthz", open: true, produces: plainText, about: "200 while the process is up", serve: (*Server).health},
		{method: "GET", path: "/readyz", open: true, produces: plainText, faults: []int{503}, about: "200 while every pipeline is ready, or has ended well", serve: (*Server).readiness},
		{method: "GET", path: "/metrics", open: true, produces: plainText, about: "metrics in the text format of Prometheus", serve: (*Server).metrics},
		{method: "GET", path: "/status", open: true, about: "what pipelines and vertices do and hold, and the oldest calls in flight", serve: (*Server).all},
		{method: "GET", path: "/proof", open: true, produces: plainText, faults: []int{400, 404}, about: "a proof that the process knows the token, for ?nonce=, 32 random bytes in hex", serve: (*Server).prove},
		{method: "GET", path: "/", open: true, produces: plainText, about: "this list", serve: (*Server).list},
	}
}

func apiRoutes() []route {
	return []route{
		{method: "GET", path: "/api/v1/pipelines", about: "what the pipelines do and hold", serve: (*Server).pipelines},
		{method: "GET", path: "/api/v1/pipelines/{name}", faults: []int{404}, about: "what a pipeline does and holds", serve: (*Server).pipeline},
		{method: "GET", path: "/api/v1/pipelines/{name}/vertices", faults: []int{404}, about: "what its vertices do and hold", serve: (*Server).vertices},
		{method: "GET", path: "/api/v1/pipelines/{name}/ready", faults: []int{404},
			about: "which of its vertices have the instances that the revision in force wants", serve: (*Server).pipelineReady},
		{method: "POST", path: "/api/v1/pipelines/{name}/phase", body: &phaseBody, status: http.StatusAccepted, faults: []int{400, 404, 408, 409, 413, 415, 422, 501},
			about: "ask for a phase of a pipeline", serve: (*Server).phase},
		{method: "POST", path: "/api/v1/pipelines/{name}/checkpoint", status: http.StatusAccepted, faults: []int{400, 404, 408, 409, 413},
			about: "ask for a checkpoint now", serve: (*Server).checkpoint},
		{method: "GET", path: "/api/v1/pipelines/{name}/events", produces: "text/event-stream", faults: []int{404}, about: "what happens in a pipeline, as it happens", serve: (*Server).pipelineEvents},
		{method: "GET", path: "/api/v1/pipelines/{name}/tap", produces: "text/event-stream", query: tapParameters(), faults: []int{400, 404},
			about: "records as they pass, ?vertex=NAME or ?edge=FROM->TO", serve: (*Server).tap},
		{method: "GET", path: "/api/v1/events", produces: "text/event-stream", about: "what happens in all of them", serve: (*Server).follow},
		{method: "POST", path: "/api/v1/reload", faults: []int{400, 408, 409, 413, 422, 501}, about: "read the config again, and wait until it is in force or refused", serve: (*Server).reload},
		{method: "GET", path: "/api/v1/openapi.json", about: "this API", serve: (*Server).openAPI},
		{method: "GET", path: "/debug/pprof/{name}", produces: "application/octet-stream", faults: []int{400, 404, 409},
			about: "a profile of the process: profile and trace last ?seconds=30; heap, goroutine and others take ?debug=1", serve: (*Server).profile},
	}
}

// guarded says whether a path needs the token, also if there is no such path.
func guarded(path string) bool {
	return path == "/api" || path == "/debug" || strings.HasPrefix(path, "/api/") || strings.HasPrefix(path, "/debug/")
}

// match compares a path with that of the route. Paths are compared as they came:
// nothing is cleaned, unescaped or redirected.
func (t *route) match(path string) (name string, ok bool) {
	want, got := strings.Split(t.path, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return "", false
	}
	for i, segment := range want {
		switch {
		case segment == "{name}" && got[i] != "":
			name = got[i]
		case segment != got[i]:
			return "", false
		}
	}
	return name, true
}

// listing is what GET / prints.
func listing() string {
	var s strings.Builder
	for _, t := range routes() {
		s.WriteString(strings.TrimPrefix(t.method+" ", "GET ") + t.path + "  " + t.about + "\n")
	}
	return s.String()
}
