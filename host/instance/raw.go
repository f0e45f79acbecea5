package instance

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// RawFile is a file of an instance as it is.
type RawFile struct {
	Name string
	Data []byte // of a log that is longer, the end
	Err  error  // why there is none; nil = there is
}

// Raw reads the files of an instance, whatever state they are in, with at most so many
// bytes of each log. It is for who looks into what went wrong, and needs no spec.
func (h *Home) Raw(name string, most int64) ([]RawFile, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	if _, err := os.Stat(h.dir(name)); errors.Is(err, fs.ErrNotExist) {
		return nil, h.unknown(name)
	}
	var all []RawFile
	for _, file := range []string{recordFile, specFile, pipelineFile, lockFile, workerFile, readyFile, adminFile, errorFile, olderLog, logFile} {
		limit := int64(maxLog)
		if file == logFile || file == olderLog {
			limit = most
		}
		data, err := end(filepath.Join(h.dir(name), file), limit)
		all = append(all, RawFile{file, data, err})
	}
	return all, nil
}

// end reads the last bytes of a file.
func end(name string, most int64) ([]byte, error) {
	info, err := os.Stat(name) // before it is opened: opening a pipe would wait
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is no regular file")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if from := info.Size() - most; from > 0 {
		if _, err := f.Seek(from, io.SeekStart); err != nil {
			return nil, err
		}
	}
	return io.ReadAll(io.LimitReader(f, most))
}
