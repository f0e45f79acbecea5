package file

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/wasmill/wasmill/host/whole"
)

// parts is what a sink has written that is not shown: closed parts and the one
// that records go to. The goroutine of the sink owns it but for what mu guards.
type parts struct {
	place place
	roll  Roll
	nonce string // of the names of its files, so that no two processes share one
	made  int    // files
	fresh bool   // there is a file whose name may not be on the disk
	shift uint64
	end   int64 // where the next part of a single file begins
	blank bool  // the single file is to be replaced by the next part
	epoch uint64
	index int // of the next part named in epoch
	cur   *current

	mu      sync.Mutex
	pending []part // closed and not known to be shown
	last    *part  // of a single file, the last that was closed
	open    part   // what the newest committed checkpoint has of one that was open
	closed  bool   // from then on cur does not change
}

func newParts(l place, roll Roll) *parts {
	return &parts{place: l, roll: roll, nonce: rand.Text()}
}

// finish closes the current part. It is to be shown by the next commit.
func (p *parts) finish() error {
	if err := p.save(); err != nil {
		return err
	}
	c := p.cur
	if err := c.tray.file.Truncate(c.Len); err != nil {
		return p.place.fault("a part cannot be closed", err)
	}
	if !p.place.rolling() {
		c.Base, c.Replace = p.end, p.blank
		p.end, p.blank = p.end+c.Len, false
	}
	c.Open = false
	c.tray.file.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pending = append(p.pending, c.part)
	if !p.place.rolling() {
		last := c.part
		p.last = &last
	}
	p.cur = nil
	return nil
}

// due says whether the current part is to end by the settings.
func (p *parts) due() bool {
	return p.cur != nil && p.place.rolling() && p.roll.due(p.cur.tray.size(), p.cur.began)
}

// prepare makes everything durable, and returns how to show it.
func (p *parts) prepare(epoch uint64) (*commit, error) {
	if p.blank {
		if err := p.begin(); err != nil { // a run without records makes an empty file
			return nil, err
		}
	}
	if p.cur != nil && (p.cur.tray.size() > 0 || p.blank) {
		stays := p.place.rolling() && p.roll.set() && !p.due()
		end := p.finish
		if stays {
			end = p.save
		}
		if err := end(); err != nil {
			return nil, err
		}
		if stays {
			p.cur.Open, p.cur.Began = true, p.cur.began.UnixNano()
		}
	}
	if p.fresh {
		err := p.place.disk.at("prepare: sync folder")
		if err == nil {
			err = whole.Sync(p.place.hidden())
		}
		if err != nil {
			return nil, p.place.fault("the folder of parts cannot be written", err)
		}
		p.fresh = false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	c := &commit{Version: commitVersion, Path: p.place.path, Epoch: epoch, Shift: p.shift, Parts: []part{}}
	p.name(epoch)
	if p.last != nil && !slices.ContainsFunc(p.pending, func(q part) bool { return q.File == p.last.File }) {
		c.Parts = append(c.Parts, *p.last)
	}
	c.Parts = append(c.Parts, p.pending...)
	if p.cur != nil && p.cur.Open {
		c.Parts = append(c.Parts, p.cur.part)
	}
	if !p.place.rolling() {
		c.End = p.end
	}
	return c, nil
}

// name gives names to the parts that have none.
func (p *parts) name(epoch uint64) {
	if !p.place.rolling() {
		return
	}
	if p.epoch != epoch {
		p.epoch, p.index = epoch, 0
	}
	give := func(q *part) {
		if q.Name == "" {
			q.Name = partName(filepath.Base(p.place.path), p.shift+epoch, p.index)
			p.index++
		}
	}
	for i := range p.pending {
		give(&p.pending[i])
	}
	if p.cur != nil && p.cur.Open {
		give(&p.cur.part)
	}
}

// committed takes note of parts that were shown.
func (p *parts) committed(c *commit) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	shown := func(q part) bool {
		return slices.ContainsFunc(c.Parts, func(r part) bool { return q.File == r.File && !r.Open })
	}
	p.pending = slices.DeleteFunc(p.pending, shown)
	if n := len(c.Parts); n > 0 && c.Parts[n-1].Open && (c.Parts[n-1].File != p.open.File || c.Parts[n-1].Len > p.open.Len) {
		p.open = c.Parts[n-1]
	}
	if !p.closed {
		return nil
	}
	return p.showRest()
}

// whole says whether all of the current part is in a committed checkpoint. mu is
// held, and the sink closed.
func (p *parts) whole() bool {
	return p.cur != nil && p.cur.Open && p.open.File == p.cur.File && p.open.Len == p.cur.tray.size()
}

// showRest shows the current part of a sink that was closed, if it is whole. mu is
// held.
func (p *parts) showRest() error {
	if !p.whole() {
		return nil
	}
	rest := p.cur.part
	rest.Open = false
	if err := p.place.show([]part{rest}); err != nil {
		return err
	}
	p.cur = nil
	return nil
}

// close ends the writing. Parts of a single file that were shown leave no folder
// behind; that of a rolling sink tells a part that was taken away from a lost one.
func (p *parts) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if p.cur != nil {
		if p.whole() {
			p.cur.tray.file.Truncate(p.open.Len) // what a failed write may have left
		}
		p.cur.tray.file.Close()
	}
	err := p.showRest()
	if !p.place.rolling() {
		if p.cur != nil {
			os.Remove(p.place.file(p.cur.File)) // it was never prepared
		}
		os.Remove(p.place.hidden())
	}
	return err
}
