package file

import (
	"errors"
	"io"
	"os"
	"strconv"
	"time"
)

// current is the part that records go to.
type current struct {
	part
	tray    tray
	began   time.Time
	dirty   bool // it has what is not on the disk
	suspect bool // the disk failed to take it, and may not have it
}

// begin makes a part to write to.
func (p *parts) begin() error {
	if p.cur != nil {
		return nil
	}
	name, f, err := p.create()
	if err != nil {
		return err
	}
	p.cur = &current{part: part{File: name}, tray: tray{disk: p.place.disk, file: f}, began: time.Now()}
	return nil
}

func (p *parts) create() (name string, f *os.File, err error) {
	if err := p.place.prepare(); err != nil {
		return "", nil, err
	}
	name = p.nonce + "-" + strconv.Itoa(p.made)
	if err = p.place.disk.at("create"); err == nil {
		f, err = os.OpenFile(p.place.file(name), os.O_RDWR|os.O_CREATE|os.O_EXCL, p.place.perm)
	}
	if err != nil {
		return "", nil, p.place.fault("a part cannot be created", err)
	}
	p.made++
	p.fresh = true
	return name, f, nil
}

// save makes sure that the disk has the current part.
func (p *parts) save() error {
	c := p.cur
	err := c.tray.spill()
	if err == nil && c.suspect {
		err = p.rewrite()
	}
	if err == nil && c.dirty {
		if err = p.place.disk.sync(c.tray.file, "prepare: sync"); err != nil {
			c.suspect = true // a second fsync says nothing of what the first one lost
		}
	}
	if err != nil {
		return personalOutput(p.place.path, err)
	}
	c.dirty = false
	c.Len, c.Sum = c.tray.off, c.tray.sum
	return nil
}

// rewrite puts a copy in the place of the current part, under the same name.
func (p *parts) rewrite() error {
	name, f, err := p.create()
	if err != nil {
		return err
	}
	c := p.cur
	_, err = io.Copy(f, io.NewSectionReader(c.tray.file, 0, c.tray.off))
	if err == nil {
		var same bool
		if same, err = holds(f, part{Len: c.tray.off, Sum: c.tray.sum}); err == nil && !same {
			err = errors.New("the disk has lost data of it")
		}
	}
	if err == nil {
		err = p.place.disk.sync(f, "prepare: sync")
	}
	if err == nil {
		err = os.Rename(f.Name(), p.place.file(c.File))
	}
	if err != nil {
		f.Close()
		os.Remove(p.place.file(name))
		return err
	}
	c.tray.file.Close()
	c.tray.file, c.suspect, c.dirty = f, false, false
	return nil
}
