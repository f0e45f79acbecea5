package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/control/phase"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/whole"
)

// byHand is a phase that was asked for by hand. It is kept in data.dir, so that it outlives
// the process, until the file of the pipeline says something else than it did then.
type byHand struct {
	Phase phase.Phase `json:"phase"`
	File  phase.Phase `json:"file"` // what the file said then
}

// askedFile is where that of a pipeline is kept; empty = nowhere.
func (h *Host) askedFile(pipeline string) string {
	if !h.options.Revisions {
		return ""
	}
	return filepath.Join(h.Settings.Data.Dir, phasesFolder, pipeline+".json")
}

// ask notes a phase that wins over that of the file, once it is kept; empty = that of the
// file wins.
func (h *Host) ask(s *seat, want phase.Phase) error {
	p, _ := s.look()
	if err := h.keepAsked(p.Name, byHand{want, desired(p.Config).Phase}); err != nil {
		return &stream.Error{
			Code: stream.Environment, Where: "pipeline " + p.Name, Why: "what is asked for would not outlive the process", Err: err,
			Fix: "check the disk and the rights of data.dir, or say it in the file: phase: " + string(want),
		}
	}
	s.ask(want)
	return nil
}

func (h *Host) keepAsked(pipeline string, a byHand) error {
	name := h.askedFile(pipeline)
	if name == "" {
		return nil
	}
	if a.Phase == "" {
		if err := os.Remove(name); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	data, err := json.Marshal(a)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	return whole.Replace(name, data, 0o600)
}

// wasAsked returns the phase that was asked for by hand and still wins over the file of a
// pipeline; empty = none does, and it is forgotten.
func (h *Host) wasAsked(c *config.Pipeline) (phase.Phase, error) {
	name := h.askedFile(c.Name)
	if name == "" {
		return "", nil
	}
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	var a byHand
	if err == nil {
		err = json.Unmarshal(data, &a)
	}
	if err == nil && a.Phase != phase.Running && a.Phase != phase.Paused {
		err = fmt.Errorf("%.20q is no phase", a.Phase)
	}
	if err != nil {
		return "", &stream.Error{
			Code: stream.Environment, Where: name, Why: "the phase that was asked for by hand cannot be read", Err: err,
			Fix: "delete the file: then the pipeline does what its own file says",
		}
	}
	if a.File != desired(c).Phase {
		return "", h.keepAsked(c.Name, byHand{}) // the file has changed, which wins for good
	}
	return a.Phase, nil
}
