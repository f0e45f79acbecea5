package config

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/wasmill/wasmill/host/stream"
)

// Listen says where the process listens for its operators: host:port of the
// loopback interface, unix:PATH, auto, or off. Port 0 is any free one. PATH is a socket
// for the user of the process, relative to the working directory.
type Listen string

// ListenAuto is the first of Listen's usual addresses that is free.
const ListenAuto Listen = "auto"

const listenOff Listen = "off"

// listenUnix is before the path of a socket.
const listenUnix = "unix:"

// maxSocket is the longest path of a socket, in bytes: what systems take is 104, of
// which the folder needs some that the socket is made in.
const maxSocket = 84

// Addresses lists what to try in turn; none = do not listen.
func (l Listen) Addresses() []string {
	switch l {
	case listenOff:
		return nil
	case ListenAuto:
		return []string{"127.0.0.1:7676", "127.0.0.1:0"}
	}
	return []string{string(l)}
}

// Private says that only the user of this process can connect.
func (l Listen) Private() bool { return strings.HasPrefix(string(l), listenUnix) }

// UnmarshalText reads an address; the error is a *stream.Error.
func (l *Listen) UnmarshalText(text []byte) error {
	const fix = "write one such as 127.0.0.1:7676, unix:data/admin.sock (a socket), auto (127.0.0.1:7676, or another port if it is taken), or off"
	given := Listen(text)
	if given == ListenAuto || given == listenOff {
		*l = given
		return nil
	}
	if path, ok := strings.CutPrefix(string(given), listenUnix); ok {
		if path == "" || len(path) > maxSocket || strings.ContainsRune(path, 0) {
			return &stream.Error{Why: fmt.Sprintf("%q is not the path of a socket", shorten(string(given))), Fix: fmt.Sprintf("write unix: and a path of at most %d bytes", maxSocket)}
		}
		*l = given
		return nil
	}
	host, port, err := net.SplitHostPort(string(given))
	if _, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil {
		return &stream.Error{Why: fmt.Sprintf("%q is not an address with a port", shorten(string(given))), Fix: fix}
	}
	addr, err := netip.ParseAddr(host)
	if host != "localhost" && (err != nil || !addr.Unmap().IsLoopback()) {
		return &stream.Error{Why: fmt.Sprintf("%q is not a loopback address", shorten(string(given))), Fix: "only loopback addresses are accepted: " + fix}
	}
	*l = given
	return nil
}
