package config

import (
	"strings"

	"github.com/wasmill/wasmill/host/stream"
)

// AdminTLS protects the port where operators find the process. All are files in PEM,
// relative to the working directory, and are read again when they change. Without Cert
// there is no TLS.
type AdminTLS struct {
	Cert     string `koanf:"cert"`     // certificates, that of the process first
	Key      string `koanf:"key"`      // that belongs to it; others may not read it
	ClientCA string `koanf:"clientCA"` // who signs the certificates that operators have to show, besides the token; empty = none have to
}

// adminTLS checks that what is needed together is there together.
func (b *binder) adminTLS(p path, a *Admin) {
	t := &a.TLS
	for _, f := range []struct{ key, file string }{{"cert", t.Cert}, {"key", t.Key}, {"clientCA", t.ClientCA}} {
		if strings.Contains(f.file, pem) {
			b.fault(p.key(f.key), stream.ConfigValue, "it is the content of a file, not its path", "put it into a file and write the path of that; if this is a key, others may have seen it: make a new one")
		}
	}
	switch {
	case b.about(p) || b.about(p.key("cert")) || b.about(p.key("key")) || b.about(p.key("clientCA")):
	case *t != AdminTLS{} && a.Listen.Private():
		b.fault(p, stream.ConfigValue, "admin.listen is a socket, which has no TLS: nobody but the user of the process can connect to it", "remove this, or set admin.listen to an address such as 127.0.0.1:7676")
	case t.Cert != "" && t.Key == "":
		b.fault(p.key("cert"), stream.ConfigMissing, "there is a cert and no key", "add key: with the file of its private key")
	case t.Cert == "" && t.Key != "":
		b.fault(p.key("key"), stream.ConfigMissing, "there is a key and no cert", "add cert: with the file of the certificate that it belongs to")
	case t.Cert == "" && t.ClientCA != "":
		b.fault(p.key("clientCA"), stream.ConfigMissing, "there is a clientCA and no cert", "add cert: and key: with the files of the certificate and the key of this process; who asks is asked for a certificate over TLS only")
	}
}
