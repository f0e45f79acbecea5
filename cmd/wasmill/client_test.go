package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/wasmill/wasmill/host/admin"
	"github.com/wasmill/wasmill/host/stream"
)

// served is plain without an end and with checkpoints on request.
var served = strings.NewReplacer("{file: {path: in.txt}}", "{generator: {rate: 1000}}").Replace(plain) +
	"checkpoint: {storage: file://./ckpt, interval: 0s}\n"

// serves starts wasmill run as a process of its own, which ends with the test, and
// returns where it listens.
func (w *workshop) serves(args ...string) (at string) {
	w.Helper()
	w.write("p.yaml", served)
	log, err := os.Create(filepath.Join(w.dir, "log"))
	if err != nil {
		w.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		w.Fatal(err)
	}
	w.runsUntilTheEnd(exe, log, append([]string{"run", "p.yaml"}, args...))
	first := regexp.MustCompile(`"url":"([^"]+)"`)
	var m []string
	if !soon(func() bool { m = first.FindStringSubmatch(w.read("log")); return m != nil }) {
		w.Fatalf("it does not listen: %s", w.read("log"))
	}
	return m[1]
}

// runsUntilTheEnd starts a process that has to end well when it is told to.
func (w *workshop) runsUntilTheEnd(exe string, log *os.File, args []string) {
	p, err := os.StartProcess(exe, append([]string{exe}, args...), &os.ProcAttr{Dir: w.dir, Files: []*os.File{nil, nil, log}})
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() {
		if err := p.Signal(syscall.SIGTERM); err != nil {
			w.Error(err)
		}
		if state, err := p.Wait(); err != nil || !state.Success() {
			w.Errorf("it ended with %v, %v: %s", state, err, w.read("log"))
		}
		log.Close()
	})
}

func TestAProcessThatRunsIsAsked(t *testing.T) {
	for name, listen := range map[string]string{"at a port": "127.0.0.1:0", "at a socket": "unix:admin.sock"} {
		t.Run(name, func(t *testing.T) {
			w := newWorkshop(t)
			at := w.serves("--set", "admin.listen="+listen)
			ask := func(args ...string) (int, string, string) {
				if listen == "127.0.0.1:0" {
					return w.wasmill(append(args, "--admin", at)...)
				}
				return w.wasmill(append(args, "--set", "admin.listen="+listen)...) // as it was started
			}
			soon(func() bool { _, out, _ := ask("status", "--json"); return strings.Contains(out, `"phase": "running"`) })
			exit, out, text := ask("status")
			if exit != 0 || !regexp.MustCompile(`(?s)^p: running, revision 1 \([0-9a-f]{12}, start\), (no checkpoint yet|checkpoint 1 \d+s ago)\nVERTEX +ROLE +IN +OUT +OUT/S +QUEUED +IN FLIGHT +LAG\nin +source +[0-9,]+ +[0-9,]+ +[1-9][0-9,]* .*\nf +udf .*\nout +sink `).MatchString(out) {
				t.Errorf("status: exit %d: %s%s", exit, out, text)
			}
			var status struct {
				OK        bool
				Pipelines []struct {
					Pipeline string
					Vertices []struct{ Vertex string }
				}
			}
			for _, args := range [][]string{{"status", "--json"}, {"status", "p", "--json"}} {
				exit, out, text = ask(args...)
				if err := json.Unmarshal([]byte(out), &status); err != nil || exit != 0 || !status.OK || len(status.Pipelines) != 1 || len(status.Pipelines[0].Vertices) != 3 {
					t.Errorf("%v: exit %d: %s%s", args, exit, out, text)
				}
			}
			if exit, _, text = ask("status", "q"); exit != stream.ExitInput || !strings.Contains(text, string(admin.PipelineUnknown)) || !strings.Contains(text, "there are p") {
				t.Errorf("status of none: exit %d: %s", exit, text)
			}
			for _, phase := range []struct{ asked, seen string }{{"paused", "p: paused, drained, "}, {"running", "p: running, "}} {
				if exit, out, text = ask("phase", "p", phase.asked); exit != 0 || !strings.HasPrefix(out, "pipeline p is asked to be "+phase.asked) {
					t.Errorf("phase: exit %d: %s%s", exit, out, text)
				}
				for range 60 { // seconds, which a status takes
					if _, out, _ = ask("status", "p"); strings.HasPrefix(out, phase.seen) {
						break
					}
				}
				if !strings.HasPrefix(out, phase.seen) {
					t.Errorf("after phase %s: %s", phase.asked, out)
				}
			}
			if exit, out, text = ask("reload"); exit != 0 || out != "p: nothing is different\n" {
				t.Errorf("reload: exit %d: %s%s", exit, out, text)
			}
			w.write("p.yaml", strings.Replace(served, "order:", "ordr:", 1))
			if exit, _, text = ask("reload"); exit != stream.ExitInput || !strings.Contains(text, "p.yaml:7:5 (vertices[1].ordr)") || !strings.Contains(text, "did you mean order?") {
				t.Errorf("reload of what is wrong: exit %d: %s", exit, text)
			}
			if info, err := os.Stat("data/admin.token"); (err == nil) != (listen == "127.0.0.1:0") || err == nil && info.Mode() != 0o600 {
				t.Errorf("the token is %v, %v", info, err)
			}
			if strings.Contains(w.read("log"), "admin.token") {
				t.Errorf("the log tells of the token: %s", w.read("log"))
			}
		})
	}
}

func TestStatusWatchesUntilItIsInterrupted(t *testing.T) {
	w := newWorkshop(t)
	at := w.serves("--set", "admin.listen=127.0.0.1:0")
	for _, args := range [][]string{{"status", "--watch"}, {"status", "--watch", "--json"}} {
		ctx, cancel := context.WithCancel(context.Background())
		out := &tables{after: 2, cancel: cancel}
		if exit := run(ctx, append(args, "--admin", at), stdio{strings.NewReader(""), out, out}); exit != 0 || out.seen < 2 {
			t.Errorf("%v: exit %d after %d: %s", args, exit, out.seen, out.text.String())
		}
		cancel()
	}
}

// tables cancels after some were written.
type tables struct {
	text        strings.Builder
	seen, after int
	cancel      func()
}

func (o *tables) Write(p []byte) (int, error) {
	if o.text.Write(p); strings.Contains(string(p), "p") {
		if o.seen++; o.seen == o.after {
			o.cancel()
		}
	}
	return len(p), nil
}

func TestWhyAProcessCannotBeAsked(t *testing.T) {
	w := newWorkshop(t)
	stranger := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "<html>")
	}))
	defer stranger.Close()
	moved := httptest.NewServer(http.RedirectHandler("http://evil.example/", http.StatusTemporaryRedirect))
	defer moved.Close()
	const nobody = "127.0.0.1:1" // which nobody is given who asks for any free port
	at := w.serves("--set", "admin.listen=127.0.0.1:0")
	w.write("other.token", "0123456789abcdefghij\n")
	tests := []struct {
		name string
		args []string
		exit int
		text string
	}{
		{"nobody listens", []string{"status", "--admin", nobody}, 3, "no process of wasmill listens there: "},
		{"nobody listens where the settings say", []string{"phase", "p", "paused", "--set", "admin.listen=" + nobody}, 3, "fix: start one with wasmill run"},
		{"there is no socket", []string{"reload", "--admin", "unix:none.sock"}, 3, "unix:none.sock: no process of wasmill listens there"},
		{"something else listens", []string{"status", "--admin", stranger.URL}, 3, "what listens there is not a process of this wasmill"},
		{"something sends elsewhere", []string{"status", "--admin", moved.URL}, 3, "it answers 307"},
		{"it is off", []string{"status", "--set", "admin.listen=off"}, 2, "it is off"},
		{"it is any port", []string{"status", "--set", "admin.listen=127.0.0.1:0"}, 2, "it is any free port"},
		{"an address elsewhere", []string{"status", "--admin", "http://192.168.0.1:7676"}, 2, "is not a loopback address"},
		{"the token is another", []string{"status", "--admin", at, "--set", "admin.token.file=other.token"}, 2, "[api-token]"},
		{"the token is elsewhere", []string{"status", "--admin", at, "--set", "data.dir=nowhere"}, 3, "run this in the folder where that runs"},
		{"no phase", []string{"phase", "p", "stopped"}, 2, "use running or paused"},
		{"a pipeline and no phase", []string{"phase", "p"}, 2, "use running or paused"},
		{"nothing", []string{"phase"}, 2, "name a pipeline, and running or paused"},
		{"a name that is none", []string{"status", "a/b"}, 2, "that is not the name of a pipeline"},
		{"too much", []string{"reload", "p"}, 2, "too many arguments"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			exit, _, text := w.wasmill(test.args...)
			if exit != test.exit || !strings.Contains(text, test.text) || !strings.Contains(text, "fix: ") {
				t.Errorf("exit %d: %s", exit, text)
			}
			_, out, _ := w.wasmill(append(test.args, "--json")...)
			var report struct {
				OK   bool
				Exit int
			}
			if err := json.Unmarshal([]byte(out), &report); err != nil || report.OK || report.Exit != exit {
				t.Errorf("as JSON: %s", out)
			}
		})
	}
}
