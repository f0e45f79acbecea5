package config

import (
	"fmt"
	"path/filepath"
)

// PathSetting is a setting that is the path of a file or a folder.
type PathSetting struct {
	Setting string  // as --set names it
	Path    *string // empty = it is not set
}

// Paths are all settings of the process that are paths.
func (p *Process) Paths() []PathSetting {
	all := []PathSetting{
		{"plugins.dir", &p.Plugins.Dir}, {"plugins.lock", &p.Plugins.Lock}, {"pipelines.dir", &p.Pipelines.Dir}, {"data.dir", &p.Data.Dir}, {"cache.dir", &p.Cache.Dir},
		{"admin.token.file", &p.Admin.Token.File}, {"admin.tls.cert", &p.Admin.TLS.Cert}, {"admin.tls.key", &p.Admin.TLS.Key}, {"admin.tls.clientCA", &p.Admin.TLS.ClientCA},
		{"s3.accessKey.file", &p.S3.AccessKey.File}, {"s3.secretKey.file", &p.S3.SecretKey.File}, {"s3.sessionToken.file", &p.S3.SessionToken.File}, {"s3.tls.caFile", &p.S3.TLS.CAFile},
	}
	for i := range p.Plugins.Trust {
		all = append(all, PathSetting{fmt.Sprintf("plugins.trust[%d].file", i), &p.Plugins.Trust[i].File})
	}
	return all
}

// from makes relative paths begin in a folder, which files and defaults have: those of the
// environment and of --set begin in the working directory. files is the rank of the last file.
func (p *Process) from(root string, files int) {
	for _, s := range p.Paths() {
		at := path(s.Setting)
		if *s.Path != "" && !filepath.IsAbs(*s.Path) && (!p.places.says(at) || p.places.value(at).layer <= files) {
			*s.Path = shortest(filepath.Join(root, *s.Path))
		}
	}
}

// shortest is a relative path without the folders that it leaves and enters again.
func shortest(path string) string {
	here, err := filepath.Abs(".")
	if err != nil || filepath.IsAbs(path) {
		return path
	}
	if short, err := filepath.Rel(here, filepath.Join(here, path)); err == nil {
		return short
	}
	return path
}
