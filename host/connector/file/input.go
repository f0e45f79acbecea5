package file

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"unicode/utf8"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/wasmill/wasmill/host/stream"
)

// Formats of files, by name.
const (
	plain   = ""
	gzipped = "gzip"
	zstded  = "zstd"
)

// maxZstdWindow bounds the memory of a decoder, at what the zstd command
// accepts by default.
const maxZstdWindow = 128 << 20

// compression returns the format that a name stands for.
func compression(path string) string {
	switch filepath.Ext(path) {
	case ".gz":
		return gzipped
	case ".zst":
		return zstded
	}
	return plain
}

// input is an open file and how far it has been read.
type input struct {
	mark
	file    *os.File
	format  string
	info    fs.FileInfo // when it was opened
	content io.Reader
	decoder io.Closer // nil for plain files
}

// openInput opens the file name, to be known as path and read in a format. An
// error is a *stream.Error, or the system's if there is no opening the file.
func openInput(name, path, format string) (*input, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	in := &input{mark: mark{Path: path}, file: file, format: format, content: file}
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		err = directoryError(path)
	}
	if err == nil {
		in.info = info
		in.Dev, in.Ino = identify(info)
		err = in.decode()
	}
	if err != nil {
		in.Close()
		return nil, err
	}
	return in, nil
}

// decode puts the decoder of the format before the file.
func (in *input) decode() error {
	switch in.format {
	case gzipped:
		r, err := gzip.NewReader(bufio.NewReaderSize(in.file, 64<<10))
		if err != nil {
			return in.readError(err)
		}
		in.content, in.decoder = r, r
	case zstded:
		r, err := zstd.NewReader(in.file, zstd.WithDecoderConcurrency(1),
			zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			return in.readError(err)
		}
		in.content, in.decoder = r, r.IOReadCloser()
	}
	return nil
}

// skipTo reads on to where a mark stands. It returns false if this is not the
// content that the mark was made of.
func (in *input) skipTo(m mark) (bool, error) {
	if in.decoder == nil {
		if in.info.Size() < m.Offset || !m.isOf(in.file) {
			return false, nil
		}
		from := m.Offset - m.prefix()
		window := make([]byte, m.prefix())
		if _, err := in.file.ReadAt(window, from); err != nil {
			return false, in.readError(err)
		}
		if _, err := in.file.Seek(m.Offset, io.SeekStart); err != nil {
			return false, in.readError(err)
		}
		in.slide(window)
	} else if err := in.readTo(m.Offset); err != nil {
		return false, in.unlessShort(err)
	} else if in.Sum != m.Sum || !m.noTail && in.Tail != m.Tail {
		return false, nil
	}
	in.Offset, in.Line, in.Sum = m.Offset, m.Line, m.Sum
	return true, nil
}

// readTo reads what is before an offset again.
func (in *input) readTo(offset int64) error {
	buf := make([]byte, 32<<10)
	for in.Offset < offset {
		n, err := io.ReadFull(in.content, buf[:min(int64(len(buf)), offset-in.Offset)])
		if err != nil {
			return err
		}
		in.advance(buf[:n], 0)
	}
	return nil
}

func (in *input) unlessShort(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return in.readError(err)
}

// readError explains an error of the file or its decoder.
func (in *input) readError(err error) error {
	var system *fs.PathError
	if in.format == plain || errors.As(err, &system) {
		return accessError(in.Path, err)
	}
	return corruptError(in.Path, in.format, err)
}

func (in *input) Close() {
	if in.decoder != nil {
		in.decoder.Close()
	}
	in.file.Close()
}

// check finds out, before anything is read, what can be known to stop a read.
func check(path string) error {
	if !utf8.ValidString(path) {
		return &stream.Error{Code: stream.InputUnreadable, Where: path, Why: "the file name is not valid UTF-8", Fix: "rename the file"}
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return accessError(path, err)
	case info.IsDir():
		return directoryError(path)
	case !info.Mode().IsRegular():
		return nil // opening a pipe may take its data away
	}
	in, err := openInput(path, path, compression(path))
	if err != nil {
		return personal(path, err)
	}
	defer in.Close()
	if in.decoder != nil {
		if _, err := in.content.Read(make([]byte, 1)); err != nil && err != io.EOF {
			return in.readError(err)
		}
	}
	return nil
}

// personal makes an error of openInput a *stream.Error.
func personal(path string, err error) error {
	var e *stream.Error
	if errors.As(err, &e) {
		return err
	}
	return accessError(path, err)
}
