package watch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/wasmill/wasmill/host/stream"
)

func TestAnEventIsToldAfterTheRest(t *testing.T) {
	inBubble(t, false, hears, func(h *timed) {
		h.expect(time.Second, `0s a.yaml "one"`)
		write(t, h.path, "two")
		h.fake.written(h.path)
		h.expect(time.Hour, `1.2s a.yaml "two"`)
	})
}

func TestALargeFileIsToldAfterTwoRests(t *testing.T) {
	inBubble(t, true, hears, func(h *timed) {
		h.expect(time.Second, `200ms a.yaml 3`)
		for i := range 200 { // 64 KB each 50 ms
			f, err := os.OpenFile(h.path, os.O_WRONLY|os.O_APPEND, 0)
			must(t, err)
			_, err = f.Write(make([]byte, 64<<10))
			must(t, err)
			must(t, f.Close())
			h.fake.written(h.path)
			if i < 199 {
				time.Sleep(50 * time.Millisecond)
			}
		}
		h.expect(time.Hour, `11.35s a.yaml 13107203`)
	})
}

// TestPollIsTheBackstop: nothing is heard, as on NFS.
func TestPollIsTheBackstop(t *testing.T) {
	inBubble(t, false, hears, func(h *timed) {
		h.expect(time.Second, `0s a.yaml "one"`)
		write(t, h.path, "longer")
		h.expect(time.Hour, `10.2s a.yaml "longer"`)
		must(t, os.Remove(h.path))
		h.expect(time.Minute, `1h0m12.2s a.yaml missing`)
		h.noticed()
	})
}

func TestWithoutEventsLooksAreMoreFrequent(t *testing.T) {
	fails := func(*fake) func() (backend, error) {
		return func() (backend, error) { return nil, syscall.EMFILE }
	}
	inBubble(t, false, fails, func(h *timed) {
		h.expect(1100*time.Millisecond, `0s a.yaml "one"`)
		write(t, h.path, "longer")
		h.expect(time.Minute, `1.7s a.yaml "longer"`)
		h.noticed("max_user_instances")
	})
}

func TestAFolderThatCannotBeListenedTo(t *testing.T) {
	inBubble(t, false, hears, func(h *timed) {
		h.expect(time.Minute, `0s a.yaml "one"`)
		h.fake.fill(syscall.ENOSPC)
		h.w.Look()
		h.expect(time.Minute)
		h.noticed("max_user_watches")
		h.fake.fill(nil)
		h.expect(time.Minute)
		h.noticed("again")
	})
}

// TestOnlyWhatMattersIsListenedTo: the folder that a missing one would appear in, and
// then no longer.
func TestOnlyWhatMattersIsListenedTo(t *testing.T) {
	inBubble(t, false, hears, func(h *timed) {
		h.expect(time.Second, `0s a.yaml "one"`)
		for _, move := range []struct{ from, to, listens string }{
			{h.dir, h.dir + ".old", filepath.Dir(h.dir)},
			{h.dir + ".old", h.dir, h.dir},
		} {
			must(t, os.Rename(move.from, move.to))
			h.w.Look()
			time.Sleep(time.Minute)
			synctest.Wait()
			if len(h.fake.dirs) != 1 || !h.fake.dirs[move.listens] {
				t.Errorf("listens to %v, and not just to %s", h.fake.dirs, move.listens)
			}
		}
	})
}

func TestBackendThatDies(t *testing.T) {
	for name, kill := range map[string]func(*fake){
		"with an error": func(f *fake) { f.errs <- errors.New("bad file descriptor") },
		"without one":   func(f *fake) { _ = f.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			var second *fake
			once := func(first *fake) func() (backend, error) {
				opened := 0
				return func() (backend, error) {
					switch opened++; opened {
					case 1:
						return first, nil
					case 2:
						return nil, syscall.EMFILE
					}
					second = newFake()
					return second, nil
				}
			}
			inBubble(t, false, once, func(h *timed) {
				h.expect(time.Second, `0s a.yaml "one"`)
				kill(h.fake)
				h.expect(time.Second)
				h.noticed("are looked for every 500ms")
				write(t, h.path, "second")
				h.expect(8*time.Second, `2.4s a.yaml "second"`)
				h.expect(time.Minute)
				h.noticed("again")
				if len(second.dirs) == 0 || len(h.fake.dirs) == 0 || !h.fake.shut {
					t.Error("the first is still open, or the second hears nothing")
				}
				write(t, h.path, "three")
				second.written(h.path)
				h.expect(time.Hour, `1m10.2s a.yaml "three"`)
			})
		})
	}
}

// TestOverflow: events were lost, and a file was rewritten with its size and times as
// they were.
func TestOverflow(t *testing.T) {
	for name, overflow := range map[string]func(*timed){
		"of the backend": func(h *timed) { h.fake.errs <- fsnotify.ErrEventOverflow },
		"of ours": func(h *timed) {
			h.w.ears.mu.Lock()
			h.w.ears.heard.paths = map[string]bool{}
			for i := range maxHeard {
				h.w.ears.heard.paths[fmt.Sprint("/elsewhere/", i)] = true
			}
			h.w.ears.mu.Unlock()
			h.fake.written("/elsewhere") // one too many
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, false, hears, func(h *timed) {
				h.expect(time.Second, `0s a.yaml "one"`)
				info, err := os.Stat(h.path)
				must(t, err)
				write(t, h.path, "two")
				must(t, os.Chtimes(h.path, info.ModTime(), info.ModTime()))
				overflow(h)
				h.expect(time.Hour, `1.2s a.yaml "two"`)
			})
		})
	}
}

// TestWhatHappensBeforeALookListens is found by the same look.
func TestWhatHappensBeforeALookListens(t *testing.T) {
	inBubble(t, false, hears, func(h *timed) {
		h.expect(time.Second, `0s a.yaml "one"`)
		h.fake.meets(func() { write(t, filepath.Join(h.dir, "b.yaml"), "one") })
		h.w.Look()
		h.expect(time.Hour, `1.4s b.yaml "one"`)
	})
}

// TestWhatHappensDuringALook is not missed, and what was read is not told.
func TestWhatHappensDuringALook(t *testing.T) {
	inBubble(t, false, hears, func(h *timed) {
		h.expect(time.Second, `0s a.yaml "one"`)
		target := &h.w.o.Targets[0]
		target.open = func(path string) (*os.File, error) {
			f, err := openFile(path)
			target.open = openFile
			rename(t, path, "three")
			h.fake.written(path)
			synctest.Wait()
			return f, err
		}
		rename(t, h.path, "two")
		h.fake.written(h.path)
		h.expect(time.Hour, `1.6s a.yaml "three"`)
	})
}

func TestLookLooksAgain(t *testing.T) {
	inBubble(t, false, hears, func(h *timed) {
		h.expect(time.Second, `0s a.yaml "one"`)
		write(t, h.path, "two")
		h.w.Look()
		h.expect(time.Hour, `1.2s a.yaml "two"`)
	})
}

func TestAStormIsToldAtTheCapAndAtItsEnd(t *testing.T) {
	inBubble(t, false, hears, func(h *timed) {
		h.expect(time.Second, `0s a.yaml "one"`)
		for i := range 500 { // 100 a second
			rename(t, h.path, fmt.Sprint(i))
			h.fake.events <- fsnotify.Event{Name: h.path, Op: fsnotify.Create}
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		told := h.take(&h.told)
		if len(told) != 3 || !strings.HasPrefix(told[0], "3.") || !strings.HasPrefix(told[1], "5.") || told[2] != `6.19s a.yaml "499"` {
			t.Errorf("told %q", told)
		}
	})
}

// TestFilesWrittenTogetherAreToldTogether: what git checkout does, slowly.
func TestFilesWrittenTogetherAreToldTogether(t *testing.T) {
	inBubble(t, false, hears, func(h *timed) {
		h.expect(time.Second, `0s a.yaml "one"`)
		var want []string
		for i := range 10 {
			path := filepath.Join(h.dir, fmt.Sprintf("%d.yaml", i))
			write(t, path, "one")
			h.fake.events <- fsnotify.Event{Name: path, Op: fsnotify.Create}
			want = append(want, fmt.Sprintf(`1.4s %d.yaml "one"`, i))
			if i < 9 {
				time.Sleep(20 * time.Millisecond)
			}
		}
		h.expect(time.Hour, want...)
	})
}

// TestASlowCallerGetsTheLast, and hears nothing of a file that changed there and back
// while it did not wait.
func TestASlowCallerGetsTheLast(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.yaml")
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		w := New(Options{Targets: []Target{{Path: path}}})
		w.backend = hears(f)
		write(t, path, "one")
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { w.Run(ctx) })
		first, err := w.Next(ctx, Snapshot{})
		must(t, err)
		edit := func(content string) {
			write(t, path, content)
			f.written(path)
			time.Sleep(time.Second)
		}
		for _, content := range []string{"two", "three"} {
			edit(content)
		}
		second, err := w.Next(ctx, first)
		must(t, err)
		if got := second.Since(first); len(got) != 1 || string(got[0].Is.Data) != "three" {
			t.Errorf("got %v", got)
		}
		edit("two")
		edit("three")
		short, stop := context.WithTimeout(ctx, time.Minute)
		defer stop()
		if s, err := w.Next(short, second); err == nil {
			t.Errorf("there is news: %v", s.Since(second))
		}
		cancel()
		running.Wait()
	})
}

func TestWhatCannotBeRead(t *testing.T) {
	inBubble(t, false, hears, func(h *timed) {
		target := &h.w.o.Targets[0]
		open := target.open
		h.expect(time.Second, `0s a.yaml "one"`)
		// Denied for longer than the grace, said once, and back as it was.
		target.open = func(path string) (*os.File, error) {
			return nil, &os.PathError{Op: "open", Path: path, Err: syscall.EACCES}
		}
		h.fake.events <- fsnotify.Event{Name: h.path, Op: fsnotify.Chmod}
		h.expect(time.Minute, `3s a.yaml unreadable: `+h.path+": this user may not read it [environment]\n  fix: give the user that runs wasmill the right to read it")
		if f := h.last.Files[h.path]; f.Hash != hashOf("one") || f.Data != nil {
			t.Errorf("what it was last is %+v", f)
		}
		target.open = open
		h.fake.events <- fsnotify.Event{Name: h.path, Op: fsnotify.Chmod}
		h.expect(time.Minute, `1m1.2s a.yaml "one"`)
		// Too large.
		must(t, os.Truncate(h.path, 1<<20+1))
		h.fake.written(h.path)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		var e *stream.Error
		if f := h.last.Files[h.path]; !errors.As(f.Err, &e) || e.Code != stream.ConfigFile || !strings.Contains(e.Why, "1048576") {
			t.Errorf("a file that is too large is %+v", f)
		}
		h.take(&h.told)
		must(t, os.Truncate(h.path, 1<<20))
		h.fake.written(h.path)
		h.expect(time.Minute, fmt.Sprintf(`2m11.2s a.yaml "one%s"`, strings.Repeat(`\x00`, 1<<20-3)))
	})
}
