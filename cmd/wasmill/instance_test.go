package main

import (
	"bytes"
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
