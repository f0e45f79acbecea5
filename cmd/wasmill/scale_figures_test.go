package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestScaleFigures measures what a process at rest takes, and how long instances take to
// begin; make bench-scale runs it, with bin/wasmill. It fails only where something cannot
// be measured.
func TestScaleFigures(t *testing.T) {
	if os.Getenv("FIGURES") == "" {
		t.Skip("measures for a minute: run make bench-scale")
	}
	t.Run("idle", idleFigures)
	t.Run("create_ready", createFigures)
	t.Run("resume_first_record", resumeFigures)
}

// measured is a folder in which the binary is run, with the plugins of this repository.
type measured struct {
	*background
	binary string
}

func newMeasured(t *testing.T, plugins ...string) *measured {
	t.Helper()
	binary, err := filepath.Abs("../../bin/wasmill")
	if err != nil {
		t.Fatal(err)
	}
	var contents []string
	for _, name := range plugins {
		content, err := os.ReadFile("../../plugins/" + name + ".wasm")
		if err != nil {
			t.Fatal(err)
		}
		contents = append(contents, string(content))
	}
	m := &measured{newBackground(t), binary}
	for i, name := range plugins {
		m.write("plugins/"+name+".wasm", contents[i])
	}
	return m
}

// ran runs the binary until its end, and returns how long that took.
func (m *measured) ran(args ...string) time.Duration {
	m.Helper()
	began := time.Now()
	if text, err := exec.Command(m.binary, args...).CombinedOutput(); err != nil {
		m.Fatalf("%v: %v: %s", args, err, text)
	}
	return time.Since(began)
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

// idleFigures has a C and a Go guest that are scaled to zero, in a process that reads a
// file which does not grow, and takes checkpoints.
func idleFigures(t *testing.T) {
	m := newMeasured(t, "identity", "identity-go")
	m.write("p.yaml", `name: p
checkpoint: {storage: file://./ckpt}
vertices:
  - {name: in, source: {file: {path: in.txt, follow: true}}}
  - {name: c, udf: {plugin: identity}, `+swift+`}
  - {name: go, udf: {plugin: identity-go}, `+swift+`}
  - {name: out, sink: {file: {path: out.txt}}}
edges: [{from: in, to: c}, {from: c, to: go}, {from: go, to: out}]
`)
	log, err := os.Create("log")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	m.ran("plugin", "inspect", "plugins/identity-go.wasm") // so that it is in the cache
	c := exec.Command(m.binary, "run", "p.yaml")
	c.Stderr = log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = c.Process.Signal(syscall.SIGTERM), c.Wait() }()
	m.until("both at rest", func() bool { return strings.Count(m.read("log"), `"to":0,`) == 2 })
	const span = 10 * time.Second
	time.Sleep(span)
	before, began := m.worked(c.Process.Pid), time.Now()
	time.Sleep(span)
	took := m.worked(c.Process.Pid) - before
	now, _ := m.resident(c.Process.Pid)
	fmt.Printf("figure idle_rss %.3g MiB\n", float64(now)/(1<<20))
	fmt.Printf("figure idle_cpu %.3g %%\n", 100*took.Seconds()/time.Since(began).Seconds())
}

// worked is the time of processors that a process has had.
func (m *measured) worked(pid int) time.Duration {
	m.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid))
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(tasks) == 0 {
		m.Fatalf("%v, %s", err, text)
	}
	all := time.Duration(0)
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if err != nil {
			continue // it has ended
		}
		ns, err := strconv.ParseInt(strings.Fields(string(text))[0], 10, 64)
		if err != nil {
			m.Fatal(err)
		}
		all += time.Duration(ns)
	}
	return all
}

// createFigures creates instances of a pipeline with a Go guest that was compiled before.
func createFigures(t *testing.T) {
	m := newMeasured(t, "parse-log")
	m.write("access.log", `127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 2326 "-" "-"`+"\n")
	m.write("p.yaml", `name: p
vertices:
  - {name: lines, source: {file: {path: access.log, follow: true}}}
  - {name: parse, udf: {plugin: parse-log, params: {format: combined}}, concurrency: 4, order: input}
  - {name: ok, sink: {file: {path: ok.ndjson}}}
  - {name: errors, sink: {file: {path: errors.ndjson}}}
  - {name: malformed, sink: {file: {path: malformed.log}}}
edges:
  - {from: lines, to: parse}
  - {from: parse, to: ok, when: {tags: [ok]}}
  - {from: parse, to: errors, when: {tags: [error]}}
  - {from: parse, to: malformed, when: {tags: [malformed]}}
`)
	took := make([]time.Duration, 21)
	for i := range took {
		took[i] = m.ran("create", "a", "-f", "p.yaml", "--wait")
		m.ran("shutdown", "a")
		m.ran("delete", "a", "--yes")
	}
	took = took[1:] // it was compiled in the first
	fmt.Printf("figure create_ready %.4g ms\n", float64(median(took).Microseconds())/1e3)
}

// resumeFigures resumes an instance that remembers a count of a million keys of 92 bytes,
// which with the counts are 100 MB.
func resumeFigures(t *testing.T) {
	m := newMeasured(t)
	const keys = 1_000_000
	f, err := os.Create("in.txt")
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	for n := range keys {
		fmt.Fprintf(w, "{\"k\":\"%092d\"}\n", n)
	}
	if err := w.Flush(); err != nil || f.Close() != nil {
		t.Fatal(err)
	}
	m.write("p.yaml", `name: p
checkpoint: {storage: file://./ckpt, interval: 20ms}
vertices:
  - {name: in, source: {file: {path: in.txt, follow: true}}}
  - {name: count, aggregate: count, key: {json: k}, window: {global: true}, state: {maxBytes: 1GiB}}
  - {name: results, sink: drop}
  - {name: out, sink: {file: {path: out.txt}}}
edges: [{from: in, to: count}, {from: count, to: results}, {from: in, to: out}]
`)
	m.ran("create", "a", "-f", "p.yaml")
	m.until("all records", func() bool {
		var answer struct {
			Pipelines []struct {
				Vertices []struct {
					RecordsIn uint64 `json:"records_in"`
				}
			}
		}
		return m.asJSON(&answer, "status", "a") == 0 && len(answer.Pipelines) == 1 && len(answer.Pipelines[0].Vertices) == 4 && answer.Pipelines[0].Vertices[1].RecordsIn == keys
	})
	m.ran("shutdown", "a")
	took := make([]time.Duration, 7)
	for i := range took {
		before := m.size("out.txt")
		m.append("in.txt", "{\"k\":\"new\"}\n")
		began := time.Now()
		c := exec.Command(m.binary, "resume", "a")
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		for m.size("out.txt") == before {
			if time.Sleep(time.Millisecond); time.Since(began) > time.Minute {
				t.Fatalf("no record comes: %s", m.read("home/a/log"))
			}
		}
		took[i] = time.Since(began)
		if err := c.Wait(); err != nil {
			t.Fatal(err)
		}
		m.ran("shutdown", "a")
	}
	fmt.Printf("figure resume_first_record %.4g ms\n", float64(median(took).Microseconds())/1e3)
}

func (m *measured) size(name string) int64 {
	m.Helper()
	info, err := os.Stat(name)
	if err != nil {
		m.Fatal(err)
	}
	return info.Size()
}
