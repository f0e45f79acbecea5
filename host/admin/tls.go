package admin

import (
	"bytes"
	"crypto/tls"
	"os"
	"sync"
)

// TLS says by which files, in PEM, connections are protected. They are looked at for
// each connection, so that one which is renewed needs no restart.
type TLS struct {
	Cert, Key string // the Server's own certificate, with those above it, and its key
	ClientCA  string // whose certificates peers have to show; empty = none have to
	// Renewed is told once of each change of the files: nil if they are used from now
	// on, or why those before still are. Any goroutine calls it; it must not block.
	// nil = nobody listens.
	Renewed func(error)
}

// keeper keeps the newest files that can be used.
type keeper struct {
	files TLS

	mu     sync.Mutex
	seen   [3][]byte   // guarded by mu; the files of config
	config *tls.Config // guarded by mu; of the files as they were last when they could be used
	wrong  string      // guarded by mu; what was last told of them; empty = nothing is wrong
}

// newKeeper reads the files. The error is a *stream.Error.
func newKeeper(files TLS) (*keeper, error) {
	k := &keeper{files: files}
	return k, k.look()
}

// current is what a new connection is protected by.
func (k *keeper) current(*tls.ClientHelloInfo) (*tls.Config, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	before := k.config
	wrong := ""
	err := k.look()
	if err != nil {
		wrong = err.Error()
	}
	if (k.config != before || wrong != k.wrong) && k.files.Renewed != nil {
		k.files.Renewed(err)
	}
	k.wrong = wrong
	return k.config, nil
}

// look reads the files and uses them if they have changed. After an error all is as it
// was. mu is held, or nobody else has the keeper yet.
func (k *keeper) look() error {
	files := [...]File{{"admin.tls.cert", k.files.Cert}, {"admin.tls.key", k.files.Key}, {"admin.tls.clientCA", k.files.ClientCA}}
	forbidden := [...]os.FileMode{0, others, 0}
	var now [3][]byte
	same := k.config != nil
	for i, f := range files {
		if f.Path == "" {
			continue
		}
		text, err := f.read(forbidden[i])
		if err != nil {
			return err
		}
		now[i], same = text, same && bytes.Equal(text, k.seen[i])
	}
	if same {
		return nil
	}
	pair, err := keyPairOf(files[0], files[1], now[0], now[1])
	if err != nil {
		return err
	}
	config := &tls.Config{
		MinVersion:             tls.VersionTLS12,
		Certificates:           []tls.Certificate{pair},
		SessionTicketsDisabled: true, // so that each connection is judged by the files as they are
	}
	if files[2].Path != "" {
		config.ClientAuth = tls.RequireAndVerifyClientCert
		if config.ClientCAs, err = files[2].certificates(now[2]); err != nil {
			return err
		}
	}
	k.seen, k.config = now, config
	return nil
}
