package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// archive is a compressed tar file of diagnostics, in a folder of its own. What it cannot
// have is told in missing.txt.
type archive struct {
	folder  string
	files   []archived
	missing []string // lines
}

// archived is one file.
type archived struct {
	Name  string `json:"name"`
	Bytes int    `json:"bytes"`
	data  []byte
}

// add adds a file, or says why there is none.
func (a *archive) add(name string, data []byte, err error) {
	if err != nil {
		a.missing = append(a.missing, fmt.Sprintf("%s: %s", name, cause(err)))
		return
	}
	a.files = append(a.files, archived{name, len(data), data})
}

// write ends the archive.
func (a *archive) write(w io.Writer, now time.Time) error {
	if a.missing != nil {
		text := strings.Join(a.missing, "\n") + "\n"
		a.files = append(a.files, archived{"missing.txt", len(text), []byte(text)})
	}
	compressed := gzip.NewWriter(w)
	out := tar.NewWriter(compressed)
	for _, f := range a.files {
		if err := out.WriteHeader(&tar.Header{Name: a.folder + "/" + f.Name, Mode: 0o600, Size: int64(f.Bytes), ModTime: now}); err != nil {
			return err
		}
		if _, err := io.Copy(out, bytes.NewReader(f.data)); err != nil {
			return err
		}
	}
	return errors.Join(out.Close(), compressed.Close())
}
