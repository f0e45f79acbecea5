package host

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/wasmill/wasmill/host/control/revision"
)

// surveyNow is survey of the files as they are on the disk; the error joins those of files
// that are refused.
func (h *Host) surveyNow(ctx context.Context) error {
	if h.folder == nil {
		return nil
	}
	files, err := pipelineFiles(h.folder.dir, true)
	if err != nil {
		return err
	}
	h.survey(ctx, h.folder.read(files), asked)
	var errs []error
	for _, r := range h.refused() {
		errs = append(errs, r.err)
	}
	return errors.Join(errs...)
}

// occasion is what a survey is for.
type occasion int

const (
	opening occasion = iota // of the host: nothing runs yet
	change                  // of a file
	asked                   // for by somebody, who goes on to reload all pipelines
)

// survey makes the pipelines those of files that were read, as far as that is possible at
// once. It is called with reloads held, or by Open.
func (h *Host) survey(ctx context.Context, files []read, why occasion) {
	f := h.folder
	before := f.absent
	if files = f.there(files); f.absent != nil && before == nil && h.options.Notice != nil {
		h.options.Notice("the pipelines folder cannot be read, and what runs goes on: " + f.absent.Error())
	}
	var names []listed
	for i := range files {
		h.check(&files[i])
		l := listed{file: files[i].Name, sum: files[i].sum}
		if files[i].c != nil {
			l.name = files[i].c.Name
		}
		names = append(names, l)
	}
	f.last = files
	seats := h.crew.all()
	var sitting []seated
	for _, s := range seats {
		sitting = append(sitting, s.seated())
	}
	todo, twice, due := roster(names, sitting, time.Now(), goneFor)
	if f.absent != nil { // nothing is known to be gone
		todo, due = nil, time.Time{}
	}
	f.due = due
	var errs []refused
	for _, r := range files {
		if r.c == nil && !slices.ContainsFunc(seats, func(s *seat) bool { return s.file == r.Name }) {
			errs = append(errs, refused{file: r.Name, err: r.err})
		}
	}
	for _, d := range twice {
		errs = append(errs, refused{file: d.file, err: usedTwice(f.find(d.file).c, d.other)})
	}
	for _, v := range todo {
		if err := h.carryOut(ctx, v, seats, why); err != nil {
			errs = append(errs, refused{pipeline: v.name, file: v.file, err: err})
		}
	}
	h.refuse(errs)
	h.tellEmpty()
}

// check makes a config of a file, unless that has been done with the same content.
func (h *Host) check(r *read) {
	if r.err != nil {
		r.sum = r.err.Error()
		return
	}
	r.sum = revision.Sum(r.Data)
	if before := h.folder.find(r.Name); before != nil && before.sum == r.sum {
		r.c, r.err = before.c, before.err
		return
	}
	r.c, r.err = parse(r.File, h.options)
}

// seated is what of a seat decides who runs.
func (s *seat) seated() seated {
	p, _ := s.look()
	s.mu.Lock()
	defer s.mu.Unlock()
	return seated{s.file, p.Name, s.sum, s.gone, s.leaving, s.over}
}

// tellEmpty says once that nothing runs any more, and that something may come.
func (h *Host) tellEmpty() {
	if h.crew.leaves() {
		return
	}
	empty := true
	for _, s := range h.crew.all() {
		s.mu.Lock()
		empty = empty && s.over
		s.mu.Unlock()
	}
	if empty && !h.folder.empty && h.options.Notice != nil {
		h.options.Notice("no pipeline runs: waiting for a pipeline file in " + h.folder.dir)
	}
	h.folder.empty = empty
}
