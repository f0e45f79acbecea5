package fetch

import (
	"net/netip"
	"strings"
	"testing"
)

func TestAddressesThatAreNotPublicAreRefused(t *testing.T) {
	for want, addresses := range map[string]string{
		"loopback":          "127.0.0.1 127.255.255.255 ::1 ::ffff:127.0.0.1 64:ff9b::127.0.0.1",
		"private":           "10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 fc00::1 fd12::1 64:ff9b::10.0.0.1 ::ffff:192.168.0.1",
		"metadata":          "169.254.169.254 168.63.129.16 100.100.100.200 fd00:ec2::254 fd20:ce::254 64:ff9b::a9fe:a9fe ::ffff:169.254.169.254",
		"link-local":        "169.254.0.1 fe80::1 fe80::1%eth0 febf::1",
		"carrier-grade NAT": "100.64.0.1 100.127.255.255",
		"unspecified":       "0.0.0.0 0.1.2.3 :: 64:ff9b::",
		"multicast":         "224.0.0.1 239.255.255.255 ff02::1",
		"reserved":          "240.0.0.1 255.255.255.255 192.0.0.1 64:ff9b:1::1 4000::1 100::1 5f00::1 ::1:0:0:0 2001:1ff::1",
		"IPv4-compatible":   "::127.0.0.1 ::8.8.8.8 ::2",
		"6to4":              "2002:7f00:1:: 192.88.99.1",
		"Teredo":            "2001::1 2001:0:7f00:1::",
		"site-local":        "fec0::1",
		"documentation":     "192.0.2.1 198.51.100.1 203.0.113.1 2001:db8::1 3fff::1",
		"benchmarking":      "198.18.0.1 198.19.255.255",
		"":                  "8.8.8.8 1.1.1.1 172.15.255.255 172.32.0.0 100.63.255.255 100.128.0.0 2606:4700::1111 2a00:1450::1 2001:200::1 64:ff9b::8.8.8.8 ::ffff:8.8.8.8",
	} {
		for _, a := range strings.Fields(addresses) {
			if got := refusal(netip.MustParseAddr(a)); got != want {
				t.Errorf("%s is %q, want %q", a, got, want)
			}
		}
	}
}

// FuzzAddress holds the check to what Go says of addresses.
func FuzzAddress(f *testing.F) {
	for _, a := range []string{"127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2001:db8::1", "8.8.8.8"} {
		b, _ := netip.MustParseAddr(a).MarshalBinary()
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, ok := netip.AddrFromSlice(b)
		if !ok || refusal(a) != "" {
			return
		}
		for _, inner := range []netip.Addr{a, a.Unmap()} {
			if !inner.IsGlobalUnicast() || inner.IsPrivate() || inner.IsLoopback() || inner.IsLinkLocalUnicast() || inner.IsMulticast() || inner.IsUnspecified() {
				t.Errorf("%v is let through", a)
			}
		}
		if a.Is4() && refusal(netip.AddrFrom16(a.As16())) != "" {
			t.Errorf("%v is let through, and not when it is mapped to IPv6", a)
		}
	})
}

// FuzzURL holds whatever passes the check to being what is sent.
func FuzzURL(f *testing.F) {
	for _, u := range []string{
		"http://example.org", "https://[::1]:8080/a?b#c", "http://127.1", "http://0x7f.1/", "http://a@b", "http://%31.example.org/",
		"http://[::ffff:127.0.0.1]", "http://[fe80::1%25lo]/", "http://exämple.org", "http://a.b.:080/", "http:\\\\a", "http://a:80:80/",
	} {
		f.Add(u)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, to, err := parseURL(text)
		if err != nil {
			return
		}
		again, same, err := parseURL(u.String())
		if err != nil || same != to || again.Host != u.Host {
			t.Fatalf("%q is %q, which is %+v, %v", text, u, same, err)
		}
		if a, err := netip.ParseAddr(to.host); (err == nil) != to.address.IsValid() || a != to.address {
			t.Errorf("%q: host %q, address %v", text, to.host, to.address)
		}
		if strings.ContainsAny(u.Host, "@/\\?#% ") || u.User != nil {
			t.Errorf("%q: host %q", text, u.Host)
		}
		if r, err := ParseRule(to.scheme + "://" + u.Host); err == nil && !r.allows(to) {
			t.Errorf("%q: its own host %q does not allow it", text, u.Host)
		}
	})
}
