package file

import (
	"errors"
	"io/fs"
	"os"
	"time"
)

// start begins anew. Nothing that is shown changes; of an earlier run, what it had
// not shown is removed.
func (p *parts) start(keep bool) error {
	if _, err := os.Stat(p.place.hidden()); err == nil {
		if err := p.place.sweep(""); err != nil {
			return err
		}
	}
	if p.place.rolling() {
		var err error
		p.shift, err = p.place.newest()
		return err
	}
	if !keep {
		p.blank = true
		return nil
	}
	info, err := os.Stat(p.place.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return p.place.fault("the file cannot be written", err)
	}
	p.end = info.Size()
	return nil
}

// resume goes on after a commit that was shown. What came after it, shown or not,
// is taken back.
func (p *parts) resume(c *commit) error {
	if err := p.place.prepare(); err != nil {
		return err
	}
	if !p.place.rolling() {
		if err := p.place.cut(c.End); err != nil {
			return err
		}
		p.end = c.End
		if n := len(c.Parts); n > 0 {
			p.last = &c.Parts[n-1]
		}
		return p.place.sweep("")
	}
	p.shift = c.Shift
	open := ""
	if n := len(c.Parts); n > 0 && c.Parts[n-1].Open {
		last := c.Parts[n-1]
		f, err := p.place.reopen(last)
		if err != nil {
			return err
		}
		if f != nil {
			open = last.File
			t := tray{disk: p.place.disk, file: f, off: last.Len, sum: last.Sum}
			p.cur = &current{part: last, tray: t, began: time.Unix(0, last.Began)}
			p.open = last
		}
	}
	if err := p.place.takeBack(c.Shift + c.Epoch); err != nil {
		return err
	}
	return p.place.sweep(open)
}

// showNow shows what is closed, in a run without checkpoints.
func (p *parts) showNow() error {
	if len(p.pending) == 0 {
		return nil
	}
	p.name(1)
	if err := p.place.show(p.pending); err != nil {
		return err
	}
	p.pending = nil
	return nil
}

// showLast shows everything, at the end of a run without checkpoints.
func (p *parts) showLast() error {
	if p.cur != nil && p.cur.tray.size() > 0 {
		if err := p.finish(); err != nil {
			return err
		}
	} else if p.cur != nil {
		p.cur.tray.file.Close()
		os.Remove(p.place.file(p.cur.File))
		p.cur = nil
	}
	err := p.showNow()
	if err == nil {
		os.Remove(p.place.hidden()) // if it is empty
	}
	return err
}
