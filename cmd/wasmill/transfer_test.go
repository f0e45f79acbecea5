package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/stream"
)

func TestASlowTransferIsShown(t *testing.T) {
	const mib = 1 << 20
	tests := []struct {
		name string
		note func(e stream.Events, done, total int64)
		end  func(e stream.Events)
		line string
		log  string
	}{
		{
			"of a restore", func(e stream.Events, done, total int64) { e.Restoring(done, total) },
			func(e stream.Events) { e.Restored(stream.Restoration{}) },
			"restore: 312 MiB of 1.1 GiB, 27 %, 30 MiB/s", `"msg":"restore under way","pipeline":"p","bytes":327155712,"of":1181116006,"percent":27,"bytes_per_second":31457280}`,
		},
		{
			"of an upload", func(e stream.Events, done, total int64) { e.Uploading(42, done, total) },
			func(e stream.Events) { e.CheckpointDone(stream.CheckpointReport{Epoch: 42}) },
			"checkpoint 42: 312 MiB of 1.1 GiB, 27 %, 30 MiB/s", `"msg":"checkpoint 42 under way","pipeline":"p","bytes":327155712,"of":1181116006,"percent":27,`,
		},
		{
			"of one that fails", func(e stream.Events, done, total int64) { e.Uploading(42, done, total) },
			func(e stream.Events) { e.CheckpointFailed(42, errors.New("x")) },
			"checkpoint 42: ", `"msg":"checkpoint 42 under way"`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var text bytes.Buffer
				l := newLogger(&text, config.Log{Format: config.LogJSON, Level: config.LogInfo})
				p := newProgress(stdio{}, &host.Host{}, l, false)
				e := l.events("p")
				test.note(e, 12*mib, 1181116006)
				time.Sleep(quick - 1)
				if got := p.table(time.Second); strings.Contains(got, "MiB") {
					t.Errorf("what is quick is shown: %s", got)
				}
				time.Sleep(logEvery - quick)
				if p.show(time.Second); text.Len() > 0 {
					t.Errorf("before its time: %s", &text)
				}
				time.Sleep(time.Nanosecond)
				test.note(e, 312*mib, 1181116006)
				if got := p.table(time.Second); !strings.Contains(got, "\n"+test.line) {
					t.Errorf("the table is\n%s", got)
				}
				if p.show(time.Second); !strings.Contains(text.String(), test.log) {
					t.Errorf("the log is %s", &text)
				}
				test.end(e)
				if got := p.table(time.Second); strings.Contains(got, "MiB") {
					t.Errorf("what is over is shown: %s", got)
				}
			})
		})
	}
}

func TestATransferGivesWayToTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all transfers
		all.note("q", "checkpoint 1", 0, 10)
		all.note("p", "checkpoint 7", 0, 10)
		time.Sleep(time.Minute)
		all.note("p", "checkpoint 8", 5, 10)
		time.Sleep(2 * time.Second)
		all.note("p", "checkpoint 8", 9, 10)
		slow := all.slow()
		if len(slow) != 2 || slow[0].what != "checkpoint 8" || slow[0].rate() != 2 || slow[1].pipeline != "q" {
			t.Errorf("slow are %+v", slow)
		}
		all.end("p")
		if slow = all.slow(); len(slow) != 1 || slow[0].pipeline != "q" {
			t.Errorf("slow are %+v", slow)
		}
	})
}

func TestWhatIsLoggedOfCheckpoints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var text bytes.Buffer
		e := newLogger(&text, config.Log{Format: config.LogJSON, Level: config.LogDebug}).events("p")
		says := func(parts ...string) {
			t.Helper()
			contains(t, text.String(), append(parts, `"pipeline":"p"`)...)
			text.Reset()
		}
		e.Restored(stream.Restoration{})
		says(`"level":"INFO","msg":"begins with nothing, as there is no checkpoint"`)
		e.Restored(stream.Restoration{
			Epoch: 42, Created: time.Now().Add(-125 * time.Second), Took: 1500 * time.Microsecond, Bytes: 7, InFlight: 3,
			Findings: []string{"a: fits\x1b", "b: is lost"}, Dropped: []string{"b: is lost"},
		})
		says(`"level":"INFO","msg":"goes on from a checkpoint: `, "--fresh", `"epoch":42,"age":"2m05s","bytes":7,"in_flight":3,"took":"1.5ms"}`,
			`"level":"INFO","msg":"not as in the checkpoint, but it fits","pipeline":"p","what":"a: fits\\x1b"}`,
			`"level":"WARN","msg":"a part of the checkpoint is dropped","pipeline":"p","what":"b: is lost"}`)
		wrong := &stream.Error{Code: stream.StoreDenied, Where: "s3://b", Why: "no", Fix: "ask"}
		e.CheckpointDamaged(41, wrong)
		says(`"level":"ERROR"`, `"epoch":41,"cause":"s3://b: no [store-denied]; fix: ask"}`)
		e.CheckpointFailed(43, wrong)
		says(`"level":"WARN","msg":"a checkpoint failed"`, `"epoch":43,"cause":"s3://b: no [store-denied]; fix: ask"}`)
		e.CheckpointInterval(1500*time.Millisecond, 7, "cost")
		says(`"level":"INFO","msg":"checkpoint interval"`, `"interval":"1.5s","revision":7,"by":"cost"}`)
		e.CheckpointInterval(0, 8, "config")
		says(`"level":"INFO","msg":"checkpoints are taken on request only"`, `"revision":8`)
		e.CheckpointNotice("it stays\x1b")
		says(`"level":"WARN"`, `"text":"it stays\\x1b"}`)
		e.CheckpointDone(stream.CheckpointReport{Epoch: 44, Reason: "final", Took: time.Second, NewBytes: 1, AllBytes: 2})
		says(`"level":"DEBUG","msg":"checkpoint complete"`, `"epoch":44,"reason":"final","took":"1s","new_bytes":1,"total_bytes":2}`)
	})
}
