package config

import (
	"fmt"
	"path/filepath"
)

// from makes relative paths begin in a folder, which files and defaults have: those of the
// environment and of --set begin in the working directory. files is the rank of the last file.
func (p *Process) from(root string, files int) {
	place := func(setting string, to *string) {
		at := path(setting)
		if *to != "" && !filepath.IsAbs(*to) && (!p.places.says(at) || p.places.value(at).layer <= files) {
			*to = shortest(filepath.Join(root, *to))
		}
	}
	for _, s := range []struct {
		setting string
		to      *string
	}{
		{"plugins.dir", &p.Plugins.Dir}, {"plugins.lock", &p.Plugins.Lock}, {"pipelines.dir", &p.Pipelines.Dir}, {"data.dir", &p.Data.Dir}, {"cache.dir", &p.Cache.Dir},
		{"admin.token.file", &p.Admin.Token.File}, {"admin.tls.cert", &p.Admin.TLS.Cert}, {"admin.tls.key", &p.Admin.TLS.Key}, {"admin.tls.clientCA", &p.Admin.TLS.ClientCA},
		{"s3.accessKey.file", &p.S3.AccessKey.File}, {"s3.secretKey.file", &p.S3.SecretKey.File}, {"s3.sessionToken.file", &p.S3.SessionToken.File}, {"s3.tls.caFile", &p.S3.TLS.CAFile},
	} {
		place(s.setting, s.to)
	}
	for i := range p.Plugins.Trust {
		place(fmt.Sprintf("plugins.trust[%d].file", i), &p.Plugins.Trust[i].File)
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
