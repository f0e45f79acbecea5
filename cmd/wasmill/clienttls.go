package main

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host/admin"
	"github.com/wasmill/wasmill/host/stream"
)

// security says whether a process is asked over TLS, and how.
type security struct {
	ca, cert, key string // files, as flags
	own           string // the certificate of a process with the same settings; empty = it has none
	on            bool
}

// flagOf returns the text of a flag of a command that has it.
func flagOf(c *cobra.Command, name string) string { return c.Flags().Lookup(name).Value.String() }

// decide finds out whether there is TLS: as the scheme of the address given says, or
// else if there are files for it.
func (s *security) decide(c *cobra.Command, given string) error {
	scheme, _ := splitScheme(given)
	files := s.ca != "" || s.cert != "" || s.key != ""
	s.on = scheme == "https" || scheme == "" && (files || s.own != "")
	switch {
	case (s.cert == "") != (s.key == ""):
		return usageError(c, "--admin-cert and --admin-key belong together")
	case files && (scheme == "http" || strings.HasPrefix(given, "unix:")):
		return usageError(c, "there are certificates, and "+given+" is asked without TLS")
	}
	return nil
}

// config reads the files. Without --admin-ca the process is known by what the settings
// say that it shows.
func (s *security) config() (*tls.Config, error) {
	ca := admin.File{Setting: "--admin-ca", Path: s.ca}
	if s.ca == "" {
		ca = admin.File{Setting: "admin.tls.cert", Path: s.own}
	}
	return admin.ClientTLS(ca, admin.File{Setting: "--admin-cert", Path: s.cert}, admin.File{Setting: "--admin-key", Path: s.key})
}

// splitScheme cuts http or https off an address.
func splitScheme(given string) (scheme, address string) {
	for _, scheme := range []string{"http", "https"} {
		if address, ok := strings.CutPrefix(given, scheme+"://"); ok {
			return scheme, address
		}
	}
	return "", given
}

// insecure says what is wrong with TLS, nil if that is not what is.
func (c *client) insecure(err error) error {
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return &stream.Error{
			Code: stream.Environment, Where: c.at, Why: "what listens there has a certificate that is not trusted, so it was sent nothing", Err: e.Err,
			Fix: "name the certificate of the process, or of who signed it, with --admin-ca; it has to be for the address asked, such as 127.0.0.1",
		}
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok || errors.Is(err, http.ErrSchemeMismatch) {
		return &stream.Error{Code: stream.Environment, Where: c.at, Why: "what listens there does not speak TLS", Fix: "ask with --admin http://" + c.at + " if that process has no admin.tls.cert"}
	}
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "remote error" {
		return &stream.Error{
			Code: stream.Environment, Where: c.at, Why: "what listens there refuses the connection", Err: e.Err,
			Fix: "show a certificate that admin.tls.clientCA of that process has signed with --admin-cert and --admin-key",
		}
	}
	return nil
}
