package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

func TestRecordsOfAProcessThatRunsAreTapped(t *testing.T) {
	w := newWorkshop(t)
	at := w.serves("--set", "admin.listen=127.0.0.1:0")
	tap := func(args ...string) (int, string, string) {
		return w.wasmill(append(append([]string{"tap"}, args...), "--admin", at)...)
	}
	for _, place := range []string{"p/in", "p/f", "p/out", "p/in->f", "p/f→out", "f", "in->f"} {
		exit, out, notes := tap(place, "--limit", "3")
		if exit != 0 || !regexp.MustCompile(`^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [^\n]+\n){3}$`).MatchString(out) || !strings.Contains(notes, "3 records shown") {
			t.Errorf("%s: exit %d: %s%s", place, exit, out, notes)
		}
	}
	exit, out, notes := tap("p/in->f", "--limit", "2", "--json", "--bytes", "1", "--rate", "20")
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	var r struct {
		Time  time.Time
		Value string
		Bytes int `json:"value_bytes"`
		Edge  string
	}
	if err := json.Unmarshal([]byte(lines[0]), &r); err != nil || exit != 0 || len(lines) != 2 || r.Edge != "in->f" || len(r.Value) != 1 || r.Bytes < 2 || r.Time.IsZero() || !strings.Contains(notes, " left out by --rate") {
		t.Errorf("exit %d: %s%s%+v", exit, out, notes, r)
	}
	for _, test := range []struct {
		args []string
		exit int
		text string
	}{
		{[]string{"p/parse"}, stream.ExitInput, "there are in, f, out"},
		{[]string{"p/in->ot"}, stream.ExitInput, "did you mean in->f?"},
		{[]string{"p/f->oot"}, stream.ExitInput, "did you mean f->out?"},
		{[]string{"q/in"}, stream.ExitInput, "there are p"},
		{[]string{"p/in", "--tag", "t"}, stream.ExitInput, "there is no such tag"},
		{[]string{"p/in", "--rate", "0"}, stream.ExitInput, "use 1 to 10000"},
		{[]string{"p"}, stream.ExitInput, "name one of p/in, p/f, p/out"},
		{[]string{"parse"}, stream.ExitInput, "there are in, f, out"},
		{[]string{"in->out"}, stream.ExitInput, "did you mean f->out?"},
		{[]string{"p/"}, stream.ExitInput, "write PIPELINE/VERTEX or PIPELINE/FROM->TO"},
		{[]string{"/in"}, stream.ExitInput, "that is not the name of a pipeline"},
		{nil, stream.ExitInput, "name a vertex as VERTEX or PIPELINE/VERTEX"},
		{[]string{"p/in", "--admin", "unix:none.sock"}, stream.ExitEnvironment, "no process of wasmill listens there"},
	} {
		args := append([]string{"tap", "--admin", at}, test.args...)
		if exit, out, text := w.wasmill(args...); exit != test.exit || !strings.Contains(text, test.text) || out != "" {
			t.Errorf("%v: exit %d: %s%s", test.args, exit, out, text)
		}
	}
}

// TestATapEndsWithASignal interrupts one that has no limit.
func TestATapEndsWithASignal(t *testing.T) {
	w := newWorkshop(t)
	at := w.serves("--set", "admin.listen=127.0.0.1:0")
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(exe, "tap", "p/in", "--admin", at)
	var notes bytes.Buffer
	c.Stderr = &notes
	out, err := c.StdoutPipe()
	if err != nil || c.Start() != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Error(err)
	}
	if err := c.Process.Signal(syscall.SIGINT); err != nil {
		t.Error(err)
	}
	if _, err := io.Copy(io.Discard, out); err != nil {
		t.Error(err)
	}
	if err := c.Wait(); err != nil || !strings.Contains(notes.String(), " records shown") {
		t.Errorf("it ended with %v: %s", err, notes.String())
	}
}

func TestALineOfARecord(t *testing.T) {
	for name, test := range map[string]struct{ data, line, json string }{
		"escapes":      {`{"time":"2026-11-28T01:02:03.0456Z","value":"a\u001b[2Jb\nc\u009bd` + "\u009b\u202ex" + `é"}`, `2026-11-28T01:02:03.045Z a\x1b[2Jb\nc\u009bd\u009b\u202exé`, `{"time":"2026-11-28T01:02:03.0456Z","value":"a\u001b[2Jb\nc\u009bd\u009b\u202exé"}`},
		"bytes":        {`{"time":"2026-11-28T01:02:03Z","key_base64":"/w==","value_base64":"AP4="}`, `2026-11-28T01:02:03.000Z key=\xff \x00\xfe`, ""},
		"what is cut":  {`{"time":"2026-11-28T01:02:03Z","key":"k","key_bytes":3,"value":"abc","value_bytes":2003,"headers_bytes":5000}`, `2026-11-28T01:02:03.000Z key=k… (2 bytes more) (headers of 5,000 bytes) abc… (2,000 bytes more)`, ""},
		"all there is": {`{"time":"2026-11-28T01:02:03Z","tag":"t\u001b","unrouted":true,"headers":[{"name":"h","value":"v\u001b"},{"name":"i","value_base64":"/w=="}],"value":""}`, `2026-11-28T01:02:03.000Z #t\x1b (no edge takes it) h=v\x1b i=\xff `, ""},
		"dead letters": {`{"time":"2026-11-28T01:02:03Z","dead_letter":true,"value":"v"}`, `2026-11-28T01:02:03.000Z #dead-letter v`, ""},
	} {
		var line, asJSON bytes.Buffer
		if err := (&tapPrinter{out: &line}).event("record", test.data); err != nil || line.String() != test.line+"\n" {
			t.Errorf("%s: got %q, %v, want %q", name, line.String(), err, test.line)
		}
		if test.json == "" {
			test.json = test.data
		}
		if err := (&tapPrinter{out: &asJSON, json: true}).event("record", test.data); err != nil || asJSON.String() != test.json+"\n" {
			t.Errorf("%s: got %s, %v", name, asJSON.String(), err)
		}
		var before, after any
		if json.Unmarshal([]byte(test.data), &before) != nil || json.Unmarshal(asJSON.Bytes(), &after) != nil {
			t.Errorf("%s: no JSON: %s", name, asJSON.String())
		}
	}
}

func TestWhatATapSaysBesides(t *testing.T) {
	var notes bytes.Buffer
	p := &tapPrinter{notes: &notes}
	for _, e := range [][2]string{{"missed", `{"missed":1000,"left_out":2}`}, {"missed", `{"missed":234,"left_out":0}`}, {"absent", `{"absent":true}`}, {"absent", `{"absent":false}`}, {"later", `{}`}} {
		if err := p.event(e[0], e[1]); err != nil {
			t.Errorf("%v: %v", e, err)
		}
	}
	if err := p.event("end", `{"why":"pipeline"}`); !errors.Is(err, errToldAll) {
		t.Errorf("at the end: %v", err)
	}
	p.summary()
	want := "the pipeline has changed, and has no such place now: nothing is shown until it has one again\nthe pipeline has such a place again\n" +
		"the pipeline has ended\n0 records shown, 2 left out by --rate or --limit, 1,234 missed\n"
	if notes.String() != want {
		t.Errorf("got %s", notes.String())
	}
	if err := p.event("record", "{"); stream.CodeOf(err) != stream.Environment {
		t.Errorf("what is no JSON: %v", err)
	}
	p.out = closed{}
	p.json = true
	if err := p.event("record", "{}"); stream.ExitCode(err) != stream.ExitEnvironment {
		t.Errorf("what cannot be written: %v", err)
	}
}

// closed takes nothing.
type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, os.ErrClosed }
