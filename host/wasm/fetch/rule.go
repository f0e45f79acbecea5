package fetch

import (
	"errors"
	"net"
	"net/netip"
	"strings"
)

// Rule is one entry of an allow-list.
type Rule struct {
	scheme  string     // "" = http and https
	host    string     // of a wildcard what follows the *
	address netip.Addr // the zero value for a name
	port    uint16     // 0 = the usual one of the scheme
}

// ParseRule reads an entry:
//
//	api.example.org          the host, on the usual port: 80 for http, 443 for https
//	api.example.org:8443     on one port
//	*.example.org            every host below example.org, not itself
//	10.0.0.7:8080, [::1]:80  an address, which may be private, with its port
//	https://api.example.org  any of these, by one scheme only
//
// The error is for people who write configs.
func ParseRule(text string) (r Rule, err error) {
	rest := text
	if scheme, after, ok := strings.Cut(text, "://"); ok {
		if r.scheme = strings.ToLower(scheme); ports[r.scheme] == 0 {
			return r, errors.New("the scheme is neither http nor https")
		}
		rest = after
	}
	if strings.ContainsAny(rest, "/?#@") {
		return r, errors.New("it has more than a scheme, a host and a port: paths are not told apart")
	}
	host, port, err := net.SplitHostPort(rest)
	if err != nil { // there is no port
		host, port = strings.TrimSuffix(strings.TrimPrefix(rest, "["), "]"), ""
	} else if port == "" {
		return r, errors.New("the port is missing after the colon")
	}
	host, wild := strings.CutPrefix(host, "*.")
	if r.host, r.address, err = parseHost(host); err != nil {
		return r, err
	}
	if r.port, err = parsePort(port, 0); err != nil {
		return r, err
	}
	switch {
	case r.address.IsValid() && (wild || r.port == 0):
		return r, errors.New("an address is listed with its port, as in 10.0.0.7:8080 or [fd00::7]:8080")
	case wild && !strings.Contains(r.host, "."):
		return r, errors.New("a wildcard needs two names after it, as in *.example.org")
	case wild:
		r.host = "." + r.host
	}
	return r, nil
}

// allows says whether a request may go to a target.
func (r Rule) allows(t target) bool {
	port := r.port
	if port == 0 {
		port = ports[t.scheme]
	}
	named := r.host == t.host || strings.HasPrefix(r.host, ".") && strings.HasSuffix(t.host, r.host)
	return (r.scheme == "" || r.scheme == t.scheme) && port == t.port && named && r.address == t.address
}
