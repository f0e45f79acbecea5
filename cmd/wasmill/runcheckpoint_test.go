package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/checkpoint/dir"
	"github.com/wasmill/wasmill/checkpoint/storetest/s3server"
	"github.com/wasmill/wasmill/host/control"
)

// lasting copies in.txt and what is beside it to out.txt, with checkpoints in ckpt.
const lasting = `name: p
vertices:
  - {name: in, source: {file: {path: 'in*.txt'}}}
  - {name: out, sink: {file: {path: out.txt}}}
edges:
  - {from: in, to: out}
checkpoint: {storage: file://./ckpt, interval: 50ms}
`

// endless makes the source of lasting one without an end.
func endless(pipeline string) string {
	return strings.Replace(pipeline, "{file: {path: 'in*.txt'}}", "{generator: {rate: 2000}}", 1)
}

// runs is wasmill run, which has to end with a code. It returns the log.
func (w *workshop) runs(exit int, args ...string) string {
	w.Helper()
	got, _, text := w.wasmill(append([]string{"run", "p.yaml"}, args...)...)
	if got != exit {
		w.Fatalf("run %v: exit %d: %s", args, got, text)
	}
	return text
}

// committed waits for a number of checkpoints that are complete.
func (w *workshop) committed(folder string, n int) {
	w.Helper()
	if !soon(func() bool {
		all, err := filepath.Glob(filepath.Join(w.dir, folder, "p/committed/*"))
		return err == nil && len(all) >= n
	}) {
		w.Fatal("there is no checkpoint")
	}
}

func newLasting(t *testing.T) *workshop {
	w := newWorkshop(t)
	w.write("p.yaml", lasting)
	return w
}

func TestARunGoesOnFromItsLastCheckpoint(t *testing.T) {
	w := newLasting(t)
	contains(t, w.runs(0), "begins with nothing, as there is no checkpoint", "last checkpoint: the next run goes on from it")
	w.write("in2.txt", "four\n")
	text := w.runs(0)
	contains(t, text, "goes on from a checkpoint: what was read before it is not read again; --fresh begins with nothing", `"age":"`, `"in_flight":0`)
	if strings.Contains(text, "nothing new") {
		t.Error(text)
	}
	if got := w.read("out.txt"); got != "one\ntwo\nthree\nfour\n" {
		t.Errorf("got %q", got)
	}
	contains(t, w.runs(0), "nothing new was read since the checkpoint that it went on from; --fresh reads all of it again")
	var summary struct{ Pipelines []control.Status }
	text = w.runs(0, "--json")
	if err := json.Unmarshal([]byte(text[strings.Index(text, "{\n"):]), &summary); err != nil {
		t.Fatal(err)
	}
	c := summary.Pipelines[0].Checkpoint
	newest := strings.Fields(w.epochs("p.yaml"))[0]
	if c == nil || c.Last == nil || fmt.Sprint(c.Last.Epoch) != newest || c.Restored == nil || c.Next != nil {
		t.Errorf("the summary has %+v, the newest is %s", c, newest)
	}
	var d struct{ Checkpoint control.CheckpointDetail }
	if w.asJSON(&d, "checkpoint", "show", "p.yaml"); d.Checkpoint.Wasmill != versions()["wasmill"] {
		t.Errorf("it was written by %q", d.Checkpoint.Wasmill)
	}
}

func TestAKilledRunIsGoneOnFrom(t *testing.T) {
	w := newLasting(t)
	w.write("p.yaml", endless(lasting))
	count := func() int { text, _ := os.ReadFile("out.txt"); return strings.Count(string(text), "\n") }
	for range 3 {
		before := count()
		c, text := w.process("run", "p.yaml")
		w.grows("out.txt", before)
		time.Sleep(200 * time.Millisecond) // somewhere between two checkpoints
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if _ = c.Wait(); c.ProcessState.ExitCode() != -1 {
			t.Fatalf("it ended before: %s", text)
		}
	}
	before := count()
	c, text := w.process("run", "p.yaml")
	w.grows("out.txt", before)
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	contains(t, text.String(), "goes on from a checkpoint")
	lines := strings.Split(strings.TrimSuffix(w.read("out.txt"), "\n"), "\n")
	for i, l := range lines {
		if !strings.Contains(l, itoa(i)) {
			t.Fatalf("line %d of %d is %q", i, len(lines), l)
		}
	}
}

func TestFreshDeletesOnlyWhatAPersonAgreesTo(t *testing.T) {
	w := newLasting(t)
	contains(t, w.runs(0, "--fresh"), "begins with nothing") // there is nothing to ask
	before := w.epochs("p.yaml")
	published := func() int { return strings.Count(w.epochs("p.yaml"), " complete") }
	n := published()
	for _, args := range [][]string{{"--fresh"}, {"--fresh", "--json"}} {
		text := w.runs(2, args...)
		contains(t, text, fmt.Sprintf("--fresh deletes %s of p in file://./ckpt", counted(n, "checkpoint")), "nothing has run", "add --yes")
	}
	input := strings.NewReader("y\n") // may be records
	if exit := run(t.Context(), []string{"run", "p.yaml", "--fresh"}, stdio{input, io.Discard, io.Discard}); exit != 2 || input.Len() != 2 {
		t.Errorf("exit %d, and %d bytes of the input are left", exit, input.Len())
	}
	if after := w.epochs("p.yaml"); after != before {
		t.Errorf("there were %s and are %s", before, after)
	}
	contains(t, w.runs(0), "nothing new was read")
	w.write("in.txt", "other\n")
	n = published()
	contains(t, w.runs(0, "--fresh", "--yes"), "all checkpoints are deleted: --fresh", fmt.Sprintf(`"checkpoints":%d`, n), "begins with nothing")
	if got := w.read("out.txt"); got != "other\n" {
		t.Errorf("got %q", got)
	}
	newest := strings.Fields(before)[0] + " complete"
	if after := ", " + w.epochs("p.yaml"); strings.Contains(after, ", "+newest) {
		t.Errorf("there were %s and are %s", before, after)
	}
}

func TestARunBeginsWithOtherCheckpoints(t *testing.T) {
	w := newLasting(t)
	w.runs(0)
	first := strings.Fields(w.epochs("p.yaml"))[0]
	if err := os.CopyFS("backup", os.DirFS("ckpt")); err != nil {
		t.Fatal(err)
	}
	w.write("in2.txt", "four\n")
	w.runs(0)
	contains(t, w.runs(0, "--from", first), `"epoch":`+first+`,`, "goes on from a checkpoint")
	if got := w.read("out.txt"); got != "one\ntwo\nthree\nfour\n" {
		t.Errorf("after an older one there is %q", got)
	}

	renamed := strings.NewReplacer("name: p", "name: q", "out.txt", "q.txt").Replace(lasting)
	for _, from := range []string{"file://./backup?pipeline=p", "file://./backup?pipeline=p#" + first} {
		w.write("p.yaml", renamed)
		text := w.runs(0, "--from", from)
		contains(t, text, "goes on from a checkpoint", `"epoch":`+first+`,`)
		if got := w.read("q.txt"); got != "four\n" {
			t.Errorf("from %s there is %q", from, got)
		}
		if err := os.RemoveAll("ckpt/q"); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove("q.txt"); err != nil {
			t.Fatal(err)
		}
	}
	w.write("p.yaml", strings.Replace(lasting, "file://./ckpt", "file://./new", 1))
	if err := os.Remove("out.txt"); err != nil {
		t.Fatal(err)
	}
	w.write("out.txt", "one\ntwo\nthree\n")
	contains(t, w.runs(0, "--from", "file://./backup"), `"epoch":`+first+`,`)
	if got := w.epochs("p.yaml"); !strings.Contains(got, "complete") {
		t.Errorf("its own are %s", got)
	}
	if got := w.epochs("--storage", "file://./backup", "--pipeline", "p"); !strings.HasPrefix(got, first+" ") {
		t.Errorf("the others are %s", got)
	}
}

func TestStartsThatMakeNoSense(t *testing.T) {
	w := newLasting(t)
	w.runs(0)
	w.write("plain.yaml", plain)
	w.write("q.yaml", strings.Replace(lasting, "name: p", "name: q", 1))
	w.write("pipelines/a.yaml", lasting)
	w.write("pipelines/b.yaml", strings.NewReplacer("name: p", "name: q", "out.txt", "q.txt").Replace(lasting))
	before := w.epochs("p.yaml")
	for args, says := range map[string]string{
		"p.yaml --from 1 --fresh":                       "choose one",
		"p.yaml --fresh --allow-dropped-state":          "--fresh restores nothing",
		"p.yaml --yes":                                  "goes with --fresh only",
		"p.yaml q.yaml --from 1":                        "name one",
		"--from 1":                                      "name one",
		"plain.yaml --from 1":                           "plain.yaml:1:1 (checkpoint): pipeline p has no checkpoints, so --from has no meaning",
		"plain.yaml --fresh --yes":                      "so --fresh has no meaning",
		"plain.yaml --allow-dropped-state":              "so --allow-dropped-state has no meaning",
		"p.yaml --from 0":                               `"0" is not an epoch`,
		"p.yaml --from=":                                "is no epoch, such as 42, and no storage",
		"p.yaml --from last":                            "is no epoch, such as 42, and no storage",
		"p.yaml --from 99":                              "no checkpoint with epoch 99",
		"p.yaml --from gs://x":                          "--from: there is no storage of kind",
		"p.yaml --from file://./ckpt#":                  "is not an epoch",
		"p.yaml --from file://./ckpt#99":                "--from: pipeline p has no checkpoint with epoch 99",
		"p.yaml --from file://./none":                   "there is no such folder",
		"p.yaml --from file://./ckpt?pipeline=r":        "there is only p",
		"p.yaml --from file://./ckpt?pipeline=../p":     "is not the name of a pipeline",
		"p.yaml --from file://./ckpt?pipeline=":         "instead of pipeline=NAME",
		"p.yaml --from file://./ckpt?name=p#1":          "instead of pipeline=NAME",
		"p.yaml --from s3://AKIA:hunter2@bucket/prefix": "--from: ",
	} {
		exit, out, text := w.wasmill(append([]string{"run"}, strings.Fields(args)...)...)
		if exit != 2 || out != "" || strings.Contains(text, "hunter2") {
			t.Errorf("%s: exit %d: %s%s", args, exit, out, text)
		}
		contains(t, text, says, "[usage]", "fix: ")
	}
	if after := w.epochs("p.yaml"); after != before {
		t.Errorf("there were %s and are %s", before, after)
	}
}

func TestWhatDoesNotFitIsDroppedOnlyIfAllowed(t *testing.T) {
	w := newWorkshop(t)
	counting := `name: p
vertices:
  - {name: in, source: {file: {path: 'in*.txt'}}}
  - {name: n, aggregate: count, window: {global: true}, key: {key: true}}
  - {name: out, sink: {file: {path: out.txt}}}
  - {name: copy, sink: {file: {path: copy.txt}}}
edges: [{from: in, to: n}, {from: n, to: out}, {from: in, to: copy}]
checkpoint: {storage: file://./ckpt, interval: 50ms}
`
	w.write("p.yaml", endless(counting))
	c, text := w.process("run", "p.yaml")
	w.committed("ckpt", 2)
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait()
	exit, out, errs := w.wasmill("checkpoint", "restore", "p.yaml")
	if exit != 0 {
		t.Fatalf("exit %d: %s%s%s", exit, out, errs, text)
	}
	contains(t, out, "VERTEX  FITS", "in      yes   position record ", "of p fits and is whole")

	other := strings.NewReplacer("{global: true}", "{fixed: 1h}", "{name: copy, s", "{name: more, s", "to: copy", "to: more").Replace(endless(counting))
	w.write("p.yaml", strings.Replace(other, "rate: 2000", "count: 50000", 1))
	listed := w.epochs("p.yaml")
	exit, out, errs = w.wasmill("checkpoint", "restore", "p.yaml")
	if exit != 2 {
		t.Errorf("exit %d: %s%s", exit, out, errs)
	}
	contains(t, out, "n       NO ", "its state was of count by key", "which drops", "entries of state", "copy    yes   output to commit", "more    yes   -", "it is not in the checkpoint")
	contains(t, errs, "[checkpoint-unfit]", "--allow-dropped-state")
	var got struct {
		OK      bool
		Restore control.CheckpointFit
	}
	if exit := w.asJSON(&got, "checkpoint", "restore", "p.yaml"); exit != 2 || got.OK || got.Restore.Fits || len(got.Restore.Vertices) != 5 {
		t.Errorf("exit %d: %+v", exit, got)
	}
	for _, v := range got.Restore.Vertices {
		if v.Fits == (v.Vertex == "n") || v.Vertex == "n" && v.Entries == 0 {
			t.Errorf("%+v", v)
		}
	}
	if after := w.epochs("p.yaml"); after != listed {
		t.Errorf("looking has made %s of %s", after, listed)
	}
	contains(t, w.runs(2), "[checkpoint-unfit]", "--allow-dropped-state", "--fresh")
	lines := w.runs(0, "--allow-dropped-state")
	contains(t, lines, `"level":"WARN","msg":"a part of the checkpoint is dropped","pipeline":"p","what":"n: `, `"level":"INFO","msg":"not as in the checkpoint, but it fits","pipeline":"p","what":"more: `)
}

func TestARestoreOfADamagedCheckpoint(t *testing.T) {
	w := newCheckpoints(t)
	if err := os.Remove(w.objects("p/gen-*/*3/data-*")[0]); err != nil {
		t.Fatal(err)
	}
	exit, out, text := w.wasmill("checkpoint", "restore", "pipelines/p.yaml")
	if exit != 3 {
		t.Errorf("exit %d: %s%s", exit, out, text)
	}
	contains(t, out, "damaged: p/gen-")
	contains(t, text, "[checkpoint-damaged]", "epoch 3 of p cannot be restored")
	var got struct{ Restore control.CheckpointFit }
	if exit := w.asJSON(&got, "checkpoint", "restore", "pipelines/p.yaml", "3"); exit != 3 || len(got.Restore.Problems) == 0 {
		t.Errorf("exit %d: %+v", exit, got)
	}
	for args, says := range map[string]string{
		"":                              "name a pipeline file",
		"3":                             "before the epoch",
		"pipelines/p.yaml 9":            "no checkpoint with epoch 9",
		"pipelines/p.yaml 1 2":          "too many",
		"pipelines/p.yaml --pipeline p": "--pipeline names one in --storage",
		"pipelines/p.yaml --storage file://./none": "there is no such folder",
	} {
		if exit, _, text := w.wasmill(append([]string{"checkpoint", "restore"}, strings.Fields(args)...)...); exit != 2 || !strings.Contains(text, says) {
			t.Errorf("%s: exit %d: %s", args, exit, text)
		}
	}
}

func TestADamagedCheckpointIsToldOf(t *testing.T) {
	w := newLasting(t)
	w.write("p.yaml", strings.Replace(lasting, "50ms", "50ms, retain: 10", 1))
	w.runs(0)
	w.runs(0)
	epochs := strings.Split(w.epochs("p.yaml"), ", ")
	manifests, err := filepath.Glob("ckpt/p/gen-*/*/manifest.json")
	if err != nil || len(manifests) < 2 {
		t.Fatalf("%v, %v", manifests, err)
	}
	if err := os.Remove(manifests[len(manifests)-1]); err != nil {
		t.Fatal(err)
	}
	text := w.runs(0)
	contains(t, text, `"level":"ERROR","msg":"a checkpoint is damaged: it is not restored, an older one may be","pipeline":"p","epoch":`+strings.Fields(epochs[0])[0]+`,`,
		"goes on from a checkpoint", `"epoch":`+strings.Fields(epochs[1])[0]+`,`)
}

func TestARunThatAnotherTakesOverEndsWithItsOwnCode(t *testing.T) {
	w := newLasting(t)
	w.write("p.yaml", endless(lasting))
	c, text := w.process("run", "p.yaml")
	w.committed("ckpt", 1)
	s, err := dir.Open("ckpt")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	other, err := checkpoint.Claim(t.Context(), checkpoint.WriterConfig{Store: s, Pipeline: "p"})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _ = c.Wait(); c.ProcessState.ExitCode() != 4 {
		t.Errorf("exit %d: %s", c.ProcessState.ExitCode(), text)
	}
	contains(t, text.String(), "[checkpoint-fenced]", "another process has taken the pipeline over")
}

// newBucket is a workshop whose endless pipeline has its checkpoints in a bucket.
func newBucket(t *testing.T, settings string) (*workshop, *s3server.Server) {
	server := s3server.Start()
	t.Cleanup(server.Close)
	t.Cleanup(server.Heal)
	w := newWorkshop(t)
	w.write("p.yaml", strings.NewReplacer("file://./ckpt", "s3://"+server.Bucket+"/x", "50ms", settings).Replace(endless(lasting)))
	w.write("wasmill.yaml", fmt.Sprintf("s3: {endpoint: %q, accessKey: {env: TEST_KEY}, secretKey: {env: TEST_SECRET}, requestTimeout: 30s}\n", server.Endpoint()))
	t.Setenv("TEST_KEY", server.AccessKey)
	t.Setenv("TEST_SECRET", server.SecretKey)
	return w, server
}

func TestTooManyFailedCheckpointsEndARunWithTheirOwnCode(t *testing.T) {
	w, server := newBucket(t, "50ms, timeout: 2s, tolerableFailures: 1")
	c, text := w.process("run", "p.yaml")
	w.waitFor("out.txt")
	server.Break("PUT", "manifest", 0, s3server.Fault{Hang: true}) // so that what fails is the upload
	if _ = c.Wait(); c.ProcessState.ExitCode() != 3 {
		t.Errorf("exit %d: %s", c.ProcessState.ExitCode(), text)
	}
	contains(t, text.String(), "[checkpoint-failed]", "2 checkpoints in a row failed, where 1 may", `"level":"WARN","msg":"a checkpoint failed","pipeline":"p","epoch":`, "not published within 2s", "the run ended early: the next one goes on from the last checkpoint")
}

func TestAStuckEndNamesItsCheckpoint(t *testing.T) {
	w, server := newBucket(t, "50ms")
	c, text := w.process("run", "p.yaml", "--set", "shutdown.grace=300ms")
	w.waitFor("out.txt")
	server.Break("PUT", "", 0, s3server.Fault{Hang: true})
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if _ = c.Wait(); c.ProcessState.ExitCode() != 3 {
		t.Errorf("exit %d: %s", c.ProcessState.ExitCode(), text)
	}
	contains(t, text.String(), "[drain-timeout]")
	if !regexp.MustCompile(`300ms: (.*; )?checkpoint \d+ \(\w+\) is (publishing|committing) for \d+(\.\d+)? s`).MatchString(text.String()) {
		t.Error(text)
	}
}

func TestValidateTellsHowOftenASinkShowsARecord(t *testing.T) {
	w := newWorkshop(t)
	w.write("p.yaml", `name: p
vertices:
  - {name: in, source: stdin}
  - {name: a, sink: {file: {path: out.txt}}}
  - {name: b, sink: {file: {path: /dev/null}}}
  - {name: c, sink: stdout}
  - {name: d, sink: drop}
edges: [{from: in, to: a}, {from: in, to: b}, {from: in, to: c}, {from: in, to: d}]
checkpoint: {storage: file://./ckpt}
`)
	exit, out, text := w.wasmill("validate", "p.yaml")
	if exit != 0 {
		t.Fatalf("exit %d: %s", exit, text)
	}
	contains(t, out, "  sink a (file) is exactly-once: ", "  sink b (file) is at-least-once: ", "  sink c (stdout) is at-least-once: ", "source in (stdin) cannot be read again", "graph or restart is fixed, as standard input")
	if strings.Contains(out, "sink d") {
		t.Errorf("got %s", out)
	}
	var got struct {
		Pipelines []struct {
			Sinks []control.SinkGuarantee
			Lost  []string
			Fixed []string
		}
	}
	w.asJSON(&got, "validate", "p.yaml")
	if s := got.Pipelines[0].Sinks; len(s) != 3 || s[0] != (control.SinkGuarantee{Sink: "a", Kind: "file", Guarantee: control.ExactlyOnce}) || s[1].Guarantee != control.AtLeastOnce || len(got.Pipelines[0].Lost) != 1 || len(got.Pipelines[0].Fixed) != 1 {
		t.Errorf("got %+v", got)
	}
	if entries, err := os.ReadDir("."); err != nil || strings.Contains(fmt.Sprint(entries), "ckpt") {
		t.Errorf("it has made %v, %v", entries, err)
	}
	file := w.read("p.yaml")
	w.write("p.yaml", strings.Replace(file, "source: stdin", "source: {generator: {count: 1}}", 1))
	if _, out, _ := w.wasmill("validate", "p.yaml"); !strings.Contains(out, "all can change but name, checkpoint, checkpoint.storage\n") {
		t.Errorf("with a generator: %s", out)
	}
	w.write("p.yaml", strings.Replace(file, "checkpoint:", "#", 1))
	if _, out, _ := w.wasmill("validate", "p.yaml"); strings.Contains(out, "-once") || strings.Contains(out, "again") || !strings.Contains(out, "as there is no checkpoint") {
		t.Errorf("without checkpoints: %s", out)
	}
}
