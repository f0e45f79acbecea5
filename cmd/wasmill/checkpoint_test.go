package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/checkpoint/dir"
	"github.com/wasmill/wasmill/checkpoint/s3"
	"github.com/wasmill/wasmill/checkpoint/storetest/s3server"
	"github.com/wasmill/wasmill/host/control"
	"github.com/wasmill/wasmill/host/stream"
)

const checkpointed = `name: p
vertices:
  - {name: in, source: stdin}
  - {name: out, sink: drop}
edges:
  - {from: in, to: out}
checkpoint: {storage: file://./kept}
`

// folder is where the checkpoints of a workshop's pipelines/p.yaml are.
const folder = "pipelines/kept"

// newCheckpoints is a workshop whose pipeline has epochs 1 to 3, of which the last is
// not committed. Each has a full table of its own, and deltas to one of epoch 1.
func newCheckpoints(t *testing.T) *workshop {
	w := newWorkshop(t)
	w.write("pipelines/p.yaml", checkpointed)
	s, err := dir.Open(filepath.Join(w.dir, folder))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w.publish(s, "p")
	return w
}

// publish writes the three checkpoints.
func (w *workshop) publish(s checkpoint.Store, pipeline string) {
	w.Helper()
	ctx := w.Context()
	writer, err := checkpoint.Claim(ctx, checkpoint.WriterConfig{Store: s, Pipeline: pipeline, Wasmill: "1.2.3"})
	if err != nil {
		w.Fatal(err)
	}
	defer writer.Close()
	for e := stream.Epoch(1); e <= 3; e++ {
		large := func(name string) []byte {
			var text []byte
			for i := range 4000 { // that does not fit into the manifest
				text = fmt.Appendf(text, "%s %d %d\n", name, e, i*i*7919)
			}
			return text
		}
		snapshots := []checkpoint.Snapshot{
			{Vertex: "in", Since: e - 1, Meta: fmt.Appendf(nil, `{"position":{"line":%d},"plugin":{"name":"x","sha256":"abc%d"}}`, e*100, e)},
			{Vertex: "out", Since: e - 1, Commit: []byte("rename"), Parts: []checkpoint.Part{
				{Table: "own", To: 4, Full: true, Entries: 40, Data: large("own")},
				{Table: "all", To: 8, Full: e == 1, Entries: 2, Data: large("all")},
			}},
		}
		info := checkpoint.Info{Reason: checkpoint.ReasonInterval, Config: checkpoint.Config{Revision: 5, Interval: checkpoint.Span(10 * time.Second)}}
		if _, err := writer.Write(ctx, e, info, snapshots); err != nil {
			w.Fatal(err)
		}
		if e < 3 {
			if err := writer.MarkCommitted(ctx, e); err != nil {
				w.Fatal(err)
			}
		}
	}
}

// objects returns the paths of the data objects below the folder, in order.
func (w *workshop) objects(pattern string) []string {
	w.Helper()
	paths, err := filepath.Glob(filepath.Join(w.dir, folder, pattern))
	if err != nil {
		w.Fatal(err)
	}
	return paths
}

// asJSON runs a command with --json and reads what it prints.
func (w *workshop) asJSON(into any, args ...string) (exit int) {
	w.Helper()
	exit, out, text := w.wasmill(append(args, "--json")...)
	if err := json.Unmarshal([]byte(out), into); err != nil {
		w.Fatalf("%v: exit %d, %v: %s%s", args, exit, err, out, text)
	}
	return exit
}

// epochs lists those of a pipeline with their states.
func (w *workshop) epochs(args ...string) string {
	w.Helper()
	var list struct{ Checkpoints []control.CheckpointEntry }
	if exit := w.asJSON(&list, append([]string{"checkpoint", "list"}, args...)...); exit != 0 {
		w.Fatalf("exit %d", exit)
	}
	var all []string
	for _, e := range list.Checkpoints {
		all = append(all, fmt.Sprint(e.Epoch, " ", e.State))
	}
	return strings.Join(all, ", ")
}

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q is not in:\n%s", p, text)
		}
	}
}

func TestCheckpointsAreListed(t *testing.T) {
	w := newCheckpoints(t)
	exit, out, text := w.wasmill("checkpoint", "list", "pipelines/p.yaml")
	lines := strings.Split(out, "\n")
	if exit != 0 || len(lines) != 5 {
		t.Fatalf("exit %d: %s%s", exit, out, text)
	}
	if got := strings.Fields(lines[0]); !slices.Equal(got, []string{"EPOCH", "STATE", "AGE", "NEW", "TOTAL", "VERTICES", "INTERVAL", "REVISION"}) {
		t.Errorf("heads %v", got)
	}
	if f := strings.Fields(lines[1]); len(f) != 10 || f[0] != "3" || f[1] != "committing" || f[4] != "KiB" || f[7] != "2" || f[8] != "10s" || f[9] != "5" {
		t.Errorf("newest %q", f)
	}
	var list struct {
		OK                bool
		Pipeline, Storage string
		Checkpoints       []control.CheckpointEntry
	}
	w.asJSON(&list, "checkpoint", "list", "--storage", "file://./"+folder, "--pipeline", "p")
	if !list.OK || list.Pipeline != "p" || list.Storage != "file://./"+folder || len(list.Checkpoints) != 3 {
		t.Fatalf("got %+v", list)
	}
	one := list.Checkpoints[1]
	if age := time.Since(one.Created); one.Epoch != 2 || one.State != checkpoint.Complete || age < 0 || age > time.Hour || one.NewBytes < 100_000 || one.TotalBytes < 3*one.NewBytes/2 || one.Revision != 5 || one.Generation != 1 {
		t.Errorf("got %+v", one)
	}
}

func TestTheGoldenCheckpointIsShown(t *testing.T) {
	w := newWorkshop(t)
	_, file, _, _ := runtime.Caller(0)
	if err := os.CopyFS("golden", os.DirFS(filepath.Join(filepath.Dir(file), "../../checkpoint/testdata/golden-1"))); err != nil {
		t.Fatal(err)
	}
	at := []string{"--storage", "file://./golden", "--pipeline", "p"}
	if got := w.epochs(at...); got != "3 committing, 2 complete, 1 complete" {
		t.Errorf("got %s", got)
	}
	exit, out, text := w.wasmill(append([]string{"checkpoint", "show", "2"}, at...)...)
	if exit != 0 {
		t.Fatalf("exit %d: %s", exit, text)
	}
	contains(t, out, "2, complete", "by wasmill test, generation 1", "dirty; interval 10s (adaptive), config revision 7", "1ms to align", "4.891 KiB new (4.906 KiB stored), 21.5 KiB in all, in 2 objects", "builds on  1",
		"position 200", "plugin parse-log", "table state: 2 parts, 1 full, 2 entries, 13 B, groups 0 to 7, of epochs 1 to 2", "table log: 1 part, 0 full, 1 entry, 4.883 KiB, groups 0 to 0, of epoch 2", "8 bytes for its sink to commit")
	if exit, out, text := w.wasmill(append([]string{"checkpoint", "verify"}, at...)...); exit != 0 || out != "epoch 3 of p is whole: 2 objects, 9.839 KiB\n" {
		t.Errorf("exit %d: %s%s", exit, out, text)
	}
	exit, out, text = w.wasmill(append([]string{"checkpoint", "diff", "1", "3"}, at...)...)
	if exit != 0 {
		t.Fatalf("exit %d: %s", exit, text)
	}
	contains(t, out, "ONLY IN 1", "3 parts, 4.897 KiB", "2 parts, 16.61 KiB", "position: 100 → 300")
}

func TestShowTellsWhereASourceIs(t *testing.T) {
	w := newCheckpoints(t)
	exit, out, text := w.wasmill("checkpoint", "show", "pipelines/p.yaml", "2")
	if exit != 0 {
		t.Fatalf("exit %d: %s", exit, text)
	}
	contains(t, out, "position stdin:200\n", `plugin {"name":"x","sha256":"abc2"}`, "table all: 2 parts, 1 full, 4 entries", "6 bytes for its sink to commit")
	var got struct{ Checkpoint control.CheckpointDetail }
	w.asJSON(&got, "checkpoint", "show", "pipelines/p.yaml")
	d := got.Checkpoint
	if d.Epoch != 3 || d.State != checkpoint.Committing || d.Parent != 2 || d.Objects == 0 || len(d.Holds) != 2 || d.Holds[0].Position != "stdin:300" || len(d.Holds[1].Tables) != 2 {
		t.Fatalf("got %+v", d)
	}
	i := slices.IndexFunc(d.Holds[1].Tables, func(t control.TableHolding) bool { return t.Table == "all" })
	if all := d.Holds[1].Tables[i]; len(all.Parts) != 3 || !all.Parts[0].Full || all.Parts[2].Full || all.Parts[2].Epoch != 3 || all.Entries != 6 || all.Parts[1].To != 8 {
		t.Errorf("got %+v", all)
	}
	if _, out, _ := w.wasmill("checkpoint", "show", "2", "--storage", "file://./"+folder, "--pipeline", "p"); !strings.Contains(out, `position {"line":200}`) {
		t.Errorf("without a pipeline file: %s", out)
	}
}

func TestVerifyFindsDamage(t *testing.T) {
	w := newCheckpoints(t)
	harm := w.objects("p/gen-*/*1/data-*")[0]
	data, err := os.ReadFile(harm)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(harm, data, 0o600); err != nil {
		t.Fatal(err)
	}
	exit, out, text := w.wasmill("checkpoint", "verify", "pipelines/p.yaml", "2")
	if exit != stream.ExitEnvironment {
		t.Errorf("exit %d: %s", exit, text)
	}
	contains(t, out, "damaged: p/gen-00000000000000000001/00000000000000000001/data-", "the object has the sum")
	contains(t, text, "[checkpoint-damaged]", "epoch 2 of p cannot be restored: it has 1 damaged object", "fix: ")
	var got struct {
		OK       bool
		Verified control.Verification
	}
	if exit := w.asJSON(&got, "checkpoint", "verify", "pipelines/p.yaml", "1"); exit != stream.ExitEnvironment || got.OK || got.Verified.Epoch != 1 || len(got.Verified.Problems) != 1 || got.Verified.Problems[0].Why == "" {
		t.Errorf("exit %d: %+v", exit, got)
	}
	if err := os.Remove(harm); err != nil {
		t.Fatal(err)
	}
	if got := w.epochs("pipelines/p.yaml"); got != "3 damaged, 2 damaged, 1 damaged" {
		t.Errorf("got %s", got)
	}
	exit, out, text = w.wasmill("checkpoint", "list", "pipelines/p.yaml")
	if exit != 0 {
		t.Errorf("exit %d: %s", exit, text)
	}
	contains(t, out, "epoch 1 is damaged: p/gen-", "the object is gone")
	for _, args := range [][]string{{"show", "pipelines/p.yaml", "3"}, {"diff", "pipelines/p.yaml", "1", "2"}, {"verify", "pipelines/p.yaml", "3"}} {
		if exit, _, text := w.wasmill(append([]string{"checkpoint"}, args...)...); exit != stream.ExitEnvironment || !strings.Contains(text, "[checkpoint-damaged]") || !strings.Contains(text, "fix: ") {
			t.Errorf("%v: exit %d: %s", args, exit, text)
		}
	}
}

func TestReadingShowsBytesPercentAndRate(t *testing.T) {
	if got := readingLine(3<<20, 12<<20, 2*time.Second); got != "read 3 MiB of 12 MiB, 25 %, 1.5 MiB/s" {
		t.Error(got)
	}
	if got := readingLine(0, 0, 0); got != "read 0 B of 0 B, 100 %, 0 B/s" {
		t.Error(got)
	}
}

func TestDeleteAsks(t *testing.T) {
	w := newCheckpoints(t)
	answer := func(in string) (int, string, string) {
		var out, text bytes.Buffer
		exit := run(context.Background(), []string{"checkpoint", "delete", "pipelines/p.yaml", "1"}, stdio{strings.NewReader(in), &out, &text})
		return exit, out.String(), text.String()
	}
	for _, in := range []string{"", "n\n", "\n", "yesno\n"} {
		if exit, _, text := answer(in); exit != 2 || !strings.Contains(text, "delete epoch 1 of p in file://./kept? [y/N]") || !strings.Contains(text, "nothing is deleted") {
			t.Errorf("%q: exit %d: %s", in, exit, text)
		}
	}
	if exit, _, _ := w.wasmill("checkpoint", "delete", "pipelines/p.yaml", "1", "--json"); exit != 2 {
		t.Errorf("--json without --yes: exit %d", exit)
	}
	if got := w.epochs("pipelines/p.yaml"); got != "3 committing, 2 complete, 1 complete" {
		t.Errorf("got %s", got)
	}
	exit, out, text := answer("Y\n")
	if exit != 0 || !strings.HasPrefix(out, "deleted epoch 1 of p in file://./kept; ") || !strings.HasSuffix(out, " go when the pipeline next collects\n") {
		t.Errorf("exit %d: %s%s", exit, out, text)
	}
	if got := w.epochs("pipelines/p.yaml"); got != "3 committing, 2 complete" {
		t.Errorf("got %s", got)
	}
}

func TestDeleteLeavesWhatOthersNeed(t *testing.T) {
	w := newCheckpoints(t)
	before := len(w.objects("p/gen-*/*/data-*"))
	if exit, out, text := w.wasmill("checkpoint", "delete", "pipelines/p.yaml", "1", "2", "2", "--yes"); exit != 0 {
		t.Fatalf("exit %d: %s%s", exit, out, text)
	}
	if n := len(w.objects("p/gen-*/*/data-*")); n != before {
		t.Errorf("%d of %d data objects are left, where a running process may need all", n, before)
	}
	if n := len(w.objects("p/committed/*")); n != 0 {
		t.Errorf("%d marks are left", n)
	}
	if exit, out, text := w.wasmill("checkpoint", "verify", "pipelines/p.yaml"); exit != 0 {
		t.Errorf("exit %d: %s%s", exit, out, text)
	}
	exit, _, text := w.wasmill("checkpoint", "delete", "pipelines/p.yaml", "3", "--yes")
	if exit != 2 || !strings.Contains(text, "epoch 3 is the newest") || !strings.Contains(text, "then it starts with nothing") {
		t.Errorf("exit %d: %s", exit, text)
	}
	if got := w.epochs("pipelines/p.yaml"); !strings.HasPrefix(got, "3 committing") {
		t.Errorf("got %s", got)
	}
	exit, out, text := w.wasmill("checkpoint", "delete", "pipelines/p.yaml", "3", "--yes", "--force", "--collect")
	if exit != 0 || !strings.Contains(out, "objects that no other needs") {
		t.Errorf("exit %d: %s%s", exit, out, text)
	}
	if left := w.objects("p/gen-*/*/*"); len(left) != 0 {
		t.Errorf("there are %v", left)
	}
}

func TestDeleteCollectsWhatIsNotNeeded(t *testing.T) {
	w := newCheckpoints(t)
	var got struct {
		Deleted   control.Deletion
		Collected int `json:"collected_objects"`
	}
	if exit := w.asJSON(&got, "checkpoint", "delete", "pipelines/p.yaml", "1", "2", "--yes", "--collect"); exit != 0 || !slices.Equal(got.Deleted.Epochs, []stream.Epoch{2, 1}) || got.Collected < 2 {
		t.Errorf("exit %d: %+v", exit, got)
	}
	if list := w.epochs("pipelines/p.yaml"); list != "3 committing" {
		t.Errorf("got %s", list)
	}
	if exit, out, text := w.wasmill("checkpoint", "verify", "pipelines/p.yaml"); exit != 0 {
		t.Errorf("exit %d: %s%s", exit, out, text)
	}
}

func TestADamagedNewestIsDeletedByForceOnly(t *testing.T) {
	w := newCheckpoints(t)
	if err := os.Remove(w.objects("p/gen-*/*3/manifest.json")[0]); err != nil {
		t.Fatal(err)
	}
	for _, epoch := range []string{"3", "2"} {
		if exit, _, text := w.wasmill("checkpoint", "delete", "pipelines/p.yaml", epoch, "--yes"); exit != 2 || !strings.Contains(text, "--force") {
			t.Errorf("%s: exit %d: %s", epoch, exit, text)
		}
	}
	if exit, _, text := w.wasmill("checkpoint", "delete", "pipelines/p.yaml", "3", "--yes", "--force"); exit != 0 {
		t.Errorf("exit %d: %s", exit, text)
	}
	if got := w.epochs("pipelines/p.yaml"); !strings.HasPrefix(got, "2 complete, 1 complete") && !strings.Contains(got, "3 orphaned, 2 complete, 1 complete") {
		t.Errorf("got %s", got)
	}
}

func TestCheckpointsThatCannotBeLookedAt(t *testing.T) {
	tests := []struct {
		name string
		args string
		exit int
		text []string
	}{
		{"no pipeline", "list", 2, []string{"[usage]", "name a pipeline file, or --storage and --pipeline"}},
		{"half a store", "list --storage file://./x", 2, []string{"[usage]", "go together"}},
		{"an epoch for a file", "show 3", 2, []string{"[usage]", "before the epoch"}},
		{"no such file", "list q.yaml", 2, []string{"[config-file]"}},
		{"a pipeline without checkpoints", "list plain.yaml", 2, []string{"plain.yaml:1:1", "[config-missing]", "add checkpoint:"}},
		{"an unknown epoch", "show pipelines/p.yaml 9", 2, []string{"pipelines/p.yaml:7:23 (checkpoint.storage)", "no checkpoint with epoch 9", "there are 3, 2, 1"}},
		{"an epoch that is too high", "verify pipelines/p.yaml 33", 2, []string{"no checkpoint with epoch 33", "the nearest is 3; there are 3, 2, 1"}},
		{"an unknown epoch to delete", "delete pipelines/p.yaml 1 9 --yes", 2, []string{"no checkpoint with epoch 9"}},
		{"an unknown epoch to compare", "diff pipelines/p.yaml 1 9", 2, []string{"no checkpoint with epoch 9"}},
		{"no number", "show pipelines/p.yaml latest", 2, []string{"[usage]", `"latest" is not an epoch`}},
		{"epoch 0", "show pipelines/p.yaml 0", 2, []string{"[usage]"}},
		{"one to compare", "diff pipelines/p.yaml 1", 2, []string{"[usage]", "name 2 epochs"}},
		{"none to delete", "delete pipelines/p.yaml", 2, []string{"[usage]", "name an epoch"}},
		{"too many", "show pipelines/p.yaml 1 2", 2, []string{"[usage]", "too many"}},
		{"a storage of no kind", "list --storage gs://x --pipeline p", 2, []string{"--storage: ", "[usage]"}},
		{"no name of a pipeline", "list --storage file://./pipelines/kept --pipeline ../p", 2, []string{"not the name of a pipeline"}},
		{"none yet to show", "show --storage file://./none --pipeline p", 2, []string{"pipeline p has no checkpoint yet", "there is no such folder"}},
		{"another name", "verify --storage file://./pipelines/kept --pipeline pp", 2, []string{"pipeline pp has no checkpoint yet", "there is only p"}},
		{"a file for a folder", "list --storage file://./in.txt --pipeline p", 3, []string{"--storage: ", "[store-misconfigured]"}},
		{"an unknown command", "frob", 2, []string{"[usage]", `no command "frob"`}},
	}
	w := newCheckpoints(t)
	w.write("plain.yaml", plain)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			exit, out, text := w.wasmill(append([]string{"checkpoint"}, strings.Fields(test.args)...)...)
			if exit != test.exit || out != "" {
				t.Errorf("exit %d: %s%s", exit, out, text)
			}
			contains(t, text, append(test.text, "fix: ")...)
		})
	}
	if got := w.epochs("pipelines/p.yaml"); got != "3 committing, 2 complete, 1 complete" {
		t.Errorf("got %s", got)
	}
	t.Run("a list of none is no error", func(t *testing.T) {
		exit, out, text := w.wasmill("checkpoint", "list", "--storage", "file://./none", "--pipeline", "p")
		if exit != 0 || !strings.Contains(out, "pipeline p has no checkpoint yet in file://./none: there is no such folder") {
			t.Errorf("exit %d: %s%s", exit, out, text)
		}
		if got := w.epochs("--storage", "file://./none", "--pipeline", "p"); got != "" {
			t.Errorf("got %s", got)
		}
		if _, err := os.Stat("none"); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("looking has made a folder: %v", err)
		}
	})
}

func TestCheckpointsInABucket(t *testing.T) {
	server := s3server.Start()
	defer server.Close()
	server.SecretKey = "hunter2"
	w := newWorkshop(t)
	w.write("p.yaml", strings.Replace(checkpointed, "file://./kept", "s3://"+server.Bucket+"/some/prefix", 1))
	w.write("wasmill.yaml", fmt.Sprintf("s3: {endpoint: %q, accessKey: {env: KEY}, secretKey: {file: secret}}\n", server.Endpoint()))
	w.write("secret", server.SecretKey+"\n")
	t.Setenv("KEY", server.AccessKey)
	s, err := s3.New(s3.Config{Endpoint: server.Endpoint(), Bucket: server.Bucket, Prefix: "some/prefix", Credentials: s3.Credentials{AccessKey: server.AccessKey, SecretKey: server.SecretKey}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w.publish(s, "p")

	if got := w.epochs("p.yaml"); got != "3 committing, 2 complete, 1 complete" {
		t.Errorf("got %s", got)
	}
	if exit, out, text := w.wasmill("checkpoint", "verify", "--storage", "s3://"+server.Bucket+"/some/prefix", "--pipeline", "p"); exit != 0 || !strings.Contains(out, "epoch 3 of p is whole") {
		t.Errorf("exit %d: %s%s", exit, out, text)
	}
	puts := server.Requests("PUT")
	if exit, out, text := w.wasmill("checkpoint", "delete", "p.yaml", "1", "--yes"); exit != 0 {
		t.Errorf("exit %d: %s%s", exit, out, text)
	}
	if got := w.epochs("p.yaml"); got != "3 committing, 2 complete" {
		t.Errorf("got %s", got)
	}
	if n := server.Requests("PUT") - puts; n != 0 {
		t.Errorf("%d objects were put", n)
	}
	harm := fmt.Sprintf("some/prefix/p/gen-%020d/%020d/data-%020d", 1, 3, 0)
	server.SetObject(harm, []byte("x"))
	if exit, out, _ := w.wasmill("checkpoint", "verify", "p.yaml"); exit != 3 || !strings.Contains(out, "damaged: p/gen-") {
		t.Errorf("exit %d: %s", exit, out)
	}

	for name, test := range map[string]struct {
		set  []string
		exit int
		text string
	}{
		"a key that is not known": {[]string{"--set", "s3.accessKey.env=HOME"}, 3, "[store-denied]"},
		"no such secret":          {[]string{"--set", "s3.secretKey={env: NOT_THERE}"}, 2, "the variable NOT_THERE is not set"},
		"a secret on the line":    {[]string{"--set", "s3.secretKey=hunter2"}, 2, "--set s3.secretKey=***"},
		"no store":                {[]string{"--set", "s3.endpoint=127.0.0.1:1", "--set", "s3.requestTimeout=100ms"}, 3, "[store-unavailable]"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, format := range []string{"--json=false", "--json"} {
				exit, out, text := w.wasmill(append([]string{"checkpoint", "list", "p.yaml", format}, test.set...)...)
				if exit != test.exit || strings.Contains(out+text, "hunter2") || strings.Contains(out+text, server.AccessKey) {
					t.Errorf("exit %d: %s%s", exit, out, text)
				}
				if format == "--json=false" {
					contains(t, text, test.text, "fix: ")
				}
				if test.exit == stream.ExitEnvironment {
					contains(t, out+text, "p.yaml:7:23 (checkpoint.storage): s3://")
					break // it is tried for a while
				}
			}
		})
	}
}
