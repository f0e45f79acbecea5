package host

import (
	"path/filepath"
	"time"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/control/plan"
	"github.com/wasmill/wasmill/host/control/revision"
)

// Revisions returns the revisions that are kept of a pipeline, by the settings of the
// process. There may be none.
func Revisions(s *config.Process, pipeline string) *revision.Store {
	return revision.NewStore(filepath.Join(s.Data.Dir, revisionsFolder, pipeline), s.Revisions.Keep)
}

// ReadRevision makes the config of a pipeline out of the content of a revision. name is
// how messages call it.
func ReadRevision(name string, r revision.Revision, o Options) (*config.Pipeline, error) {
	return parse(config.File{Name: name, Data: r.Content}, o)
}

// admit gives a pipeline that is to begin the revision that it begins with: the newest one
// that is kept, if that says the same, or else a new one.
func (h *Host) admit(s *seat) {
	p, _ := s.look()
	r := revision.Revision{SHA256: revision.Sum(s.content), Time: time.Now().UTC(), Origin: revision.Start, Content: s.content}
	if !h.options.Revisions {
		h.record(s, r)
		return
	}
	store := Revisions(h.Settings, p.Name)
	last, ok, err := store.Newest()
	if err != nil {
		h.tell(p.Name, "the newest revision is not compared with the file: "+err.Error())
	}
	if ok {
		class := plan.Restart // than which there is no higher one
		if before, err := ReadRevision(p.File, last, h.options); err == nil {
			class = plan.Of(before, p.Config).Class()
		}
		if last.SHA256 == r.SHA256 || class == plan.None {
			s.accept(last)
			return
		}
		r.Class = class.String()
	}
	h.record(s, r)
}

// note says what became of a change of a pipeline: class and why not.
func (h *Host) note(s *seat, content []byte, class plan.Class, origin revision.Origin, err error) ConfigStatus {
	if err == nil && class != plan.None {
		s.content = content
		h.record(s, revision.Revision{SHA256: revision.Sum(content), Time: time.Now().UTC(), Origin: origin, Class: class.String(), Content: content})
	}
	return s.say(err)
}

// record gives a revision the next number, and keeps it. If it cannot be kept, it is in force
// nevertheless.
func (h *Host) record(s *seat, r revision.Revision) {
	p, c := s.look()
	r.Number = revision.Number(c.Revision) + 1
	if h.options.Revisions {
		n, err := Revisions(h.Settings, p.Name).Add(r, r.Number)
		if r.Number = max(r.Number, n); err != nil {
			h.tell(p.Name, "revision: "+err.Error())
		}
	}
	s.accept(r)
}

// tell tells who listens to a pipeline of something about its files.
func (h *Host) tell(pipeline, text string) {
	if e := h.eventsOf(pipeline); e.ConfigNotice != nil {
		e.ConfigNotice(text)
	}
}

// reread reads a pipeline file again.
func (h *Host) reread(read reader, file string) (*config.Pipeline, []byte, error) {
	f, err := read(file)
	if err != nil {
		return nil, nil, err
	}
	c, err := parse(f, h.options)
	return c, f.Data, err
}

// accept puts a revision into the status.
func (s *seat) accept(r revision.Revision) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.config.Revision, s.config.SHA256, s.config.Origin = uint64(r.Number), r.SHA256, string(r.Origin)
	s.config.Applied, s.config.Class = r.Time, r.Class
}

// say puts into the status why the file is not in force as it is now; nil = it is.
func (s *seat) say(err error) ConfigStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.config.Error = nil
	if err != nil {
		text := err.Error()
		s.config.Error = &text
	}
	return s.config
}
