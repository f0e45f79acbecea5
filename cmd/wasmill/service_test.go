package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host"
)

// TestAServiceTellsItsManager runs the process as systemd does, with a watchdog.
func TestAServiceTellsItsManager(t *testing.T) {
	w := newWorkshop(t)
	w.write("p.yaml", terminable)
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(w.dir, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	heard := ""
	hears := func(what string) {
		t.Helper()
		text := make([]byte, 4096)
		for is := regexp.MustCompile("(?m)^" + what); ; {
			n, err := l.Read(text)
			if err != nil {
				t.Fatalf("it does not say %s: %v; it said %s", what, err, heard)
			}
			if heard += string(text[:n]) + "\n"; is.Match(text[:n]) {
				return
			}
		}
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(w.dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	c := exec.CommandContext(t.Context(), exe, "run", "--follow=false", "p.yaml")
	c.Dir, c.Stderr = w.dir, log
	c.Env = append(os.Environ(), "NOTIFY_SOCKET="+filepath.Join(w.dir, "notify"), "WATCHDOG_USEC=200000")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	hears("READY=1$")
	if !strings.Contains(heard, "STATUS=1 of 1 pipeline ready\n") {
		t.Errorf("it said %s", heard)
	}
	hears("WATCHDOG=1$")
	w.write("p.yaml", strings.Replace(terminable, "50ms", "70ms", 1))
	if err := c.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	hears(`RELOADING=1\nMONOTONIC_USEC=\d+`)
	hears("READY=1$")
	if !strings.Contains(w.read("log"), "checkpoint.interval: 50ms → 70ms") {
		t.Errorf("it was ready again before that was in force: %s", w.read("log"))
	}
	hears("WATCHDOG=1$")
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	hears("STOPPING=1$")
	if err := c.Wait(); err != nil {
		t.Errorf("%v: %s", err, w.read("log"))
	}
}

// TestTheUnitFitsTheCommand checks the unit of examples/systemd, as far as that is possible
// where systemd does not run.
func TestTheUnitFitsTheCommand(t *testing.T) {
	const file = "../../examples/systemd/wasmill.service"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	keys, env := make(map[string]string), []string{}
	for line := range strings.Lines(string(data)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(key, "#") {
			if keys[key] = value; key == "Environment" {
				env = append(env, value)
			}
		}
	}
	words := strings.Fields(keys["ExecStart"])
	root := newRoot(stdio{})
	c, rest, err := root.Find(words[1:])
	if err != nil || c.Name() != "run" {
		t.Fatalf("%s runs %v, %v", keys["ExecStart"], c, err)
	}
	if err := c.ParseFlags(rest); err != nil {
		t.Error(err)
	}
	set, err := c.Flags().GetStringArray("set")
	if err != nil {
		t.Fatal(err)
	}
	settings, err := host.Settings(host.Options{Env: env, Set: set})
	if err != nil {
		t.Fatal(err)
	}
	if data, cache := settings.Data.Dir, settings.Cache.Dir; !strings.HasPrefix(data, "/var/lib/"+keys["StateDirectory"]+"/") || cache != "/var/cache/"+keys["CacheDirectory"] {
		t.Errorf("it may not write to data.dir %s or cache.dir %s", data, cache)
	}
	if stop, err := time.ParseDuration(keys["TimeoutStopSec"]); err != nil || stop < settings.Shutdown.Grace+abortTime {
		t.Errorf("systemd kills it after %v, %v, while it drains for %v", stop, err, settings.Shutdown.Grace)
	}
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("no systemd-analyze")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	unit := filepath.Join(t.TempDir(), "wasmill.service")
	if err := os.WriteFile(unit, []byte(strings.Replace(string(data), words[0], exe, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), analyze, "verify", "--man=no", unit).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v: %s", err, out)
	}
}
