package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/stream"
)

// supervised starts a supervisor, in a process group of its own, whose standard error is
// the file log.
func (w *workshop) supervised(args ...string) *exec.Cmd {
	w.Helper()
	exe, err := os.Executable()
	if err != nil {
		w.Fatal(err)
	}
	log, err := os.Create(filepath.Join(w.dir, "log"))
	if err != nil {
		w.Fatal(err)
	}
	defer log.Close()
	c := exec.Command(exe, append([]string{"run", "--supervise"}, args...)...)
	c.Dir, c.Stderr = w.dir, log
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := c.Start(); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }) // after a failure
	return c
}

// says waits until the log has something so many times.
func (w *workshop) says(what string, times int) {
	w.Helper()
	if !soon(func() bool { return strings.Count(w.read("log"), what) >= times }) {
		w.Fatalf("it does not say %q %d times: %s", what, times, w.read("log"))
	}
}

// worker returns the process of an attempt, once it is started.
func (w *workshop) worker(attempt int) (pid int) {
	w.Helper()
	line := regexp.MustCompile(fmt.Sprintf(`"the worker is started","attempt":%d,"pid":(\d+)`, attempt))
	w.says(fmt.Sprintf(`"attempt":%d,`, attempt), 1)
	pid, err := strconv.Atoi(line.FindStringSubmatch(w.read("log"))[1])
	if err != nil {
		w.Fatal(err)
	}
	return pid
}

// TestASupervisedRunGoesOnAfterAKill kills a worker, hangs up and ends the supervisor.
func TestASupervisedRunGoesOnAfterAKill(t *testing.T) {
	w := newWorkshop(t)
	w.write("p.yaml", terminable)
	c := w.supervised("--follow=false", "p.yaml")
	w.grows("out.txt", 0)
	if err := syscall.Kill(w.worker(1), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	w.worker(2)
	w.grows("out.txt", strings.Count(w.read("out.txt"), "\n"))
	w.write("p.yaml", strings.Replace(terminable, "50ms", "70ms", 1))
	if err := c.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	w.says("checkpoint.interval: 50ms → 70ms", 1)
	w.terminated(c, logged{w})
	log := w.read("log")
	for _, want := range []string{`"level":"WARN","msg":"the worker has died and is started again","how":"was ended by signal 9 (killed)"`, `"msg":"the worker has ended","how":"exited with 0"`} {
		if !strings.Contains(log, want) {
			t.Errorf("%s is not in %s", want, log)
		}
	}
}

// TestATerminalInterruptsASupervisedRunOnce sends what a terminal does, to all processes.
func TestATerminalInterruptsASupervisedRunOnce(t *testing.T) {
	w := newWorkshop(t)
	w.write("p.yaml", terminable)
	c := w.supervised("p.yaml")
	w.grows("out.txt", 0)
	if err := syscall.Kill(-c.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Errorf("%v: %s", err, w.read("log"))
	}
	t.Run("a second one stops at once", func(t *testing.T) {
		w := newWorkshop(t)
		if err := syscall.Mkfifo(filepath.Join(w.dir, "pipe"), 0o600); err != nil {
			t.Fatal(err)
		}
		reader, err := os.OpenFile(filepath.Join(w.dir, "pipe"), os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer reader.Close()
		w.write("p.yaml", strings.NewReplacer("{file: {path: in.txt}}", "{generator: {size: 4096}}", "path: out.txt", "path: pipe").Replace(plain))
		c := w.supervised("p.yaml")
		if _, err := reader.Read(make([]byte, 1)); err != nil { // until something came through
			t.Fatal(err)
		}
		for _, says := range []string{`"draining`, `"the worker has ended and is not started again","how":"exited with 143"`} {
			if err := syscall.Kill(-c.Process.Pid, syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
			w.says(says, 1)
		}
		_ = c.Wait()
		if got := c.ProcessState.ExitCode(); got != 130 {
			t.Errorf("exit %d: %s", got, w.read("log"))
		}
	})
}

func TestWhatTheUserHasToMendIsNotTriedAgain(t *testing.T) {
	w := newWorkshop(t)
	w.write("p.yaml", strings.ReplaceAll(plain, "plugin: identity", "plugin: identiti"))
	c := w.supervised("p.yaml")
	_ = c.Wait()
	if log := w.read("log"); c.ProcessState.ExitCode() != 2 || strings.Count(log, "the worker is started") != 1 || !strings.Contains(log, "[plugin-not-found]") {
		t.Errorf("exit %d: %s", c.ProcessState.ExitCode(), log)
	}
	for _, flags := range [][]string{{"--fresh", "--yes"}, {"--from", "3"}} {
		if exit, _, text := w.wasmill(append([]string{"run", "--supervise", "p.yaml"}, flags...)...); exit != 2 || !strings.Contains(text, "[usage]") {
			t.Errorf("%v: exit %d: %s", flags, exit, text)
		}
	}
}

// waits is a guest that says so and stays in the call.
func waits() []byte {
	var log uint32
	a := abitest.NewGuest(func(a *abitest.Asm) {
		log = a.Import(abi.ModuleWasmill, abi.ImportLog, []byte{abitest.I32, abitest.I32, abitest.I32}, nil)
	})
	a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil,
		abitest.Const(1), abitest.Const(8), abitest.Const(1), abitest.Call(log),
		abitest.Loop(), abitest.Br(0), abitest.Op(abitest.End), abitest.Const(8))
	return a.Bytes()
}

// TestAPluginIsQuarantinedAfterThreeDeathsInIt has workers die by SIGSEGV in calls of one
// plugin, outside of those of another one.
func TestAPluginIsQuarantinedAfterThreeDeathsInIt(t *testing.T) {
	w := newWorkshop(t)
	w.write("plugins/waits.wasm", string(waits()))
	bad := strings.NewReplacer("in.txt", "../in.txt", "out.txt", "../bad.txt", "plugin: identity", "plugin: waits, grant: [log], limits: {callDeadline: 1h}", "order: input", "concurrency: 1").Replace(plain)
	w.write("pipelines/bad.yaml", bad)
	w.write("pipelines/good.yaml", strings.NewReplacer("name: p", "name: q", "{file: {path: in.txt}}", "{generator: {rate: 20}}", "out.txt", "../out.txt").Replace(plain))
	c := w.supervised()
	for attempt := 1; attempt <= deaths; attempt++ {
		w.says(`"guest says"`, attempt)
		w.grows("out.txt", 0)
		if err := syscall.Kill(w.worker(attempt), syscall.SIGSEGV); err != nil {
			t.Fatal(err)
		}
		w.says("the worker has died and is started again", attempt)
	}
	w.says("plugin-quarantined", 1)
	w.worker(deaths + 1)
	w.grows("out.txt", strings.Count(w.read("out.txt"), "\n"))
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait()

	c = w.supervised("pipelines/bad.yaml") // alone
	_ = c.Wait()
	log := w.read("log")
	for _, want := range []string{"[plugin-quarantined]", "waits.wasm", "SHA-256 ", "SIGSEGV", "as in 2 before", "wasmill plugin release"} {
		if !strings.Contains(log, want) {
			t.Errorf("%q is not in %s", want, log)
		}
	}
	if c.ProcessState.ExitCode() != 2 || strings.Count(log, "the worker is started") != 1 {
		t.Errorf("exit %d: %s", c.ProcessState.ExitCode(), log)
	}
}

// TestADataDirOfAnInstanceIsRefused runs in the foreground where an instance does.
func TestADataDirOfAnInstanceIsRefused(t *testing.T) {
	w := newWorkshop(t)
	w.write("p.yaml", plain)
	if err := host.OwnData(filepath.Join(w.dir, "data"), "nightly"); err != nil {
		t.Fatal(err)
	}
	for _, instance := range []string{"", "other"} {
		exit, _, text := w.wasmill("run", "p.yaml", "--instance="+instance)
		if exit != 2 || !strings.Contains(text, "["+string(stream.DataOwned)+"]") || !strings.Contains(text, "wasmill resume nightly") || !strings.Contains(text, "--set data.dir=") {
			t.Errorf("%q: exit %d: %s", instance, exit, text)
		}
	}
	if _, err := os.Stat("out.txt"); err == nil {
		t.Error("it has run")
	}
	if exit, _, text := w.wasmill("run", "p.yaml", "--instance=nightly"); exit != 0 {
		t.Errorf("its own run: exit %d: %s", exit, text)
	}
	if exit, _, text := w.wasmill("run", "p.yaml", "--set", "data.dir=elsewhere"); exit != 0 {
		t.Errorf("elsewhere: exit %d: %s", exit, text)
	}
	if exit, _, text := w.wasmill("run", "p.yaml", "--set", "data.dir=elsewhere", "--instance=nightly"); exit != 2 || !strings.Contains(text, "does not belong to instance nightly") {
		t.Errorf("an instance elsewhere: exit %d: %s", exit, text)
	}
}
