package fetch

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// target is where a request goes.
type target struct {
	scheme  string     // http or https
	host    string     // lower case, without a dot at its end; of an address the usual spelling
	address netip.Addr // the zero value for a name
	port    uint16
}

var ports = map[string]uint16{"http": 80, "https": 443}

func (t target) String() string {
	host := t.host
	if t.address.Is6() {
		host = "[" + host + "]"
	}
	if t.port != ports[t.scheme] {
		host += ":" + strconv.Itoa(int(t.port))
	}
	return host
}

const maxURL = 8 << 10

// parseURL returns a URL in the spelling that is checked and sent, and where it goes.
func parseURL(text string) (*url.URL, target, error) {
	var t target
	if len(text) > maxURL {
		return nil, t, fmt.Errorf("the URL has more than %d bytes", maxURL)
	}
	u, err := url.Parse(text)
	if err != nil {
		var e *url.Error
		if errors.As(err, &e) {
			err = e.Err // without the URL
		}
		return nil, t, fmt.Errorf("the URL is malformed: %w", err)
	}
	t.scheme = u.Scheme // lower case
	switch {
	case ports[t.scheme] == 0:
		return nil, t, errors.New("the URL does not begin with http:// or https://")
	case u.Host == "" || u.Opaque != "":
		return nil, t, errors.New("the URL has no host")
	case u.User != nil:
		return nil, t, errors.New("the URL has a user: send a header Authorization")
	}
	if t.host, t.address, err = parseHost(u.Hostname()); err != nil {
		return nil, t, err // t has the host for messages
	}
	if t.port, err = parsePort(u.Port(), ports[t.scheme]); err != nil {
		return nil, t, err
	}
	u.Host, u.Fragment, u.RawFragment = t.String(), "", ""
	return u, t, nil
}

func parsePort(s string, usual uint16) (uint16, error) {
	if s == "" {
		return usual, nil
	}
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("port %.10q is not one of 1 to 65535", s)
	}
	return uint16(n), nil
}

var errSpelling = errors.New("not an address in its usual spelling")

// parseHost takes a name or an address, without brackets. What a resolver could
// take for an address in another spelling, such as 2130706433, 0x7f.1 and 127.1,
// is errSpelling.
func parseHost(s string) (name string, a netip.Addr, err error) {
	name = strings.TrimSuffix(strings.ToLower(s), ".")
	labels := strings.Split(name, ".")
	if strings.Contains(name, ":") || numeric(labels[len(labels)-1]) {
		a, err = netip.ParseAddr(name)
		if err != nil || a.Zone() != "" {
			return s[:min(len(s), 100)], a, fmt.Errorf("the host %.100q is %w", s, errSpelling)
		}
		a = a.Unmap()
		return a.String(), a, nil
	}
	if len(name) > 253 {
		return "", a, errors.New("the host has more than 253 bytes")
	}
	for _, l := range labels {
		if l == "" || len(l) > 63 || strings.Trim(l, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return "", a, fmt.Errorf("the host %.100q is not a name of letters, digits, - and _ between dots (others are written in punycode)", s)
		}
	}
	return name, a, nil
}

// numeric says whether a name with this last label is taken for an address by
// URL parsers (WHATWG URL, "ends in a number") and by inet_aton.
func numeric(label string) bool {
	if strings.HasPrefix(label, "0x") {
		return strings.Trim(label[2:], "0123456789abcdef") == ""
	}
	return label != "" && strings.Trim(label, "0123456789") == ""
}
