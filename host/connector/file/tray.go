package file

import (
	"hash/crc32"
	"os"
)

// disk is what a test may put between a sink and the system. Its zero value is
// the system.
type disk struct {
	step  func(name string) error                               // called before a step
	write func(f *os.File, data []byte, off int64) (int, error) // instead of WriteAt
}

func (d *disk) at(name string) error {
	if d.step == nil {
		return nil
	}
	return d.step(name)
}

func (d *disk) writeAt(f *os.File, data []byte, off int64) error {
	if d.write != nil {
		_, err := d.write(f, data, off)
		return err
	}
	_, err := f.WriteAt(data, off)
	return err
}

func (d *disk) sync(f *os.File, name string) error {
	if err := d.at(name); err != nil {
		return err
	}
	return f.Sync()
}

// atEnd is the offset of a tray that writes wherever its file ends.
const atEnd = -1

// tray gathers whole lines for a file and hands them on, all or none: after an
// error the file is as it was before, as far as the system allows.
type tray struct {
	disk *disk
	file *os.File
	buf  []byte
	off  int64  // where buf goes, or atEnd
	sum  uint32 // CRC-32C of the file up to off
}

// spill writes what was gathered. What was not written stays.
func (t *tray) spill() error {
	if len(t.buf) == 0 {
		return nil
	}
	if t.off == atEnd {
		return t.spillAtEnd()
	}
	if err := t.disk.writeAt(t.file, t.buf, t.off); err != nil {
		t.file.Truncate(t.off)
		return err
	}
	t.sum = crc32.Update(t.sum, castagnoli, t.buf)
	t.off += int64(len(t.buf))
	t.buf = t.buf[:0]
	return nil
}

// spillAtEnd is spill for a file that others append to, and for what is none.
func (t *tray) spillAtEnd() error {
	n, err := t.file.Write(t.buf)
	if err != nil && n > 0 {
		if info, e := t.file.Stat(); e == nil && info.Mode().IsRegular() && t.file.Truncate(info.Size()-int64(n)) == nil {
			n = 0
		}
	}
	t.buf = t.buf[:copy(t.buf, t.buf[n:])]
	return err
}

// take is spill if enough was gathered. If it fails, the last added bytes are
// not kept.
func (t *tray) take(added, enough int) error {
	if len(t.buf) < enough {
		return nil
	}
	err := t.spill()
	if err != nil {
		t.buf = t.buf[:max(0, len(t.buf)-added)]
	}
	return err
}

// size is that of the file once everything was spilled.
func (t *tray) size() int64 { return t.off + int64(len(t.buf)) }
