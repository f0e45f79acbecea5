package host

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/admin"
	"github.com/wasmill/wasmill/host/stream"
)

// api asks the API of a host and decodes the answer. The caller closes the body of an
// answer that is a stream.
func (c *checkpointed) api(method, path, body string, answer any) *http.Response {
	c.Helper()
	token, err := admin.ReadToken(c.Settings.Admin.Token.File)
	if err != nil {
		c.Fatal(err)
	}
	r, err := http.NewRequest(method, c.Admin.URL+path, strings.NewReader(body))
	if err != nil {
		c.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		c.Fatal(err)
	}
	if answer != nil {
		defer got.Body.Close()
		if text, err := io.ReadAll(got.Body); err != nil || json.Unmarshal(text, answer) != nil {
			c.Fatalf("%s: %s, %v", path, text, err)
		}
	}
	return got
}

// TestACheckpointIsTakenWhenTheAPIAsksForIt asks for a checkpoint of a pipeline that
// takes none by itself, and follows what happens.
func TestACheckpointIsTakenWhenTheAPIAsksForIt(t *testing.T) {
	c := openCheckpointed(t, "file://./ckpt", "", "checkpoint.interval=0s")
	events := c.api("GET", "/api/v1/pipelines/p/events", "", nil)
	defer events.Body.Close()
	c.until("it runs", func() bool { return page(c.Host, "/readyz") == "ready\n" })
	var answer map[string]any
	if r := c.api("POST", "/api/v1/pipelines/p/checkpoint", "", &answer); r.StatusCode != 202 || answer["requested"] != true {
		t.Fatalf("got %s, %v", r.Status, answer)
	}
	done := ""
	for lines := bufio.NewScanner(events.Body); done == "" && lines.Scan(); {
		if strings.Contains(lines.Text(), `"event":"checkpoint-done"`) {
			done = lines.Text()
		}
	}
	if !strings.Contains(done, `"pipeline":"p"`) || !strings.Contains(done, `"reason":"requested"`) {
		t.Errorf("the event is %s", done)
	}
	var status PipelineStatus
	if r := c.api("GET", "/api/v1/pipelines/p", "", &status); r.StatusCode != 200 || status.Checkpoint == nil || status.Checkpoint.Last == nil || len(status.Vertices) != 3 {
		t.Errorf("got %s, %+v", r.Status, status)
	}
	var vertices struct{ Vertices []struct{ Vertex string } }
	if r := c.api("GET", "/api/v1/pipelines/p/vertices", "", &vertices); r.StatusCode != 200 || len(vertices.Vertices) != 3 || vertices.Vertices[1].Vertex != "n" {
		t.Errorf("got %s, %+v", r.Status, vertices)
	}
	if r := c.api("POST", "/api/v1/reload", "", &answer); r.StatusCode != 200 || len(answer["pipelines"].([]any)) != 1 {
		t.Errorf("a reload of nothing new gets %s, %v", r.Status, answer)
	}
	if err := os.WriteFile(c.Pipelines()[0].File, []byte("name: p\nvertixes: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var fault admin.Fault
	if r := c.api("POST", "/api/v1/reload", "", &fault); r.StatusCode != 422 || fault.Code != stream.ConfigMissing || !strings.HasSuffix(fault.More[0].Where, "p.yaml:2:1 (vertixes)") {
		t.Errorf("a reload of what is wrong gets %s, %+v", r.Status, fault)
	}
}

func TestWhatCannotBeDoneIsRefused(t *testing.T) {
	h, err := openSmall(t, func() error { return nil }, "admin.listen=127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"p", "q"} {
		err := operator{h}.Checkpoint(t.Context(), name)
		if want := map[string]stream.Code{"p": admin.PipelineState, "q": admin.PipelineUnknown}[name]; stream.CodeOf(err) != want {
			t.Errorf("%s gives %v", name, err)
		}
	}
	if _, err := (operator{h}).SetPhase(t.Context(), "q", admin.Paused); stream.CodeOf(err) != admin.PipelineUnknown {
		t.Errorf("a phase gives %v", err)
	}
	file := h.Settings.Admin.Token.File
	if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 {
		t.Errorf("the token is %v, %v", info, err)
	}
}

func TestAHostRunsWithoutAToken(t *testing.T) {
	h, err := openSmall(t, func() error { return nil }, "admin.listen=127.0.0.1:0", "admin.token.file=/proc/none/token")
	if err != nil || h.Admin.Locked == nil {
		t.Fatal(h, err)
	}
	if err := h.Run(t.Context()); err != nil {
		t.Error(err)
	}
	if got := page(h, "/api/v1/pipelines"); !strings.Contains(got, "api-closed") || !strings.Contains(got, "/proc/none/token") {
		t.Errorf("the API answers %s", got)
	}
}
