package control

import (
	"path/filepath"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/connector/file"
)

// Kept says, a line each, where a pipeline leaves what it has stored and written to
// files. dir is the folder of its file.
func Kept(p *config.Pipeline, dir string) (all []string) {
	lent := Lent{Dir: dir}
	if at, ok := StoreOf(p, dir); ok {
		where := at.Storage.String()
		if at.Storage.Folder != "" && !filepath.IsAbs(at.Storage.Folder) {
			where = filepath.Join(dir, at.Storage.Folder)
		}
		all = append(all, "checkpoints in "+where)
	}
	for _, v := range p.Vertices {
		if v.Sink == nil {
			continue
		}
		if c, ok := v.Sink.Settings.(*file.SinkConfig); ok {
			all = append(all, "the output of "+string(v.Name)+" in "+lent.path(c.Path))
		}
	}
	return all
}
