package examine

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/doctor"
	"github.com/wasmill/wasmill/host/stream"
)

// Options say what to look at.
type Options struct {
	Host  host.Options // Files are the pipelines; none = those in pipelines.dir
	Home  string       // folder of instances; empty = they are not looked at
	Tools func(name string) (doctor.Tool, bool)
}

// Look looks at all there is to look at, one after the other.
func Look(ctx context.Context, o Options) doctor.Facts {
	began := time.Now()
	wall := began.Round(0)
	f := doctor.Facts{Tools: make(map[string]doctor.Tool)}
	for _, name := range doctor.Tools() {
		if t, ok := o.Tools(name); ok {
			f.Tools[name] = t
		}
	}
	s, err := host.Settings(o.Host)
	f.Settings = faultsOf(err)
	if err == nil {
		f.Data = data(s)
		f.Cache = &doctor.Cache{Folder: folder(s.Cache.Dir)}
		f.Admin = administered(ctx, s)
		f.Leftovers = leftovers(s, o.Home, time.Now())
		f.Plugins = plugins(ctx, s, o.Host, f.Cache)
		f.Pipelines, f.Stores = pipelines(ctx, s, o.Host)
		f.Limits = limits(int64(host.Budget(s)))
	}
	if o.Home != "" {
		f.Instances = instances(o.Home)
	}
	now := time.Now()
	f.Clock = &doctor.Clock{Now: now, Wall: now.Round(0).Sub(wall), Mono: now.Sub(began)}
	return f
}

// faultsOf lists the parts of an error.
func faultsOf(err error) []*stream.Error {
	if err == nil {
		return nil
	}
	if all := config.Faults(err); len(all) > 0 {
		return all
	}
	return []*stream.Error{{Code: stream.CodeOf(err), Why: err.Error()}}
}

// folder looks at the folder of a setting.
func folder(path string) doctor.Folder {
	f := doctor.Folder{Path: path, State: doctor.There}
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		f.Mode = info.Mode() & (fs.ModePerm | fs.ModeSticky)
		_, err = os.ReadDir(path)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.State = doctor.Missing
	case err != nil:
		f.State, f.Why = doctor.Unreadable, cause(err)
	case !info.IsDir():
		f.State = doctor.NoFolder
	}
	return f
}

// cause is an error without the path that it is about.
func cause(err error) string {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err.Error()
	}
	return err.Error()
}
