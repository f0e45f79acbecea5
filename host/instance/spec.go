package instance

import (
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/config"
)

// specFormat is the format of Spec.
const specFormat = 1

// Spec is what an instance was created with, and the binary that it runs with, which is all
// that changes. It holds no secrets: the config has only references to them, which are
// followed when a worker starts.
type Spec struct {
	Format  int       `json:"format"`
	Name    string    `json:"name"`
	Created time.Time `json:"created"`
	Version string    `json:"version"` // of the wasmill that created it
	Binary  Binary    `json:"binary"`  // that has run it until it was ready, or else created it; zero = only Version is known

	Pipeline string        `json:"pipeline"`           // the file that its own was copied from, whole path
	Base     string        `json:"base"`               // what paths in the pipeline are relative to; as it was written, as positions of sources have such paths
	WorkDir  string        `json:"work_dir"`           // of its processes, which paths in settings are relative to
	Settings []SettingFile `json:"settings,omitempty"` // of the process, as they were
	Set      []string      `json:"set,omitempty"`
	Env      []string      `json:"env,omitempty"` // the variables that are settings

	Data     string `json:"data"`                // data.dir
	Custom   bool   `json:"custom_data"`         // it was asked for, and is not in the instance's folder
	MadeData bool   `json:"made_data,omitempty"` // there was no such folder before
}

// SettingFile is a file with settings of the process.
type SettingFile struct {
	Name    string `json:"name"`
	Content string `json:"content"`
}

// The variables of the environment that are no settings of the process.
const (
	envConfig = "WASMILL_CONFIG"
	envHome   = "WASMILL_HOME"
	envPrefix = "WASMILL_"
)

// isSetting says whether a variable, as KEY=value, is a setting.
func isSetting(variable string) bool {
	name, _, _ := strings.Cut(variable, "=")
	return strings.HasPrefix(name, envPrefix) && name != envConfig && name != envHome
}

// environ is the environment of the instance's processes: of the one given only what is no
// setting, and the settings that were saved.
func (s *Spec) environ(env []string) []string {
	rest := slices.DeleteFunc(slices.Clone(env), func(v string) bool { return strings.HasPrefix(v, envPrefix) })
	return append(rest, s.Env...)
}

// binary is the one that it runs with.
func (s *Spec) binary() Binary {
	if s.Binary.Version == "" {
		return Binary{Version: s.Version}
	}
	return s.Binary
}

// options are those of its pipeline in a file.
func (s *Spec) options(file string, env []string) host.Options {
	o := host.Options{Files: []string{file}, Base: s.Base, Env: s.environ(env), Set: slices.Clone(s.Set)}
	for _, f := range s.Settings {
		o.Settings = append(o.Settings, config.File{Name: f.Name, Data: []byte(f.Content)})
	}
	o.Set = append(o.Set, "data.dir="+s.Data, "name="+s.Name)
	return o
}

// placed makes the paths whole that are relative to the instance's working folder.
func (s *Spec) placed(o host.Options) (host.Options, error) {
	p, err := host.Settings(o)
	if err != nil {
		return o, err
	}
	for _, at := range p.Paths() {
		if *at.Path != "" && !filepath.IsAbs(*at.Path) {
			o.Set = append(o.Set, at.Setting+"="+filepath.Join(s.WorkDir, *at.Path))
		}
	}
	if !filepath.IsAbs(s.Base) {
		o.Base = filepath.Join(s.WorkDir, s.Base)
	}
	return o, nil
}

// storeOf returns where a pipeline has its checkpoints, with the whole path of a folder;
// empty = it has none.
func (s *Spec) storeOf(c *config.Pipeline) string {
	if c.Checkpoint == nil {
		return ""
	}
	at := c.Checkpoint.Storage
	if at.Bucket == "" && !filepath.IsAbs(at.Folder) {
		if at.Folder = filepath.Join(s.Base, at.Folder); !filepath.IsAbs(at.Folder) {
			at.Folder = filepath.Join(s.WorkDir, at.Folder)
		}
	}
	return at.String()
}
