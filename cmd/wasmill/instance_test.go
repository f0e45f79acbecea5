package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/wasmill/wasmill/host/instance"
	"github.com/wasmill/wasmill/host/stream"
)

// followed reads a file as it grows, and shows each line of it once.
const followed = `name: p
checkpoint: {interval: 50ms, storage: file://./ckpt}
vertices:
  - {name: in, source: {file: {path: in.txt, follow: true, poll: 10ms}}}
  - {name: f, udf: {plugin: identity}, order: input, concurrency: 3}
  - {name: out, sink: {file: {path: out.txt}}}
edges: [{from: in, to: f}, {from: f, to: out}]
`

// background is a workshop with instances, which end with the test.
type background struct {
	*workshop
	spec    string            // that a test changes
	changed map[string]string // files that a test has changed, as they were
}

func newBackground(t *testing.T) *background {
	t.Helper()
	w := &background{workshop: newWorkshop(t)}
	home := filepath.Join(w.dir, "home")
	t.Setenv("WASMILL_HOME", home)
	w.write("p.yaml", followed)
	t.Cleanup(func() {
		entries, _ := filepath.Glob(filepath.Join(w.dir, "*", "*", "spec.json")) // in whatever homes
		for _, e := range entries {
			for _, lock := range []string{"lock", "worker"} {
				var o instance.Owner
				data, err := os.ReadFile(filepath.Join(filepath.Dir(e), lock))
				if err == nil && json.Unmarshal(data, &o) == nil && o.PID > 0 {
					_ = syscall.Kill(o.PID, syscall.SIGKILL)
				}
			}
		}
	})
	return w
}

// does runs a command line that has to end with a code, and returns what it says.
func (w *background) does(exit int, args ...string) string {
	w.Helper()
	got, out, text := w.wasmill(args...)
	if got != exit {
		log, _ := os.ReadFile(filepath.Join(w.dir, "home", "a", "log"))
		w.Fatalf("%v: exit %d: %s%s\n%s", args, got, out, text, log)
	}
	return out + text
}

// seen is what status tells of an instance.
func (w *background) seen(name string) instance.Seen {
	w.Helper()
	var answer struct{ Instance instance.Seen }
	if exit := w.asJSON(&answer, "status", name); exit != 0 {
		w.Fatalf("status of %s: exit %d", name, exit)
	}
	return answer.Instance
}

// until polls until something is so.
func (w *background) until(what string, so func() bool) {
	w.Helper()
	if !soon(so) {
		w.Fatalf("%s: it does not come", what)
	}
}

// tree lists the files below a folder with their sums.
func (w *background) tree(folder string) string {
	w.Helper()
	var text strings.Builder
	err := filepath.WalkDir(filepath.Join(w.dir, folder), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		fmt.Fprintf(&text, "%s %x\n", strings.TrimPrefix(path, w.dir), sha256.Sum256(data))
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		w.Fatal(err)
	}
	return text.String()
}

func (w *background) append(name, text string) {
	w.Helper()
	f, err := os.OpenFile(filepath.Join(w.dir, name), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		w.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		w.Fatal(err)
	}
	f.Close()
}

// TestInstanceFromItsCreationToItsEnd is L1, L4, L5 and the rest of L8: it is created, shut down, resumed
// with the concurrency, the offsets and the settings that it had, and deleted.
func TestInstanceFromItsCreationToItsEnd(t *testing.T) {
	w := newBackground(t)
	if text := w.does(0, "create", "a", "-f", "p.yaml", "--data-dir", "kept", "--set", "vertices.f.concurrency=2", "--wait"); !strings.Contains(text, "a is created and ready: revision 1") {
		t.Errorf("create says %s", text)
	}
	spec := w.read("home/a/spec.json")
	w.does(2, "create", "a", "-f", "p.yaml")
	if w.read("home/a/spec.json") != spec || w.read("home/a/pipeline.yaml") != followed {
		t.Error("another create has changed the spec")
	}
	w.grows("out.txt", 2)
	if text := w.does(2, "run", "p.yaml", "--set", "data.dir=kept"); !strings.Contains(text, "data-owned") || !strings.Contains(text, "wasmill resume a") {
		t.Errorf("run with its data: %s", text)
	}
	before := w.seen("a")
	if !before.Ready || before.State != instance.Running || before.PID == 0 || before.Worker == before.PID {
		t.Errorf("it is %+v", before)
	}
	w.append("in.txt", "four\n")
	if text := w.does(0, "shutdown", "a"); !strings.Contains(text, "all that was read is through") {
		t.Errorf("shutdown says %s", text)
	}
	w.does(2, "shutdown", "a")
	after := w.seen("a")
	if after.State != instance.Stopped || after.PID+after.Worker != 0 || after.Revision != 1 || syscall.Kill(before.PID, 0) == nil && syscall.Kill(before.Worker, 0) == nil {
		t.Errorf("after shutdown it is %+v", after)
	}
	if w.read("home/a/spec.json") != spec || w.tree("ckpt/a") == "" || w.tree("kept") == "" {
		t.Error("something was not kept")
	}
	w.append("in.txt", "five\n")
	for _, flag := range []string{"--set=x=1", "--config=x.yaml", "--plugins=x"} {
		if text := w.does(2, "resume", "a", flag); !strings.Contains(text, "what it was created with") {
			t.Errorf("resume %s: %s", flag, text)
		}
	}
	w.does(0, "resume", "a", "--wait")
	w.grows("out.txt", 4)
	if got := w.read("out.txt"); got != "one\ntwo\nthree\nfour\nfive\n" {
		t.Errorf("out.txt has %q", got)
	}
	if now := w.seen("a"); now.Progress == nil || now.Progress.Vertices[1].Want != 2 || now.PID == before.PID {
		t.Errorf("resumed, it is %+v", now)
	}
	if text := w.does(0, "logs", "a", "-n", "-1"); strings.Count(text, `"the instance is running"`) != 2 {
		t.Errorf("its log is %s", text)
	}
	w.does(2, "delete", "a", "--yes")
	text := w.does(0, "delete", "a", "--force", "--yes")
	for _, want := range []string{"removed checkpoints", "/ckpt, a/", "removed data", "/kept", "removed instance", " B"} {
		if !strings.Contains(text, want) {
			t.Errorf("delete does not say %q: %s", want, text)
		}
	}
	if left := w.tree("home") + w.tree("kept") + w.tree("ckpt"); left != "" || w.read("out.txt") == "" {
		t.Errorf("there is still %s", left)
	}
	if _, err := os.Stat(filepath.Join(w.dir, "kept")); err == nil {
		t.Error("the data folder is there")
	}
	w.does(2, "delete", "a", "--yes")
}

// TestInstanceIsReadyWithWhatIsAskedForNow is L3 and L6: with 3 instances, then anew with 1.
func TestInstanceIsReadyWithWhatIsAskedForNow(t *testing.T) {
	w := newBackground(t)
	for _, n := range []string{"3", "1"} {
		var answer struct{ Instance instance.Seen }
		if exit := w.asJSON(&answer, "create", "a", "-f", "p.yaml", "--wait", "--set", "vertices.f.concurrency="+n); exit != 0 {
			t.Fatalf("exit %d", exit)
		}
		got := ""
		for _, v := range answer.Instance.Progress.Vertices {
			if v.Vertex == "f" {
				got = fmt.Sprintf("%d/%d", v.Ready, v.Want)
			}
		}
		if got != n+"/"+n {
			t.Errorf("with %s it is ready with %s", n, got)
		}
		w.does(0, "shutdown", "a")
		w.does(0, "delete", "a", "--yes")
	}
}

// TestInstanceOfManyCommandsAtOnce creates one name ten times at once, shuts it down, resumes it and
// creates it once more, over and over.
func TestInstanceOfManyCommandsAtOnce(t *testing.T) {
	w := newBackground(t)
	for range 5 {
		exits := make([]int, 10)
		var all sync.WaitGroup
		for n := range exits {
			all.Go(func() { exits[n], _, _ = w.wasmill("create", "a", "-f", "p.yaml") })
		}
		all.Wait()
		won := 0
		for _, exit := range exits {
			if exit == 0 {
				won++
			} else if exit != 2 {
				t.Errorf("exit %d", exit)
			}
		}
		if won != 1 {
			t.Fatalf("%d of ten have created it", won)
		}
		w.does(0, "shutdown", "a")
		w.does(0, "resume", "a", "--wait")
		w.does(2, "create", "a", "-f", "p.yaml")
		w.does(0, "delete", "a", "--force", "--yes")
	}
}

// TestInstanceLeavesAnotherInItsStoreAlone is L8: one of a file's two is deleted, and the other notices nothing.
func TestInstanceLeavesAnotherInItsStoreAlone(t *testing.T) {
	w := newBackground(t)
	w.write("q.yaml", strings.Replace(followed, "out.txt", "other.txt", 1))
	w.does(0, "create", "a", "-f", "p.yaml", "--wait")
	w.does(0, "create", "a-2", "-f", "q.yaml", "--wait")
	w.grows("other.txt", 2)
	w.does(0, "shutdown", "a-2")
	w.write("ckpt/a/notes", "somebody else's")
	before := w.tree("ckpt/a-2") + w.tree("home/a-2")
	if before == "" {
		t.Fatal("the other has kept nothing")
	}
	var answer struct{ Removed []instance.Removed }
	if exit := w.asJSON(&answer, "delete", "a", "--force", "--yes"); exit != 0 || len(answer.Removed) != 3 || answer.Removed[0].Objects == 0 || answer.Removed[0].Left != 1 {
		t.Errorf("exit %d: %+v", exit, answer)
	}
	if w.tree("ckpt/a-2")+w.tree("home/a-2") != before {
		t.Error("the other is not as it was")
	}
	if left := w.tree("ckpt/a"); !strings.HasPrefix(left, "/ckpt/a/notes ") || strings.Count(left, "\n") != 1 {
		t.Errorf("of it there is %s", left)
	}
	w.does(0, "resume", "a-2", "--wait")
	w.append("in.txt", "four\n")
	w.grows("other.txt", 3)
	if got := w.read("other.txt"); got != "one\ntwo\nthree\nfour\n" {
		t.Errorf("the other has written %q", got)
	}
}

// TestStatusOfNoInstance says so, besides that no process can be asked for a pipeline of that name.
func TestStatusOfNoInstance(t *testing.T) {
	w := newBackground(t)
	text := w.does(3, "status", "nosuch", "--set", "admin.listen=unix:none.sock")
	for _, want := range []string{"no process of wasmill listens there", "there is no instance nosuch"} {
		if !strings.Contains(text, want) {
			t.Errorf("status does not say that %s: %s", want, text)
		}
	}
}

// TestInstanceLeavesItsCheckpointsToWhoHasTakenThemOver has two homes with an instance of one
// name and store: the one that was fenced does not delete what the other goes on with.
func TestInstanceLeavesItsCheckpointsToWhoHasTakenThemOver(t *testing.T) {
	w := newBackground(t)
	other := filepath.Join(w.dir, "others")
	w.does(0, "create", "a", "-f", "p.yaml", "--wait")
	w.until("a checkpoint is there", func() bool { return w.tree("ckpt/a/committed") != "" })
	w.does(2, "create", "a", "-f", "p.yaml", "--home", other)
	w.does(0, "create", "a", "-f", "p.yaml", "--home", other, "--restore", "--wait")
	w.until("a is fenced", func() bool { return w.stored().State == instance.Failed })
	refused := func(when string) {
		t.Helper()
		if text := w.does(4, "delete", "a", "--yes"); !strings.Contains(text, "for another instance of this name") || !strings.Contains(text, "nothing is deleted") {
			t.Errorf("%s delete says %s", when, text)
		}
	}
	refused("when it was fenced")
	w.does(0, "resume", "a", "--wait") // takes them back
	w.does(0, "shutdown", "a")
	w.until("the other is fenced", func() bool { return strings.Contains(w.does(0, "list", "--home", other), "failed") })
	w.does(0, "resume", "a", "--home", other, "--wait")
	refused("when it had ended well before the other took over")
	before := w.tree("ckpt/a/committed")
	w.does(0, "shutdown", "a", "--home", other)
	refused("when the other is to go on later")
	if before == "" || w.tree("ckpt/a/committed") == "" {
		t.Error("the other has no checkpoint any more")
	}
	w.does(0, "delete", "a", "--yes", "--home", other)
	if left := w.tree("ckpt/a"); left != "" {
		t.Errorf("there is %s", left)
	}
	w.does(0, "delete", "a", "--yes") // there is nothing that could be another's
}

// TestInstanceIsDeletedWithoutTheCheckpointsThatAreAnothers keeps those.
func TestInstanceIsDeletedWithoutTheCheckpointsThatAreAnothers(t *testing.T) {
	w := newBackground(t)
	w.write("once.yaml", strings.Replace(strings.Replace(followed, ", follow: true, poll: 10ms", "", 1), "name: p", "name: a", 1))
	w.does(0, "create", "a", "-f", "p.yaml", "--wait")
	w.does(0, "shutdown", "a")
	w.does(0, "run", "once.yaml", "--quiet")
	if text := w.does(4, "delete", "a", "--yes"); !strings.Contains(text, "a run in the foreground") {
		t.Errorf("delete says %s", text)
	}
	before := w.tree("ckpt/a")
	w.does(0, "delete", "a", "--yes", "--keep-checkpoints")
	if before == "" || w.tree("ckpt/a") != before {
		t.Error("what was kept is not as it was")
	}
}

// TestInstanceIsResumedAfterItWasKilled is L9, and what a worker does without its keeper.
func TestInstanceIsResumedAfterItWasKilled(t *testing.T) {
	w := newBackground(t)
	w.does(0, "create", "a", "-f", "p.yaml", "--wait")
	w.grows("out.txt", 2)
	kill := func(pid int, s syscall.Signal) {
		t.Helper()
		if err := syscall.Kill(pid, s); err != nil {
			t.Fatal(err)
		}
	}
	first := w.seen("a")
	kill(first.Worker, syscall.SIGKILL)
	w.until("another worker", func() bool { s := w.stored(); return s.Worker != first.Worker && s.Ready && s.PID == first.PID })

	second := w.stored()
	kill(second.Worker, syscall.SIGSTOP) // it cannot end by itself
	kill(second.PID, syscall.SIGKILL)
	w.until("the keeper's end", func() bool { return w.stored().PID == 0 })
	if s := w.stored(); s.State != instance.Failed || !strings.Contains(s.Reason, "its process was gone") || s.Worker != second.Worker {
		t.Errorf("without its keeper it is %+v", s)
	}
	w.does(2, "shutdown", "a")
	text := w.does(3, "resume", "a", "--wait", "--timeout", "300ms") // L7
	if !strings.Contains(text, "instance-timeout") || !strings.Contains(text, "starting") {
		t.Errorf("resume says %s", text)
	}
	if s := w.stored(); s.State != instance.Starting || s.Worker != second.Worker {
		t.Errorf("it is %+v", s)
	}
	if text := w.does(3, "shutdown", "a"); !strings.Contains(text, "a worker that has lost its keeper, has not ended yet") {
		t.Errorf("shutdown says %s", text)
	}
	kill(second.Worker, syscall.SIGCONT)
	w.does(0, "resume", "a", "--wait", "--force") // which waits for it to end by itself
	w.append("in.txt", "four\n")
	w.grows("out.txt", 3)
	if got := w.read("out.txt"); got != "one\ntwo\nthree\nfour\n" {
		t.Errorf("out.txt has %q", got)
	}

	third := w.stored()
	kill(third.PID, syscall.SIGKILL)
	w.until("the end of both", func() bool { s := w.stored(); return s.PID+s.Worker == 0 })
	w.does(0, "delete", "a", "--yes")
}

// stored is seen, without asking the worker.
func (w *background) stored() instance.Seen {
	w.Helper()
	var answer struct{ Instances []instance.Seen }
	if exit := w.asJSON(&answer, "list"); exit != 0 || len(answer.Instances) != 1 {
		w.Fatalf("list: exit %d: %+v", exit, answer)
	}
	return answer.Instances[0]
}

// TestInstanceGoesOnWhenItsWorkerAloneIsToldToEnd sends each signal that does so to the worker: all
// that it has read goes through, and another one follows, as no command has ended the instance.
func TestInstanceGoesOnWhenItsWorkerAloneIsToldToEnd(t *testing.T) {
	w := newBackground(t)
	w.does(0, "create", "a", "-f", "p.yaml", "--wait")
	for n, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		was := w.stored()
		if err := syscall.Kill(was.Worker, sig); err != nil {
			t.Fatal(err)
		}
		w.until("another one is ready", func() bool {
			now := w.stored()
			if now.PID != was.PID {
				t.Fatalf("it has another keeper: %+v", now)
			}
			return now.Ready && now.Worker != was.Worker
		})
		if log := w.read("home/a/log"); strings.Count(log, "its worker was ended by signal 15 (terminated), which no wasmill shutdown has sent: another one follows") != n+1 {
			t.Errorf("after %v it says %s", sig, log)
		}
		w.append("in.txt", "more\n")
		w.grows("out.txt", 3+n)
	}
	if text := w.does(0, "shutdown", "a"); !strings.Contains(text, "it was shut down, and all that was read is through") || strings.Contains(w.read("home/a/log"), "sources have ended") {
		t.Errorf("shutdown says %s", text)
	}
	if got := w.read("out.txt"); got != "one\ntwo\nthree\nmore\nmore\n" {
		t.Errorf("it has written %q", got)
	}
}

// TestInstanceWhoseWorkerCannotBeStarted says so, and that another one follows, and goes on by itself
// when that is mended.
func TestInstanceWhoseWorkerCannotBeStarted(t *testing.T) {
	w := newBackground(t)
	folder := filepath.Join(w.dir, "work")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	w.Chdir("work")
	w.does(0, "create", "a", "-f", "../p.yaml", "--plugins", "../plugins", "--wait")
	w.Chdir("..")
	if err := os.Rename(folder, folder+".away"); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(w.stored().Worker, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	w.until("it says so", func() bool {
		reason := w.stored().Reason
		return strings.HasPrefix(reason, "its worker cannot be started: the working folder of the instance is gone: stat "+folder) && strings.HasSuffix(reason, "; another one follows")
	})
	if log := w.read("home/a/log"); !strings.Contains(log, `no such file or directory: another one follows","instance":"a","in":"`) {
		t.Errorf("the log has no time: %s", log)
	}
	if err := os.Rename(folder+".away", folder); err != nil {
		t.Fatal(err)
	}
	w.until("it goes on", func() bool { return w.stored().Ready })
}

// TestInstanceWhoseStartTakesTooLong is L7: a sink waits for a reader. It is left as it is, and can be
// shut down, resumed, killed and deleted.
func TestInstanceWhoseStartTakesTooLong(t *testing.T) {
	w := newBackground(t)
	pipe := filepath.Join(w.dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	w.write("p.yaml", strings.Replace(plain, "path: out.txt", "path: pipe", 1))
	text := w.does(3, "create", "a", "-f", "p.yaml", "--wait", "--timeout", "500ms", "--set", "shutdown.grace=50ms")
	if !strings.Contains(text, "instance-timeout") || !strings.Contains(text, "wasmill shutdown a") || !strings.Contains(text, "wasmill delete a --force") {
		t.Errorf("create says %s", text)
	}
	if s := w.seen("a"); s.State != instance.Starting || s.Ready {
		t.Errorf("it is %+v", s)
	}
	w.until("its worker waits for the reader", func() bool { return w.stored().Progress != nil })
	if text := w.does(3, "shutdown", "a"); !strings.Contains(text, "instance-failed") || !strings.Contains(text, "drain-timeout") {
		t.Errorf("shutdown says %s", text)
	}
	if s := w.seen("a"); s.State != instance.Stopped || !strings.Contains(s.Reason, "not all that was read went through") {
		t.Errorf("it is %+v", s)
	}
	reader, err := os.OpenFile(pipe, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	w.does(0, "resume", "a", "--wait")
	w.until("its end", func() bool { return w.stored().State == instance.Stopped })
	if s := w.seen("a"); s.Reason != "its sources have ended" {
		t.Errorf("it is %+v", s)
	}
	got := make([]byte, 64)
	if n, err := reader.Read(got); err != nil || !bytes.HasPrefix([]byte("one\ntwo\nthree\n"), got[:n]) {
		t.Errorf("%q, %v", got[:n], err)
	}
	w.does(0, "delete", "a", "--yes")
}

// TestInstanceThatFailsForGood has a worker whose input is wrong: it is not started again, and says why.
func TestInstanceThatFailsForGood(t *testing.T) {
	w := newBackground(t)
	w.write("p.yaml", strings.Replace(plain, "in.txt", "later.txt", 1))
	text := w.does(3, "create", "a", "-f", "p.yaml", "--wait")
	if !strings.Contains(text, "[input-missing]") || !strings.Contains(text, "wasmill resume a") {
		t.Errorf("create says %s", text)
	}
	if s := w.seen("a"); s.State != instance.Failed || !strings.Contains(s.Reason, "later.txt") {
		t.Errorf("it is %+v", s)
	}
	w.write("later.txt", "now\n")
	w.does(0, "resume", "a", "--wait")
	w.until("its end", func() bool { return w.stored().State == instance.Stopped })
	if got := w.read("out.txt"); got != "now\n" {
		t.Errorf("out.txt has %q", got)
	}
}

// TestInstanceIsEditedWhileItRuns changes its own pipeline file, and asks its process.
func TestInstanceIsEditedWhileItRuns(t *testing.T) {
	w := newBackground(t)
	w.does(0, "create", "a", "-f", "p.yaml", "--wait")
	file := w.seen("a").Pipeline
	if err := os.WriteFile(file, []byte(strings.Replace(followed, "concurrency: 3", "concurrency: 5", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	w.until("the revision", func() bool { s := w.stored(); return s.Revision == 2 && s.Progress.Vertices[1].Want == 5 })
	w.does(0, "phase", "paused", "--instance", "a")
	state := func() (s struct{ Pipelines []struct{ State string } }) {
		if exit := w.asJSON(&s, "status", "a"); exit != 0 || len(s.Pipelines) != 1 {
			t.Fatalf("status: exit %d, %+v", exit, s)
		}
		return s
	}
	w.until("the pause", func() bool { return state().Pipelines[0].State == "paused" })
	if text := w.does(0, "reload", "--instance", "a"); !strings.Contains(text, "a: nothing is different") {
		t.Errorf("reload says %s", text)
	}
	w.does(0, "shutdown", "a")
	w.does(0, "resume", "a", "--wait")
	if s := w.seen("a"); s.Revision != 2 || s.Progress.Vertices[1].Want != 5 {
		t.Errorf("resumed, it is %+v", s)
	}
	w.until("the pause that was asked for before", func() bool { return state().Pipelines[0].State == "paused" })
}

// TestInstanceSavesNoSecret has keys of a bucket by reference; in place of one a key is refused
// before anything is saved.
func TestInstanceSavesNoSecret(t *testing.T) {
	w := newBackground(t)
	const secret = "wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY"
	t.Setenv("MY_SECRET", secret)
	t.Setenv("WASMILL_S3_REGION", "eu-1")
	w.write("wasmill.yaml", "s3: {secretKey: {env: MY_SECRET}, accessKey: {env: MY_SECRET}}\nlog: {level: debug}\n")
	w.does(0, "create", "a", "-f", "p.yaml", "--wait")
	spec := w.read("home/a/spec.json")
	if !strings.Contains(spec, "WASMILL_S3_REGION=eu-1") || !strings.Contains(spec, "level: debug") || strings.Contains(spec, "WASMILL_HOME") {
		t.Errorf("the spec is %s", spec)
	}
	t.Setenv("WASMILL_LOG_FORMAT", "nonsense")
	w.write("wasmill.yaml", "log: {level: nonsense}\n")
	w.does(0, "shutdown", "a")
	w.does(0, "resume", "a", "--wait") // with what was saved
	w.does(0, "delete", "a", "--force", "--yes")
	t.Setenv("WASMILL_LOG_FORMAT", "")
	w.write("wasmill.yaml", "s3: {secretKey: "+secret+"}\n")
	if said := w.does(2, "create", "a", "-f", "p.yaml"); strings.Contains(said, secret) {
		t.Errorf("it is told: %s", said)
	}
	t.Setenv("WASMILL_S3_SECRETKEY", secret)
	w.write("wasmill.yaml", "{}\n")
	w.does(2, "create", "a", "-f", "p.yaml")
	if left := w.tree("home"); left != "" {
		t.Errorf("there is %s", left)
	}
	err := filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || filepath.Base(path) == "wasmill.yaml" {
			return err
		}
		if data, err := os.ReadFile(path); err == nil && bytes.Contains(data, []byte(secret)) {
			t.Errorf("it stands in %s", path)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestInstanceAndCheckpointsOfNobody are gone on from when that is asked for, and not touched else.
func TestInstanceAndCheckpointsOfNobody(t *testing.T) {
	w := newBackground(t)
	w.write("p.yaml", strings.NewReplacer("name: p\n", "name: a\n", ", follow: true, poll: 10ms", "").Replace(followed))
	w.does(0, "run", "p.yaml", "--quiet")
	before := w.tree("ckpt")
	if text := w.does(2, "create", "a", "-f", "p.yaml"); !strings.Contains(text, string(stream.InstanceCheckpoints)) || !strings.Contains(text, "--restore") {
		t.Errorf("create says %s", text)
	}
	if w.tree("ckpt") != before || w.tree("home") != "" {
		t.Error("a refusal has changed something")
	}
	w.does(0, "create", "a", "-f", "p.yaml", "--restore", "--wait")
	w.until("its end", func() bool { return w.stored().State == instance.Stopped })
	if got := w.read("out.txt"); got != "one\ntwo\nthree\n" {
		t.Errorf("out.txt has %q: it has begun anew", got)
	}
	before = w.tree("ckpt")
	w.does(0, "delete", "a", "--yes", "--keep-checkpoints")
	if before == "" || w.tree("ckpt") != before || w.tree("home") != "" {
		t.Error("the checkpoints are not as they were, or the instance is there")
	}
}
