package file

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/wasmill/wasmill/host/connector/internal/lines"
	"github.com/wasmill/wasmill/host/stream"
)

// patience is how long a file that was renamed out of sight is waited on.
const patience = 5 * time.Minute

// tail follows files. It reads them in turn, and looks at what their names
// stand for once per poll interval.
type tail struct {
	cfg    SourceConfig
	notice func(string)
	split  *lines.Splitter // holds bytes of the file owner, from its Offset on

	files   []*followed
	turn    int       // index of the file to read next
	owner   *followed // may be nil
	scanned time.Time // when names were last looked at; zero = look now
	lastIn  *followed // the file that the last record came from; nil if closed,
	last    mark      // and then this is where it stood
}

func (t *tail) open(after *position) error {
	if after == nil {
		names, err := findChecked(t.cfg.Path)
		if err != nil {
			return err
		}
		for _, name := range names {
			if compression(name) != plain {
				t.notice(name + " is left out: compressed files are not followed")
			} else if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
				return &stream.Error{Code: stream.InputUnreadable, Where: name, Why: "only regular files can be followed", Fix: "use follow: false"}
			}
		}
		t.last = mark{Path: names[0], Done: true}
		if err := t.scan(time.Now()); err != nil || len(t.files) == 0 {
			return err
		}
		t.lastIn = t.files[0]
		return nil
	}
	t.last = after.mark
	t.last.Done = true
	for i, m := range append([]mark{after.mark}, after.Others...) {
		if m.Done {
			continue
		}
		f, err := t.resume(m)
		if err != nil {
			return err
		}
		if i == 0 {
			t.lastIn = f
		}
	}
	return t.scan(time.Now())
}

// resume goes on with a file. One that was removed meanwhile is given up, as it
// is when that happens while it is followed: the answer is nil.
func (t *tail) resume(m mark) (*followed, error) {
	in, rotated, err := reopen(m)
	if errors.Is(err, fs.ErrNotExist) {
		t.notice(at(m.Path, m.Line) + " is where the file was read to; it was removed since")
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	f := &followed{input: in, seen: in.Offset}
	if rotated {
		f.lostSince = time.Now()
		t.notice(m.Path + " was rotated: the old file is finished first")
	}
	t.files = append(t.files, f)
	return f, nil
}

func (t *tail) read(ctx context.Context, b *stream.Batch) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		now := time.Now()
		if now.Sub(t.scanned) >= t.cfg.Poll {
			if err := t.scan(now); err != nil {
				return err
			}
		}
		if err := t.pass(b, now.UnixNano()); err != nil || b.Len() > 0 {
			return err
		}
		if t.scanned.IsZero() {
			continue // a file was closed: its successor need not wait
		}
		if err := sleep(ctx, t.cfg.Poll); err != nil {
			return err
		}
	}
}

// pass gives each file a turn, until one has records. A file keeps its turn
// while lines of it are at hand.
func (t *tail) pass(b *stream.Batch, now int64) error {
	for range len(t.files) {
		t.turn %= len(t.files)
		f := t.files[t.turn]
		if err := t.take(f, b, now); err != nil {
			return err
		}
		if b.Len() > 0 {
			t.lastIn = f
			return nil
		}
		if f.final {
			t.retire(f)
			return nil
		}
		t.turn++
	}
	return nil
}

// take moves records of one file into a batch. None means that its end is
// reached.
func (t *tail) take(f *followed, b *stream.Batch, now int64) error {
	if f.idle && !f.final {
		wakes, truncated, err := f.wakes()
		if truncated {
			t.notice(f.Path + " was truncated: it is read again from its start")
		}
		if !wakes {
			return err
		}
		f.idle, t.owner = false, nil // an incomplete line may have changed
	}
	if t.owner != f {
		t.split.Reset()
		t.owner = f
	}
	for {
		cut, err := t.split.Cut(b, now)
		if err != nil {
			return tooLargeError(at(f.Path, f.Line+1), "line", t.cfg.MaxRecordBytes)
		}
		if len(cut) > 0 {
			f.advance(cut, b.Len())
			return nil
		}
		n, err := f.file.ReadAt(t.split.Space(), f.Offset+int64(t.split.Buffered()))
		t.split.Filled(n)
		if n > 0 {
			continue
		}
		if err != io.EOF {
			return f.readError(err)
		}
		break
	}
	f.idle, f.seen = true, f.Offset+int64(t.split.Buffered())
	if !f.final {
		return nil
	}
	cut, err := t.split.Last(b, now)
	if err != nil {
		return tooLargeError(at(f.Path, f.Line+1), "line", t.cfg.MaxRecordBytes)
	}
	f.advance(cut, b.Len())
	return nil
}

// retire closes a file that was read to its end.
func (t *tail) retire(f *followed) {
	if t.lastIn == f {
		t.last, t.lastIn = f.mark, nil
		t.last.Done = true
	}
	if t.owner == f {
		t.owner = nil
	}
	f.Close()
	t.files = slices.DeleteFunc(t.files, func(g *followed) bool { return g == f })
	t.scanned = time.Time{}
}

// scan looks at what the names stand for now.
func (t *tail) scan(now time.Time) error {
	t.scanned = now
	names, err := find(t.cfg.Path)
	if err != nil {
		return err
	}
	seen := make(map[*followed]bool, len(t.files))
	var fresh []string
	for _, name := range names {
		info, err := os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() || compression(name) != plain {
			continue
		}
		if err != nil {
			return accessError(name, err)
		}
		if f := t.find(info); f != nil {
			t.rename(f, name)
			f.lostSince = time.Time{}
			seen[f] = true
		} else {
			fresh = append(fresh, name)
		}
	}
	for _, f := range t.files {
		if !seen[f] {
			t.lose(f, now)
		}
	}
	for _, name := range fresh {
		if err := t.add(name); err != nil {
			return err
		}
	}
	return nil
}

func (t *tail) find(info os.FileInfo) *followed {
	for _, f := range t.files {
		if f.is(info) {
			return f
		}
	}
	return nil
}

// rename takes note of a new name of a file. It counts as not idle until it was
// read once more, which keeps back the next file of the old name.
func (t *tail) rename(f *followed, name string) {
	switch {
	case f.Path != name:
		t.notice(f.Path + " was renamed to " + name)
		f.was, f.Path, f.idle = f.Path, name, false
	case f.idle:
		f.was = ""
	}
}

// lose takes note that no name stands for a file. A removed one is read to its
// end; a renamed one may be written to until the writer opens the new file.
func (t *tail) lose(f *followed, now time.Time) {
	if !f.lost() {
		f.lostSince = now
	}
	info, err := f.file.Stat()
	if err != nil || unlinked(info) || f.idle && now.Sub(f.lostSince) >= patience {
		f.final = true
	}
}

// add begins a file, unless another one of its name is to be finished first:
// one that was rotated is final as soon as the new file has data, because then
// its writer has left it.
func (t *tail) add(name string) error {
	for _, f := range t.files {
		switch {
		case f.was == name && !f.idle:
			return nil
		case f.Path == name:
			if info, err := os.Stat(name); err == nil && info.Size() > 0 && !f.final {
				f.final = true
				t.notice(name + " was rotated: the old file is finished first")
			}
			return nil
		}
	}
	in, err := openInput(name, name, plain)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return personal(name, err)
	}
	t.files = append(t.files, &followed{input: in})
	return nil
}

func (t *tail) appendPosition(dst []byte) []byte {
	if t.lastIn != nil {
		return appendPosition(dst, &t.lastIn.mark, t.files)
	}
	return appendPosition(dst, &t.last, t.files)
}

func (t *tail) close() {
	for _, f := range t.files {
		f.Close()
	}
}
