package admin_test

import (
	"net"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/admin"
)

func TestAProcessProvesThatItKnowsTheToken(t *testing.T) {
	s, _, _ := withAPI(t)
	nonce := strings.Repeat("0a", 32)
	at, err := net.ResolveTCPAddr("tcp", strings.TrimPrefix(s.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	status, proof, _ := exchange(t, s, request("GET", "/proof?nonce="+nonce, ""))
	if status != 200 || !admin.Proven(proof, token, nonce, at) || strings.Contains(proof, token) {
		t.Fatalf("got %d %q", status, proof)
	}
	mapped := *at
	mapped.IP = mapped.IP.To16()
	if !admin.Proven(proof, token, nonce, &mapped) {
		t.Error("the address in its other form is another one")
	}
	port, host := *at, *at
	port.Port++
	host.IP = net.IPv4(127, 0, 0, 2)
	for name, proven := range map[string]bool{
		"another token":   admin.Proven(proof, token+"x", nonce, at),
		"another nonce":   admin.Proven(proof, token, strings.Repeat("0b", 32), at),
		"another port":    admin.Proven(proof, token, nonce, &port),
		"another address": admin.Proven(proof, token, nonce, &host),
		"nothing":         admin.Proven("", token, nonce, at),
		"a part of it":    admin.Proven(proof[1:], token, nonce, at),
	} {
		if proven {
			t.Errorf("%s is proven", name)
		}
	}
	for _, nonce := range []string{"", "x", nonce[2:], nonce + "00", strings.Repeat("zz", 32)} {
		if status, body, _ := exchange(t, s, request("GET", "/proof?nonce="+nonce, "")); status != 400 || len(body) == len(proof) {
			t.Errorf("the nonce %q gets %d %q", nonce, status, body)
		}
	}
	closed := serving(t, admin.Config{Addresses: []string{"127.0.0.1:0"}, Control: &changes{}})
	if status, body, _ := exchange(t, closed, request("GET", "/proof?nonce="+nonce, "")); status != 404 || !strings.HasPrefix(body, "this process has no token") {
		t.Errorf("without a token: %d %q", status, body)
	}
}
