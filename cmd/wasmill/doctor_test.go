package main

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/doctor"
	"github.com/wasmill/wasmill/host/stream"
)

type examined struct {
	OK       bool
	Exit     int
	Fixed    []mendedJSON
	Findings []doctor.Finding
}

// ofMachine is what doctor finds about the machine that a test runs on.
var ofMachine = []string{"Go", "C", "Rust", "Zig", "AssemblyScript", "clock", "limits", "open files", "memory.budget", "GOMAXPROCS", "inotify"}

// diagnoses runs doctor, and returns what it finds apart from the machine.
func (w *workshop) diagnoses(args ...string) (d examined, lines string) {
	w.Helper()
	if exit := w.asJSON(&d, append([]string{"doctor", "--json"}, args...)...); exit != d.Exit || d.OK != (exit == 0) {
		w.Errorf("it ends with %d, and says %d, %v", exit, d.Exit, d.OK)
	}
	var s strings.Builder
	for _, f := range d.Findings {
		if !slices.Contains(ofMachine, f.About) {
			s.WriteString(string(f.Severity) + " " + f.About + " " + string(f.Code) + "\n")
		}
	}
	return d, s.String()
}

func newClinic(t *testing.T) *workshop {
	w := newWorkshop(t)
	t.Setenv("WASMILL_HOME", filepath.Join(w.dir, "home"))
	t.Setenv("WASMILL_ADMIN_LISTEN", "unix:data/s")
	w.write("p.yaml", plain+"checkpoint: {storage: file://./cp}\n")
	return w
}

func TestDoctorFindsAHealthyMachine(t *testing.T) {
	w := newClinic(t)
	const before = "ok plugins/identity.wasm \nok plugins.dir \nok p.yaml \ninfo data.dir \nok cache.dir \nok admin.listen \ninfo checkpoint.storage of p \n"
	if d, lines := w.diagnoses("p.yaml"); lines != before || d.Exit != 0 {
		t.Errorf("before the first run: exit %d\n%s", d.Exit, lines)
	}
	if _, err := os.Stat("cp"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it has made the store: %v", err)
	}
	d, lines := w.diagnoses("p.yaml", "--fix")
	if want := strings.ReplaceAll(before, "info", "ok"); lines != want || len(d.Fixed) != 2 || d.Fixed[1].Repair != "make the folder cp, with mode 0700" {
		t.Errorf("after it has made the folders: %+v\n%s", d.Fixed, lines)
	}
	if d, _ := w.diagnoses("p.yaml", "--fix"); len(d.Fixed) != 0 {
		t.Errorf("the second time it mends %+v", d.Fixed)
	}
	if exit, out, text := w.wasmill("run", "p.yaml"); exit != 0 {
		t.Fatalf("the run ends with %d: %s%s", exit, out, text)
	}
	exit, out, text := w.wasmill("doctor", "p.yaml")
	for _, want := range []string{"\nok       checkpoint.storage of p: file://./cp tells writers apart, and can be written and read; checkpoints in it: ", "\nok       plugins/identity.wasm: abitest, of kind map\n", "\nerrors: 0, warnings: "} {
		if exit != 0 || !strings.Contains(out, want) {
			t.Errorf("exit %d, %q is not in\n%s%s", exit, want, out, text)
		}
	}
	for _, temporary := range []string{"data/.doctor-*", "cp/probe/*"} {
		if left, err := filepath.Glob(temporary); err != nil || len(left) > 0 {
			t.Errorf("it has left %v, %v", left, err)
		}
	}
}

func TestDoctorFindsWhatIsWrong(t *testing.T) {
	w := newClinic(t)
	w.write("plugins/page.wasm", "<html>404</html>")
	w.write("pipelines/wrong.yaml", strings.Replace(plain, "order:", "ordr:", 1))
	w.write("pipelines/lost.yaml", strings.Replace(plain, "plugin: identity", "plugin: identiti", 1))
	w.write("home/i/spec.json", "{")
	for name, record := range map[string]string{"gone": `{"format": 1, "state": "running"}`, "over": `{"format": 1, "state": "stopped"}`} {
		w.write("home/"+name+"/spec.json", `{"format": 1, "name": "`+name+`"}`)
		w.write("home/"+name+"/instance.json", record)
	}
	if err := host.OwnData("data", "i"); err != nil {
		t.Fatal(err)
	}
	const left = "data/.token-12"
	w.write(left, "x")
	old := time.Now().Add(-2 * time.Hour)
	if err := os.Chtimes(left, old, old); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", "data/s")
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close()
	const wrong = "ok plugins/identity.wasm \nerror plugins/page.wasm plugin-not-wasm\nok plugins.dir \nerror pipelines/lost.yaml plugin-not-found\nerror pipelines/wrong.yaml config-unknown-key\n" +
		"error data.dir data-owned\nok cache.dir \nwarning admin.listen \nwarning data/.token-12 \nerror instance gone instance-failed\nerror instance i instance-damaged\nok instances \n"
	d, lines := w.diagnoses()
	if lines != wrong || d.Exit != stream.ExitEnvironment || len(d.Fixed) != 0 {
		t.Errorf("exit %d, %+v\n%s", d.Exit, d.Fixed, lines)
	}
	mended := strings.NewReplacer("warning admin.listen", "ok admin.listen", "warning data/.token-12 \n", "").Replace(wrong)
	if d, lines := w.diagnoses("--fix"); lines != mended || d.Exit != stream.ExitEnvironment || len(d.Fixed) != 2 || d.Fixed[0].Repair != "remove the socket data/s" || d.Fixed[1].Repair != "remove data/.token-12" || d.Fixed[1].Error != nil {
		t.Errorf("exit %d, %+v\n%s", d.Exit, d.Fixed, lines)
	}
	if owner, err := host.OwnerOf("data"); owner != "i" || err != nil {
		t.Errorf("the folder belongs to %q, %v", owner, err)
	}
}

func TestDoctorMendsATokenAndSaysIt(t *testing.T) {
	w := newClinic(t)
	t.Setenv("WASMILL_ADMIN_LISTEN", "127.0.0.1:0")
	w.write("data/admin.token", "a-token-of-the-test-2026\n")
	if err := os.Chmod("data/admin.token", 0o644); err != nil {
		t.Fatal(err)
	}
	exit, out, _ := w.wasmill("doctor", "p.yaml")
	if exit != 3 || !strings.Contains(out, "\nerror    admin.token.file: others can get at the token: the mode of data/admin.token is 0644 [environment]\n         fix: wasmill doctor --fix sets it to 0600") || !strings.Contains(out, "\nerrors: 1, ") {
		t.Errorf("exit %d: %s", exit, out)
	}
	exit, out, _ = w.wasmill("doctor", "p.yaml", "--fix")
	if info, err := os.Stat("data/admin.token"); err != nil || info.Mode().Perm() != 0o600 || exit != 0 || !strings.HasPrefix(out, "fixed    chmod 0600 data/admin.token\n") || !strings.Contains(out, "\nok       admin.token.file: data/admin.token is for its owner alone\n") {
		t.Errorf("exit %d, %v: %s", exit, err, out)
	}
	if exit, out, _ := w.wasmill("doctor", "--set", "log.levl=x"); exit != 2 || !strings.Contains(out, "\nerror    settings: ") || !strings.Contains(out, "did you mean level?") {
		t.Errorf("with a setting that is wrong: exit %d: %s", exit, out)
	}
}

func TestDoctorSaysWhichPluginsAreNotLetIn(t *testing.T) {
	w := newClinic(t)
	w.write("plugins.lock", "")
	t.Setenv("WASMILL_PLUGINS_LOCK", "plugins.lock")
	if d, lines := w.diagnoses("p.yaml"); d.Exit != 2 || !strings.HasPrefix(lines, "error plugins/identity.wasm plugin-lock\nok plugins.dir \nerror p.yaml plugin-lock\n") {
		t.Errorf("exit %d\n%s", d.Exit, lines)
	}
	if exit, out, text := w.wasmill("plugin", "lock", "--write", "plugins.lock"); exit != 0 {
		t.Fatalf("exit %d: %s%s", exit, out, text)
	}
	if d, lines := w.diagnoses("p.yaml"); d.Exit != 0 || !strings.HasPrefix(lines, "ok plugins/identity.wasm \n") {
		t.Errorf("exit %d\n%s", d.Exit, lines)
	}
}
