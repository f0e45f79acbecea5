package fetch

import "net/netip"

// refusal says why an address may not be dialled unless it is listed; "" = it may.
// The ranges are those of the IANA registries of special-purpose addresses
// (RFC 6890 and its updates), and where clouds keep their metadata services.
func refusal(a netip.Addr) string {
	a = a.WithZone("").Unmap()
	if a.Is4() {
		for _, r := range refused4 {
			if r.prefix.Contains(a) {
				return r.what
			}
		}
		return ""
	}
	if nat64.Contains(a) {
		b := a.As16()
		return refusal(netip.AddrFrom4([4]byte(b[12:])))
	}
	for _, r := range refused6 {
		if r.prefix.Contains(a) {
			return r.what
		}
	}
	if !global.Contains(a) {
		return "reserved"
	}
	return ""
}

type span struct {
	prefix netip.Prefix
	what   string
}

var (
	nat64  = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052: the last four bytes are an IPv4 address
	global = netip.MustParsePrefix("2000::/3")     // all of IPv6 that is routed
)

var refused4 = spans(
	"169.254.169.254/32", "metadata",
	"168.63.129.16/32", "metadata", // Azure
	"100.100.100.200/32", "metadata", // Alibaba Cloud
	"0.0.0.0/8", "unspecified",
	"10.0.0.0/8", "private",
	"100.64.0.0/10", "carrier-grade NAT",
	"127.0.0.0/8", "loopback",
	"169.254.0.0/16", "link-local",
	"172.16.0.0/12", "private",
	"192.0.0.0/24", "reserved",
	"192.0.2.0/24", "documentation",
	"192.88.99.0/24", "6to4",
	"192.168.0.0/16", "private",
	"198.18.0.0/15", "benchmarking",
	"198.51.100.0/24", "documentation",
	"203.0.113.0/24", "documentation",
	"224.0.0.0/4", "multicast",
	"240.0.0.0/4", "reserved",
)

var refused6 = spans(
	"fd00:ec2::254/128", "metadata", // AWS
	"fd20:ce::254/128", "metadata", // Google Cloud
	"::/128", "unspecified",
	"::1/128", "loopback",
	"::/96", "IPv4-compatible",
	"fc00::/7", "private",
	"fe80::/10", "link-local",
	"fec0::/10", "site-local",
	"ff00::/8", "multicast",
	"2001::/32", "Teredo",
	"2001::/23", "reserved",
	"2001:db8::/32", "documentation",
	"2002::/16", "6to4",
	"3fff::/20", "documentation",
)

// spans makes a list of pairs of prefix and name.
func spans(pairs ...string) (list []span) {
	for k := 0; k < len(pairs); k += 2 {
		list = append(list, span{netip.MustParsePrefix(pairs[k]), pairs[k+1]})
	}
	return list
}
