package instance

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/whole"
)

// Plan is what an instance is to be created with.
type Plan struct {
	Name    string
	File    string // of the pipeline
	Data    string // a folder for its data, new or empty; empty = one in its own folder
	Restore bool   // go on from checkpoints that its store has of a pipeline with its name
	// Options are those of the command line, for settings and plugins. Their Files are not
	// looked at.
	Options host.Options
}

// Create checks a plan, and makes an instance of it that has never run. After an error
// there is none. Of several that create one name at once, in whatever processes, one does.
func (h *Home) Create(ctx context.Context, p Plan) (*Instance, error) {
	if err := checkName(p.Name); err != nil {
		return nil, err
	}
	if h.Has(p.Name) {
		return nil, h.exists(p.Name)
	}
	i := &Instance{Name: p.Name, home: h, dir: h.dir(p.Name)}
	content, err := i.describe(&p)
	var store string
	if err == nil {
		store, err = i.check(ctx, &p)
	}
	if err != nil {
		if h.Has(p.Name) { // another has created it meanwhile, which explains the rest
			err = h.exists(p.Name)
		}
		return nil, err
	}
	if err := os.MkdirAll(h.Dir, 0o700); err != nil {
		return nil, fault(err)
	}
	sweep(h.Dir)
	if err := i.reserve(content, store); err != nil {
		return nil, err
	}
	if err := host.OwnData(i.Spec.Data, i.Name); err != nil { // another has taken the folder meanwhile
		return nil, errors.Join(err, i.forget())
	}
	h.at("claimed")
	return i, nil
}

// describe makes the spec, and reads the pipeline file.
func (i *Instance) describe(p *Plan) (content []byte, err error) {
	i.Spec = Spec{Format: specFormat, Name: i.Name, Created: time.Now().UTC(), Version: i.home.Version, Binary: i.home.binary(), Set: p.Options.Set, Custom: p.Data != ""}
	s := &i.Spec
	for _, text := range s.Set {
		for _, key := range []struct{ name, fix string }{
			{"data.dir=", "leave it out: an instance has a folder of its own, or the one of --data-dir"},
			{"name=", "leave it out: the pipeline has the name of the instance"},
		} {
			if strings.HasPrefix(text, key.name) {
				return nil, &stream.Error{Code: stream.Usage, Where: "--set " + text, Why: "that belongs to the instance", Fix: key.fix}
			}
		}
	}
	f, err := config.ReadFile(p.File)
	if err != nil {
		return nil, err
	}
	for _, name := range p.Options.Process {
		f, err := config.ReadFile(name)
		if err != nil {
			return nil, err
		}
		s.Settings = append(s.Settings, SettingFile{name, string(f.Data)})
	}
	for _, v := range p.Options.Env {
		if isSetting(v) {
			s.Env = append(s.Env, v)
		}
	}
	if s.WorkDir, err = os.Getwd(); err != nil {
		return nil, fault(err)
	}
	if s.Pipeline, err = filepath.Abs(p.File); err != nil {
		return nil, fault(err)
	}
	s.Base, s.Data = filepath.Dir(p.File), i.path(dataFolder)
	if s.MadeData = true; s.Custom {
		if s.Data, err = filepath.Abs(p.Data); err != nil {
			return nil, fault(err)
		}
		if s.MadeData, err = usable(s.Data); err != nil {
			return nil, err
		}
		if below(s.Data, i.home.Dir) {
			return nil, &stream.Error{
				Code: stream.DataOwned, Where: s.Data, Why: "it is in the folder of instances, where each folder is an instance with its name",
				Fix: "name a folder elsewhere with --data-dir, or leave it out: an instance has one in its own folder",
			}
		}
	}
	return f.Data, nil
}

// check makes sure that the pipeline can run, with all its plugins, and that nothing in its
// store is another's. It returns the store.
func (i *Instance) check(ctx context.Context, p *Plan) (store string, err error) {
	o := i.Spec.options(p.File, p.Options.Env)
	o.Compiler, o.Version, o.Native = p.Options.Compiler, p.Options.Version, p.Options.Native
	err = opened(ctx, o, func(h *host.Host, c *host.Pipeline) error {
		n, err := h.Kept(ctx, c)
		if err != nil {
			return err
		}
		store = i.Spec.storeOf(c.Config)
		if n > 0 && !p.Restore {
			return &stream.Error{
				Code: stream.InstanceCheckpoints, Where: store, Why: fmt.Sprintf("the store has %d checkpoints of a pipeline %s, which belong to no instance here", n, i.Name),
				Fix: "add --restore to go on from the newest, choose another name, or delete them: wasmill checkpoint list and delete --storage " + store + " --pipeline " + i.Name,
			}
		}
		return nil
	})
	return store, err
}

// opened has a pipeline that can run in the background, with all its plugins, for the time
// of use.
func opened(ctx context.Context, o host.Options, use func(*host.Host, *host.Pipeline) error) (err error) {
	h, err := host.Open(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close(context.WithoutCancel(ctx))) }()
	c := h.Pipelines()[0]
	if v := slices.IndexFunc(c.Config.Vertices, func(v config.Vertex) bool { return v.Source != nil && v.Source.Kind == "stdin" }); v >= 0 {
		return &stream.Error{
			Code: stream.Usage, Where: o.Files[0], Why: fmt.Sprintf("the source %s reads standard input, which nothing in the background has", c.Config.Vertices[v].Name),
			Fix: "use another source, such as file or generator, or wasmill run",
		}
	}
	return use(h, c)
}

// reserve puts all that there is of the instance into a folder, which gets its name when it
// is whole: a name that is taken stays with who has it.
func (i *Instance) reserve(content []byte, store string) (err error) {
	temp, err := os.MkdirTemp(i.home.Dir, halfMade+i.Name+"-") // mode 0700
	if err != nil {
		return fault(err)
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(temp) // sweep does, later
		}
	}()
	i.home.at("half made")
	r := Record{Format: recordFormat, State: Created, Since: i.Spec.Created}
	if store != "" {
		r.Stores = []string{store}
	}
	if err := whole.Replace(filepath.Join(temp, pipelineFile), content, 0o600); err != nil {
		return fault(err)
	}
	if err := errors.Join(writeJSON(filepath.Join(temp, recordFile), r), writeJSON(filepath.Join(temp, specFile), i.Spec)); err != nil {
		return fault(err)
	}
	i.home.at("described")
	err = os.Rename(temp, i.dir) // a folder that has something in it is not replaced
	if errors.Is(err, fs.ErrExist) || errors.Is(err, syscall.ENOTEMPTY) || errors.Is(err, syscall.ENOTDIR) {
		return i.home.exists(i.Name)
	}
	if err != nil {
		return fault(err)
	}
	i.home.at("reserved")
	return fault(whole.Sync(i.home.Dir))
}

// forget takes back a create.
func (i *Instance) forget() error {
	gone := filepath.Join(i.home.Dir, halfGone+filepath.Base(i.dir)+fmt.Sprint(time.Now().UnixNano()))
	if err := os.Rename(i.dir, gone); err != nil {
		return fault(err)
	}
	return fault(os.RemoveAll(gone))
}

func (h *Home) exists(name string) error {
	return &stream.Error{
		Code: stream.InstanceExists, Where: h.dir(name), Why: "there is an instance " + name + " already, which stays as it is",
		Fix: "wasmill resume " + name + " lets it go on, wasmill delete " + name + " removes it; or choose another name",
	}
}
