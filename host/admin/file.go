package admin

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/wasmill/wasmill/host/stream"
)

// maxPEM bounds a file of certificates, in bytes.
const maxPEM = 1 << 20

// File is one in PEM, and what names it, such as --admin-ca, for errors.
type File struct{ Setting, Path string }

// ClientTLS says how to ask a Server with TLS. ca has the certificates that it is known
// by, without a path those of the system do; cert and key are shown to it, without
// paths none are. The error is a *stream.Error.
func ClientTLS(ca, cert, key File) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if ca.Path != "" {
		text, err := ca.read(0)
		if err != nil {
			return nil, err
		}
		if config.RootCAs, err = ca.certificates(text); err != nil {
			return nil, err
		}
	}
	if cert.Path == "" && key.Path == "" {
		return config, nil
	}
	pair, err := keyPair(cert, key)
	if err != nil {
		return nil, err
	}
	config.Certificates = []tls.Certificate{pair}
	return config, nil
}

// others is what everybody may do with a file.
const others = 0o007

// read reads the file, with which nobody may do what is forbidden.
func (f File) read(forbidden os.FileMode) ([]byte, error) {
	file, setting := f.Path, f.Setting
	info, err := os.Stat(file) // before it is opened: opening a pipe would wait
	if err != nil {
		return nil, fileError(file, "the file cannot be read", "correct "+setting+", or make the file", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fileError(file, "it is no regular file", "set "+setting+" to a file in PEM", nil)
	}
	opened, err := os.Open(file)
	if err != nil {
		return nil, fileError(file, "the file cannot be read", "let the user that runs wasmill read it, or correct "+setting, err)
	}
	defer opened.Close()
	if info, err = opened.Stat(); err == nil && info.Mode().Perm()&forbidden != 0 && runtime.GOOS != "windows" {
		return nil, fileError(file, fmt.Sprintf("every user of this machine may use it: its mode is %#o", info.Mode().Perm()), "chmod o= "+file+"; if others may have read it, make a new key", nil)
	}
	text, err := io.ReadAll(io.LimitReader(opened, maxPEM+1))
	switch {
	case err != nil:
		return nil, fileError(file, "the file cannot be read", "check the disk or the share it is on", err)
	case len(text) > maxPEM:
		return nil, fileError(file, fmt.Sprintf("it has more than %d bytes", maxPEM), "set "+setting+" to a file with certificates or a key and nothing else", nil)
	}
	return text, nil
}

// keyPair reads a certificate and its key.
func keyPair(cert, key File) (tls.Certificate, error) {
	certText, err := cert.read(0)
	if err != nil {
		return tls.Certificate{}, err
	}
	keyText, err := key.read(others)
	if err != nil {
		return tls.Certificate{}, err
	}
	return keyPairOf(cert, key, certText, keyText)
}

// keyPairOf makes one of what was read. Nothing of the key is in the error.
func keyPairOf(cert, key File, certText, keyText []byte) (tls.Certificate, error) {
	pair, err := tls.X509KeyPair(certText, keyText)
	if err != nil {
		return pair, fileError(cert.Path, "it makes no certificate with the key in "+key.Path, "set "+cert.Setting+" and "+key.Setting+" to files in PEM that belong together, the key without a passphrase", err)
	}
	return pair, nil
}

// certificates are all of the file.
func (f File) certificates(text []byte) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fileError(f.Path, "it has no certificate in PEM", "set "+f.Setting+" to a file with the certificate of who signs", nil)
	}
	return pool, nil
}

func fileError(file, why, fix string, err error) error {
	if e, ok := errors.AsType[*os.PathError](err); ok {
		err = e.Err // without the path
	}
	return &stream.Error{Code: stream.Environment, Where: file, Why: why, Fix: fix, Err: err}
}
