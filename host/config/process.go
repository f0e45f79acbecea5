package config

import (
	"os"
	"path/filepath"
	"reflect"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// Process is what wasmill.yaml says. Folders are relative to the working
// directory of the process, or to Layers.Root.
type Process struct {
	Plugins   Plugins `koanf:"plugins"`   // .wasm files
	Pipelines Folder  `koanf:"pipelines"` // of pipeline files
	Data      Folder  `koanf:"data"`      // of everything wasmill has to keep
	Cache     Folder  `koanf:"cache"`     // of compiled plugins; may be deleted
	Compile   Compile `koanf:"compile"`
	Log       Log     `koanf:"log"`
	Memory    Memory  `koanf:"memory"`
	Sandbox   Guests  `koanf:"sandbox"`
	Admin     Admin   `koanf:"admin"`
	Shutdown  Drain   `koanf:"shutdown"`
	S3        S3      `koanf:"s3"`

	Revisions Revisions `koanf:"revisions"`

	places places
}

// Plugins says where the plugins are, which of them are let in, and what is done when
// another version of one comes.
type Plugins struct {
	Dir    string     `koanf:"dir"`
	Lock   string     `koanf:"lock"`   // a file with their hashes; empty = any will do
	Trust  []TrustKey `koanf:"trust"`  // one of them has to have signed each; none = no signature is asked for
	Canary Switch     `koanf:"canary"` // on = it is tried on recent records before it serves
	Keep   int        `koanf:"keep"`   // previous versions of each that can be put back
}

// maxKeep is the most versions of a plugin that are kept.
const maxKeep = 1000

// Folder is a directory.
type Folder struct {
	Dir string `koanf:"dir"`
}

// Revisions says how many accepted configs are kept.
type Revisions struct {
	Keep int `koanf:"keep"` // of each pipeline, the newest; at least 1
}

// Compile bounds the compilation of a plugin.
type Compile struct {
	Timeout time.Duration `koanf:"timeout"`
	Memory  Bytes         `koanf:"memory"`
}

// Log says how wasmill logs.
type Log struct {
	Level  LogLevel  `koanf:"level"`
	Format LogFormat `koanf:"format"`
}

// Memory says how much memory wasmill may use.
type Memory struct {
	Budget Bytes `koanf:"budget"` // of all guests of a pipeline; 0 = half of what the machine or the container has
}

// Guests bounds the guests of all pipelines together.
type Guests struct {
	Running int `koanf:"running"` // at once; 0 = as many as are asked for, but for unmetered ones, which leave a core free
}

// Admin says where operators find the process, and how they show that they may ask.
type Admin struct {
	Listen Listen   `koanf:"listen"`
	Token  Token    `koanf:"token"`
	TLS    AdminTLS `koanf:"tls"`
}

// Token is what operators have to show.
type Token struct {
	File string `koanf:"file"` // that it is kept in, for the user of the process alone; made if it is not there
}

// Drain says how the process ends.
type Drain struct {
	Grace time.Duration `koanf:"grace"` // for what was read to go through, after which the run is aborted
}

// LogLevel is the least important level that is logged.
type LogLevel string

// The log levels.
const (
	LogDebug LogLevel = "debug"
	LogInfo  LogLevel = "info"
	LogWarn  LogLevel = "warn"
	LogError LogLevel = "error"
)

// Choices implements Choice.
func (LogLevel) Choices() []string {
	return []string{string(LogDebug), string(LogInfo), string(LogWarn), string(LogError)}
}

// LogFormat says how a log line looks.
type LogFormat string

// The log formats; LogAuto is text on a terminal and JSON elsewhere.
const (
	LogAuto LogFormat = "auto"
	LogJSON LogFormat = "json"
	LogText LogFormat = "text"
)

// Choices implements Choice.
func (LogFormat) Choices() []string {
	return []string{string(LogAuto), string(LogJSON), string(LogText)}
}

// LoadProcess makes the settings of the process. Its error joins every fault.
func LoadProcess(l Layers) (*Process, error) {
	p := &Process{
		Plugins:   Plugins{Dir: "plugins", Canary: On, Keep: 2},
		Pipelines: Folder{"pipelines"},
		Data:      Folder{"data"},
		Compile:   Compile{Timeout: 10 * time.Second, Memory: GiB},
		Log:       Log{Level: LogInfo, Format: LogAuto},
		Admin:     Admin{Listen: ListenAuto},
		Shutdown:  Drain{Grace: 25 * time.Second},
		S3:        S3{RequestTimeout: 30 * time.Second},
		Revisions: Revisions{Keep: 10},
	}
	m := merge(l, processFields())
	p.places = m.places
	b := &binder{merged: m}
	b.hooks = map[reflect.Type]hook{
		reflect.TypeFor[SecretRef](): b.secret, reflect.TypeFor[Token](): b.token,
		reflect.TypeFor[[]TrustKey](): b.trustKeys, reflect.TypeFor[TrustKey](): b.trustKey,
	}
	if !m.broken {
		b.bind("", m.tree, reflect.ValueOf(p))
	}
	if l.Root != "" && !m.broken {
		p.from(l.Root, len(l.Files))
	}
	if p.Cache.Dir == "" {
		p.Cache.Dir = cacheDir(p.Data.Dir)
	}
	if p.Admin.Token.File == "" {
		p.Admin.Token.File = filepath.Join(p.Data.Dir, "admin.token")
	}
	for _, f := range []struct{ path, dir string }{
		{"plugins.dir", p.Plugins.Dir}, {"pipelines.dir", p.Pipelines.Dir}, {"data.dir", p.Data.Dir},
	} {
		if f.dir == "" {
			b.fault(path(f.path), stream.ConfigValue, "the folder is empty", "write a path, such as . for the working directory")
		}
	}
	if p.Compile.Timeout <= 0 {
		b.fault("compile.timeout", stream.ConfigValue, "the time is not positive", "write one such as 10s")
	}
	within(b, "compile.memory", p.Compile.Memory, 64*MiB, 1024*GiB)
	within(b, "plugins.keep", p.Plugins.Keep, 0, maxKeep)
	within(b, "sandbox.running", p.Sandbox.Running, 0, maxConcurrency)
	within(b, "revisions.keep", p.Revisions.Keep, 1, 1000)
	b.deadline("shutdown.grace", p.Shutdown.Grace)
	b.adminTLS("admin.tls", &p.Admin)
	b.s3("s3", &p.S3)
	if err := m.err(); err != nil {
		return nil, err
	}
	return p, nil
}

// cacheDir is the user's own, as compiled code must not be writable by others.
func cacheDir(data string) string {
	if dir, err := os.UserCacheDir(); err == nil {
		return filepath.Join(dir, "wasmill")
	}
	return filepath.Join(data, "cache")
}
