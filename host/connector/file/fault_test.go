package file_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/wasmill/wasmill/host/connector/file"
	"github.com/wasmill/wasmill/host/stream"
)

// failing is a disk that fails each call again and again before it works.
type failing struct {
	t      *testing.T
	with   error
	times  int // that a step or write fails in a row
	failed map[string]int
	count  map[string]int
}

func (f *failing) step(name string) error {
	f.count[name]++
	if f.count[name]%(f.times+1) == 0 {
		return nil
	}
	f.failed[name]++
	return &fs.PathError{Op: name, Path: "x", Err: f.with}
}

// write leaves half of the data behind when it fails.
func (f *failing) write(file *os.File, data []byte, off int64) (int, error) {
	if err := f.step("write"); err != nil {
		n, _ := file.WriteAt(data[:(len(data)+1)/2], off)
		return n, err
	}
	return file.WriteAt(data, off)
}

// again calls until it works; every error has to say what to do.
func (f *failing) again(what string, call func() error) {
	f.t.Helper()
	for range 1000 {
		err := call()
		if err == nil {
			return
		}
		var e *stream.Error
		if !errors.As(err, &e) || e.Code != stream.OutputFile || e.Fix == "" || e.Where == "" || !errors.Is(err, f.with) {
			f.t.Fatalf("%s: %v", what, err)
		}
	}
	f.t.Fatalf("%s never works", what)
}

func TestADiskThatFailsForATimeCorruptsNothing(t *testing.T) {
	for _, test := range transactional {
		for _, with := range []error{syscall.ENOSPC, fs.ErrPermission, syscall.EIO} {
			t.Run(fmt.Sprint(test.name, ", ", with), func(t *testing.T) {
				dir := t.TempDir()
				disk := &failing{t: t, with: with, times: 2, failed: map[string]int{}, count: map[string]int{}}
				start := func(commits ...[]byte) *file.Sink {
					sink := file.NewSink(sinkSettings(filepath.Join(dir, test.path), test.change))
					sink.Between(disk.step, disk.write)
					disk.again("recover", func() error { return errors.Join(sink.Recover(t.Context(), commits)) })
					return sink
				}
				sink := start()
				var want []string
				var commit, first []byte
				for epoch := uint64(1); epoch <= 8; epoch++ {
					for range 3 {
						var b stream.Batch
						for range 4 {
							want = append(want, fmt.Sprintf("record %d", len(want)))
							b.Append(1, nil, []byte(want[len(want)-1]), nil)
						}
						disk.again("write", func() error { return sink.Write(t.Context(), &b) })
					}
					disk.again("flush", func() error { return sink.Flush(t.Context()) })
					disk.again("prepare", func() (err error) { commit, err = sink.Prepare(t.Context(), stream.Epoch(epoch)); return err })
					if epoch == 1 {
						first = commit
					}
					if epoch%2 == 1 {
						disk.again("commit", func() error { return sink.Commit(t.Context(), commit) })
					} else {
						sink.Commit(t.Context(), commit) // the next one shows what it does not
					}
					if got := shown(t, dir); !slices.Equal(got, want[:len(got)]) {
						t.Fatalf("epoch %d: got %q", epoch, got)
					}
				}
				disk.again("commit", func() error { return sink.Commit(t.Context(), commit) })
				disk.again("close", sink.Close)
				if got := shown(t, dir); !slices.Equal(got, want) {
					t.Errorf("got %q", got)
				}
				sink = start(first)
				disk.again("close", sink.Close)
				if got := shown(t, dir); !slices.Equal(got, want[:12]) {
					t.Errorf("back at the first checkpoint: %q", got)
				}
				if disk.failed["write"] == 0 || disk.failed["prepare: sync"] == 0 {
					t.Errorf("failed %v", disk.failed)
				}
			})
		}
	}
}

func TestAFullDiskCorruptsNothingWithoutCheckpoints(t *testing.T) {
	for _, test := range transactional {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			disk := &failing{t: t, with: syscall.ENOSPC, times: 2, failed: map[string]int{}, count: map[string]int{}}
			sink := file.NewSink(sinkSettings(filepath.Join(dir, test.path), test.change, func(c *file.SinkConfig) { c.BufferBytes, c.Sync = 64, true }))
			sink.Between(disk.step, disk.write)
			var want []string
			for range 50 {
				var b stream.Batch
				for range 4 {
					want = append(want, fmt.Sprintf("record %d", len(want)))
					b.Append(1, nil, []byte(want[len(want)-1]), nil)
				}
				disk.again("write", func() error { return sink.Write(t.Context(), &b) })
			}
			disk.again("flush", func() error { return sink.Flush(t.Context()) })
			disk.again("close", sink.Close)
			if got := shown(t, dir); !slices.Equal(got, want) {
				t.Errorf("got %q", got)
			}
			if disk.failed["flush: sync"]+disk.failed["prepare: sync"] == 0 {
				t.Errorf("failed %v", disk.failed)
			}
		})
	}
}

func TestErrorsOfWritingSayWhatToDo(t *testing.T) {
	for err, fix := range map[error]string{
		syscall.ENOSPC: "free space", syscall.EDQUOT: "free space", syscall.EROFS: "write permission",
		syscall.EACCES: "write permission", syscall.ENOENT: "bring the folder", syscall.EIO: "disk",
	} {
		sink := file.NewSink(sinkSettings(filepath.Join(t.TempDir(), "out")))
		sink.Between(func(string) error { return err }, nil)
		if _, got := sink.Prepare(t.Context(), 1); stream.CodeOf(got) != stream.OutputFile || !strings.Contains(got.Error(), fix) {
			t.Errorf("%v: %v", err, got)
		}
	}
}
