package project

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/wasmill/wasmill/host/config"
)

// Made says of a file or folder whether it was made, or was there.
type Made struct {
	Path string `json:"path"`
	New  bool   `json:"new"`
}

// SchemaFile is where Begin puts the JSON Schema of pipelines.
const SchemaFile = ".wasmill/pipeline.schema.json"

// Begin makes a folder for pipelines and plugins: settings, an example, and schemas for
// editors. What is there stays as it is; it tells all of it.
func Begin(dir string) ([]Made, error) {
	files := []File{
		{SchemaFile, []byte(config.PipelineSchema())},
		{".wasmill/process.schema.json", []byte(config.ProcessSchema())},
	}
	for _, f := range []struct{ path, template string }{
		{"wasmill.yaml", "init/wasmill"}, {"pipelines/example.yaml", "init/example"}, {".gitignore", "init/gitignore"},
	} {
		data, err := filled(f.template)
		if err != nil {
			return nil, err
		}
		files = append(files, File{f.path, data})
	}
	var made []Made
	plugins := filepath.Join(dir, "plugins")
	_, err := os.Stat(plugins)
	made = append(made, Made{Path: plugins, New: errors.Is(err, fs.ErrNotExist)})
	if err := os.MkdirAll(plugins, 0o755); err != nil {
		return nil, unwritable(plugins, err)
	}
	for _, f := range files {
		err := write(dir, f)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		made = append(made, Made{Path: filepath.Join(dir, filepath.FromSlash(f.Path)), New: err == nil})
	}
	return made, nil
}
