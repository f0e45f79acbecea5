package admin

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/whole"
)

// Bounds of a token, in bytes. One that we make has 26 letters and digits, 130 bits.
const (
	minToken = 20
	maxToken = 1 << 10
)

// MakeToken reads the token of a file, and makes both if there is no file, with a
// folder for it: only its owner can read it. Several processes may do so at once, and
// have the same one. The error is a *stream.Error.
func MakeToken(file string) (string, error) {
	token, err := ReadToken(file)
	if !errors.Is(err, fs.ErrNotExist) {
		return token, err
	}
	if err := makeToken(file); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", tokenError(file, "the token cannot be kept", "let wasmill write there, set admin.token.file to another file, or set admin.listen to unix:PATH, which needs none", err)
	}
	return ReadToken(file)
}

// makeToken makes a file with a token, unless there is one.
func makeToken(file string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	return whole.Create(file, []byte(rand.Text()+"\n"), 0o600)
}

// ReadToken reads the token of a file, which others than its owner may not be able to
// read. The error is a *stream.Error; it wraps fs.ErrNotExist if there is no file.
func ReadToken(file string) (string, error) {
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return "", tokenError(file, "the token cannot be read", "wasmill run makes it; run this in the folder where that runs, or set data.dir or admin.token.file as there", err)
	case !info.Mode().IsRegular():
		return "", tokenError(file, "the token is not in a file", "set admin.token.file to a file", nil)
	case info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows":
		return "", tokenError(file, fmt.Sprintf("others can get at the token: the mode of its file is %#o", info.Mode().Perm()), "chmod 600 "+file+"; if others may have read it, delete it, and run wasmill again", nil)
	}
	f, err := os.Open(file)
	if err != nil {
		return "", tokenError(file, "the token cannot be read", "ask as the user that wasmill runs as", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxToken+1))
	if err != nil {
		return "", tokenError(file, "the token cannot be read", "see that the disk works", err)
	}
	token := strings.TrimRight(string(text), "\r\n")
	if len(token) < minToken || len(text) > maxToken || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", tokenError(file, fmt.Sprintf("that is no token: it has to be one word of %d to %d letters, digits and signs", minToken, maxToken), "delete the file: wasmill run makes another one", nil)
	}
	return token, nil
}

func tokenError(file, why, fix string, err error) error {
	return &stream.Error{Code: stream.Environment, Where: file, Why: why, Fix: fix, Err: err}
}

// authorize says why a request may not be answered, nil if it may. How long it takes
// says nothing of the token.
func (s *Server) authorize(r *http.Request) error {
	switch {
	case s.private:
		return nil
	case s.token == "":
		closed := &stream.Error{Code: APIClosed, Where: "admin.token.file", Why: "this process has no token, so nobody can show it", Err: s.locked}
		if e, ok := errors.AsType[*stream.Error](s.locked); ok {
			closed.Where, closed.Fix = e.Where, e.Fix+"; then start it again"
		}
		return closed
	}
	var given string
	if all := r.Header.Values("Authorization"); len(all) == 1 {
		if scheme, token, _ := strings.Cut(all[0], " "); strings.EqualFold(scheme, "Bearer") {
			given = token
		}
	}
	got, want := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(s.token))
	if subtle.ConstantTimeCompare(got[:], want[:]) == 1 {
		return nil
	}
	why := "the token is not that of this process"
	if given == "" {
		why = "there is no token"
	}
	return &stream.Error{Code: APIToken, Where: "Authorization", Why: why, Fix: "send the header Authorization: Bearer TOKEN, with what is in the file that admin.token.file of the process names"}
}
