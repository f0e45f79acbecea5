package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestReadyWaitsForAProcessThatIsNotThereYet asks before it is started, and after.
func TestReadyWaitsForAProcessThatIsNotThereYet(t *testing.T) {
	w := newWorkshop(t)
	const address = "unix:admin.sock" // a port that is free now may be another's by then
	at := []string{"--admin", address}
	if exit, _, text := w.wasmill(append([]string{"ready"}, at...)...); exit != 3 || !strings.Contains(text, "no process of wasmill listens there") {
		t.Errorf("nobody is there: exit %d: %s", exit, text)
	}
	began := make(chan string, 1)
	go func() {
		exit, out, text := w.wasmill(append([]string{"ready", "p", "--wait"}, at...)...)
		began <- fmt.Sprintf("exit %d: %s%s", exit, out, text)
	}()
	w.serves("--set", "admin.listen="+address)
	if got := <-began; !strings.HasPrefix(got, "exit 0: p: ready, revision 1\n") {
		t.Errorf("got %s", got)
	}
	if exit, out, _ := w.wasmill(append([]string{"ready", "--json"}, at...)...); exit != 0 || !strings.Contains(out, `"vertex": "f",`) || !strings.Contains(out, `"ready": true`) {
		t.Errorf("exit %d: %s", exit, out)
	}
	if exit, _, text := w.wasmill(append([]string{"ready", "q", "--wait"}, at...)...); exit != 2 || !strings.Contains(text, "[pipeline-unknown]") {
		t.Errorf("another one: exit %d: %s", exit, text)
	}
	if exit, _, text := w.wasmill("ready", "p", "--timeout", "1s"); exit != 2 || !strings.Contains(text, "[usage]") {
		t.Errorf("exit %d: %s", exit, text)
	}
}

// TestReadySaysWhatIsMissing has a process get ready, or fail, step by step.
func TestReadySaysWhatIsMissing(t *testing.T) {
	w := newWorkshop(t)
	steps := func(answers ...string) (at string) {
		k := 0
		s := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(out, answers[k])
			k = min(k+1, len(answers)-1)
		}))
		t.Cleanup(s.Close)
		return strings.TrimPrefix(s.URL, "http://")
	}
	parse := func(n int) string {
		return fmt.Sprintf(`{"pipeline":"p","revision":2,"vertices":[{"vertex":"in","ready":1,"want":1},{"vertex":"parse","ready":%d,"want":8}]}`, n)
	}
	done := `{"pipeline":"p","revision":3,"ready":true,"vertices":[]}`
	exit, out, text := w.wasmill("ready", "p", "--wait", "--admin", steps(
		`{"pipeline":"p","revision":1,"why":"it starts","vertices":[{"vertex":"in","ready":0,"want":1}]}`, parse(3), parse(3), parse(7), done))
	if exit != 0 || out != "p: ready, revision 3\n" || text != "waiting: p, revision 1: it starts, in 0/1\nwaiting: p, revision 2: parse 3/8 instances\nwaiting: p, revision 2: parse 7/8 instances\n" {
		t.Errorf("exit %d: %s%s", exit, out, text)
	}
	if exit, _, text := w.wasmill("ready", "p", "--admin", steps(parse(3))); exit != 3 || !strings.Contains(text, "not ready: p, revision 2: parse 3/8 instances [not-ready]") {
		t.Errorf("once: exit %d: %s", exit, text)
	}
	if exit, _, text := w.wasmill("ready", "p", "--wait", "--timeout", "1ms", "--admin", steps(parse(3))); exit != 3 || !strings.Contains(text, "not so after 1ms") {
		t.Errorf("for too long: exit %d: %s", exit, text)
	}
	failed := `{"pipeline":"p","revision":2,"over":true,"why":"it has failed: broken","vertices":[]}`
	if exit, out, text := w.wasmill("ready", "p", "--wait", "--json", "--admin", steps(parse(3), failed, done)); exit != 3 || !strings.Contains(out, "it has failed: broken") {
		t.Errorf("failed: exit %d: %s%s", exit, out, text)
	}
	if exit, out, _ := w.wasmill("ready", "p", "--admin", steps(strings.Replace(done, `"ready"`, `"over":true,"why":"it has ended","ready"`, 1))); exit != 0 || out != "p: it has ended\n" {
		t.Errorf("ended: exit %d: %s", exit, out)
	}
}
