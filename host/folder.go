package host

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wasmill/wasmill/host/admin"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/config/watch"
	"github.com/wasmill/wasmill/host/control"
	"github.com/wasmill/wasmill/host/control/durable"
	"github.com/wasmill/wasmill/host/control/phase"
	"github.com/wasmill/wasmill/host/control/revision"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
)

// folder is the pipelines folder of a host whose pipelines come and go.
type folder struct {
	dir   string
	again chan struct{} // holds one if a pipeline has ended, which another may wait for

	last   []read    // at the last look; guarded by Host.reloads
	due    time.Time // of the next look, if nothing happens before; zero = none; guarded by Host.reloads
	empty  bool      // it was told that nothing runs; guarded by Host.reloads
	absent error     // why the folder cannot be read; guarded by Host.reloads

	mu      sync.Mutex // guards
	refused []refused  // files whose pipelines do not run
}

// read is a pipeline file that was read.
type read struct {
	config.File
	sum string
	c   *config.Pipeline // nil = err says why there is none
	err error
}

// refused is a file whose pipeline does not run.
type refused struct {
	pipeline string // as far as that is known, or else after the file
	file     string
	sum      string
	err      error
}

func newFolder(dir string) *folder { return &folder{dir: dir, again: make(chan struct{}, 1)} }

// read reads files.
func (f *folder) read(files []string) (all []read) {
	for _, name := range files {
		r := read{File: config.File{Name: name}}
		r.File, r.err = config.ReadFile(name)
		r.Name = name
		all = append(all, r)
	}
	return all
}

// seen takes what a watcher has seen of the files.
func (f *folder) seen(s watch.Snapshot) (all []read) {
	for name, file := range s.Files {
		if file.State != watch.Missing && filepath.Dir(name) == filepath.Clean(f.dir) && !strings.HasSuffix(name, ".wasm") {
			all = append(all, read{File: config.File{Name: name, Data: file.Data}, err: file.Err})
		}
	}
	return all
}

// there returns those of the files that are there now, in the order of their paths. If the
// folder cannot be read, they are taken to be.
func (f *folder) there(all []read) []read {
	_, f.absent = os.ReadDir(f.dir)
	all = slices.DeleteFunc(all, func(r read) bool {
		_, err := os.Stat(r.Name)
		return errors.Is(err, os.ErrNotExist) && f.absent == nil
	})
	slices.SortFunc(all, func(a, b read) int { return strings.Compare(a.Name, b.Name) })
	return all
}

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
	files = f.there(files)
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
			errs = append(errs, refused{file: r.Name, sum: r.sum, err: r.err})
		}
	}
	for _, d := range twice {
		r := f.find(d.file)
		errs = append(errs, refused{file: d.file, sum: r.sum, err: usedTwice(r.c, d.other)})
	}
	for _, v := range todo {
		if err := h.carryOut(ctx, v, seats, why); err != nil {
			errs = append(errs, refused{pipeline: v.name, file: v.file, sum: f.find(v.file).sum, err: err})
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

// again reads a file that was read, as it was.
func (r *read) again(string) (config.File, error) { return r.File, r.err }

// find returns a file of the last look; nil = it was not there.
func (f *folder) find(file string) *read {
	if i := slices.IndexFunc(f.last, func(r read) bool { return r.Name == file }); i >= 0 {
		return &f.last[i]
	}
	return nil
}

// seated is what of a seat decides who runs.
func (s *seat) seated() seated {
	p, _ := s.look()
	s.mu.Lock()
	defer s.mu.Unlock()
	return seated{s.file, p.Name, s.sum, s.gone, s.leaving, s.over}
}

// carryOut does what a verdict says. An error is why a pipeline does not begin.
func (h *Host) carryOut(ctx context.Context, v verdict, seats []*seat, why occasion) error {
	var s *seat
	if i := slices.IndexFunc(seats, func(s *seat) bool { p, _ := s.look(); return p.Name == v.name && !s.leaving }); i >= 0 {
		s = seats[i]
		s.gone = v.gone
		if s.file != v.file {
			h.move(s, v.file)
		}
	}
	switch {
	case v.begin, v.again:
		return h.begin(ctx, h.folder.find(v.file), s, why == opening)
	case v.reload:
		r := h.folder.find(v.file)
		if s.sum = r.sum; why != asked {
			_, _ = h.reloadOne(ctx, s, revision.File, r.again) // the error is told by ConfigRefused, and in the status
		}
	case v.leave:
		h.leave(s)
	}
	return nil
}

// begin runs the pipeline of a file, in the place of one that has ended, if instead is not
// nil.
func (h *Host) begin(ctx context.Context, r *read, instead *seat, first bool) error {
	o := h.options
	if !first { // what was said of the start was said of others
		o.Start, o.From = durable.Start{AllowDropped: o.Start.AllowDropped}, nil
	}
	s, err := h.open(ctx, r.c, r.File, o)
	switch {
	case err != nil && instead != nil:
		instead.sum = r.sum
		instead.say(err)
		if e := h.eventsOf(r.c.Name); e.ConfigRefused != nil {
			e.ConfigRefused(err)
		}
		return nil
	case err != nil:
		return err
	case first:
		h.crew.add(s, nil)
		return nil
	case instead != nil:
		_, c := instead.look()
		s.config.Revision = c.Revision
	}
	h.admit(s)
	if e := h.eventsOf(r.c.Name); e.PipelineStarted != nil {
		e.PipelineStarted(r.Name)
	}
	if !h.crew.add(s, instead) {
		p, _ := s.look()
		return p.Discard(ctx)
	}
	return nil
}

// move notes that a pipeline is in another file.
func (h *Host) move(s *seat, file string) {
	p, _ := s.look()
	h.tell(p.Name, "its file is "+file+" now, and was "+s.file)
	s.file = file
	moved := *p
	moved.File = file
	s.set(&moved)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.config.File = file
}

// leave ends a pipeline that is in no file any more, and keeps what it has.
func (h *Host) leave(s *seat) {
	p, _ := s.look()
	s.leaving = true
	if e := h.eventsOf(p.Name); e.PipelineRemoved != nil {
		e.PipelineRemoved(s.file, h.data(p))
	}
	s.drain()
	s.mu.Lock()
	over := s.over
	s.mu.Unlock()
	if over {
		h.crew.remove(s)
		h.folder.wake()
	}
}

// data says where a pipeline has what it keeps.
func (h *Host) data(p *Pipeline) []string {
	all := control.Kept(p.Config, filepath.Dir(p.File))
	if h.options.Revisions {
		all = append(all, "revisions in "+Revisions(h.Settings, p.Name).Dir())
	}
	return all
}

// runSeat runs the pipeline of a seat, and lets go of it when it was to leave.
func (h *Host) runSeat(ctx context.Context, s *seat) error {
	err := s.run(ctx)
	if h.folder == nil {
		return err
	}
	p, _ := s.look()
	if e := h.eventsOf(p.Name); e.PipelineEnded != nil {
		e.PipelineEnded(err)
	}
	if h.left(s) {
		err = nil // it was told
	}
	h.folder.wake()
	return err
}

// left lets go of a seat that has ended, if it was to leave.
func (h *Host) left(s *seat) bool {
	s.mu.Lock()
	leaving := s.draining
	s.mu.Unlock()
	if !leaving {
		return false
	}
	h.reloads.Lock()
	defer h.reloads.Unlock()
	if s.leaving {
		h.crew.remove(s)
	}
	return s.leaving
}

// wake asks for another look.
func (f *folder) wake() {
	select {
	case f.again <- struct{}{}:
	default:
	}
}

// tellEmpty says once that nothing runs any more.
func (h *Host) tellEmpty() {
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

// refuse notes which files are refused, and tells of those that were not, or for another
// reason.
func (h *Host) refuse(all []refused) {
	taken := make(map[string]bool)
	for _, p := range h.Pipelines() {
		taken[p.Name] = true
	}
	before := h.refused()
	for i := range all {
		r := &all[i]
		if r.pipeline == "" {
			base := filepath.Base(r.file)
			if r.pipeline = strings.TrimSuffix(base, filepath.Ext(base)); taken[r.pipeline] {
				r.pipeline = base
			}
		}
		taken[r.pipeline] = true
		known := slices.ContainsFunc(before, func(b refused) bool { return b.file == r.file && b.err.Error() == r.err.Error() })
		if e := h.eventsOf(r.pipeline); !known && e.PipelineRefused != nil {
			e.PipelineRefused(r.file, r.err)
		}
	}
	h.folder.mu.Lock()
	defer h.folder.mu.Unlock()
	h.folder.refused = all
}

// refused returns the files whose pipelines do not run.
func (h *Host) refused() []refused {
	if h.folder == nil {
		return nil
	}
	h.folder.mu.Lock()
	defer h.folder.mu.Unlock()
	return slices.Clone(h.folder.refused)
}

// refusal is why a pipeline does not run; nil = that is not known, or it does.
func (h *Host) refusal(pipeline string) error {
	for _, r := range h.refused() {
		if r.pipeline == pipeline {
			return &stream.Error{Code: admin.PipelineState, Where: r.file, Why: "the pipeline does not run, because its file is refused", Fix: "mend the file: wasmill status says what is wrong with it"}
		}
	}
	return nil
}

// status is what there is to see of a pipeline that does not run.
func (r *refused) status() PipelineStatus {
	text := r.err.Error()
	return PipelineStatus{
		control.Status{
			Pipeline: r.pipeline, Phase: pipeline.PhaseFailed, Vertices: []control.VertexStatus{}, Oldest: []control.FlightStatus{},
			PauseStatus: control.PauseStatus{Desired: phase.Running, State: phase.StateRunning, Reasons: []control.ReasonStatus{}},
		},
		ConfigStatus{File: r.file, Error: &text},
	}
}
