package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
)

// bomb is a guest that takes all the memory and all the table elements that it
// gets, writes to every byte, and says nothing. data is the size of its data
// segment, in bytes.
func bomb(data int) []byte {
	op, c, i32 := abitest.Op, abitest.Const, []byte{abitest.I32}
	until := func(grow ...[]byte) []byte { // grow until it fails
		return slices.Concat(abitest.Loop(), slices.Concat(grow...), c(0), op(0x4e), abitest.BrIf(0), op(abitest.End))
	}
	a := &abitest.Asm{}
	a.Memory(uint32(data>>16) + 34)
	a.Data(64, []byte(`{"name":"bomb","kind":"map"}`))
	a.Data(34<<16, bytes.Repeat([]byte{1}, data))
	a.Func(abi.ExportMarker, nil, nil, nil)
	a.Func(abi.ExportDescribe, nil, []byte{abitest.I64}, nil, abitest.Const64(64<<32|28))
	a.Func(abi.ExportInput, i32, i32, nil, c(1<<16))
	a.Table(0)
	a.Func(abi.ExportProcess, i32, i32, nil,
		until(c(1), abitest.MemoryGrow()),
		until(op(0xd0, 0x70), c(1000), op(0xfc, 15, 0)), // table.grow by null
		c(1<<16), c(1), op(0x3f, 0), c(1<<16), op(0x6c), c(-1<<16), op(abitest.Add), abitest.MemoryFill(), // from page 1 to memory.size
		c(8))
	return a.Bytes()
}

// TestBombsStayWithinTheBudget is W2: as many instances as the budget allows, at
// their limit of memory and of table elements, in a process of its own. A plugin
// with a huge data segment leaves room for one instance less.
func TestBombsStayWithinTheBudget(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	const budget = 512 << 20
	program := filepath.Join(t.TempDir(), "wasmill") // this one may be larger, for the race detector
	if text, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	for _, tt := range []struct {
		name            string
		data, instances int
	}{{"memory and table", 0, 8}, {"a huge data segment", 48 << 20, 7}} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorkshop(t)
			w.write("plugins/bomb.wasm", string(bomb(tt.data)))
			w.write("p.yaml", strings.NewReplacer("{file: {path: in.txt}}", "{generator: {count: 100, size: 10}}", "{file: {path: out.txt}}", "drop",
				"plugin: identity", "plugin: bomb", "order: input", "batch: {maxRecords: 1}").Replace(plain))
			run := func(instances int) *exec.Cmd {
				return exec.CommandContext(t.Context(), program, "run", "p.yaml", "--set", "memory.budget=512MiB", // eight times 64 MiB
					"--set", fmt.Sprintf("vertices.f.concurrency=%d", instances))
			}
			if text, err := run(tt.instances + 1).CombinedOutput(); err == nil || !strings.Contains(string(text), "the budget is 512 MiB") {
				t.Errorf("with one instance more: %v, %s", err, text)
			}
			c := run(tt.instances)
			var text bytes.Buffer
			c.Stderr = &text
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			peak := make(chan int64)
			go func() { peak <- mostResident(c.Process.Pid) }()
			err := c.Wait()
			rss := <-peak
			if err != nil {
				t.Fatalf("%v: %s", err, &text)
			}
			t.Logf("%d MiB resident at most", rss>>20)
			if rss > budget/10*11 {
				t.Errorf("%d MiB resident, more than the budget and 10 %%", rss>>20)
			}
			if rss < budget/10*8 {
				t.Errorf("%d MiB resident: the bombs did not go off", rss>>20)
			}
		})
	}
}

// mostResident watches a process until it ends, and returns the most memory that
// it had resident, in bytes. What getrusage says counts the process that
// started it too.
func mostResident(pid int) (most int64) {
	for {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		_, rest, found := strings.Cut(string(status), "VmHWM:")
		var kib int64
		if _, serr := fmt.Sscan(rest, &kib); err != nil || !found || serr != nil {
			return most // it has ended
		}
		most = max(most, kib<<10)
		time.Sleep(2 * time.Millisecond)
	}
}
