package admin

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/http"
	"net/netip"

	"github.com/wasmill/wasmill/host/stream"
)

// nonceBytes is the length of what a proof is asked with.
const nonceBytes = 32

// Proof is what shows to a peer, which knows a token too, that who listens at an
// address knows it: HMAC-SHA256 (RFC 2104) of the nonce that the peer has made for this
// one time and of the address, in hex. The address is in it so that somebody who
// listens elsewhere cannot pass on the answer of the process that is meant.
func Proof(token, nonce string, at net.Addr) string {
	where := at.String()
	if a, err := netip.ParseAddrPort(where); err == nil {
		where = netip.AddrPortFrom(a.Addr().Unmap(), a.Port()).String()
	}
	mac := hmac.New(sha256.New, []byte(token))
	mac.Write([]byte("wasmill proof 1\n" + nonce + "\n" + where))
	return hex.EncodeToString(mac.Sum(nil))
}

// Proven says whether an answer is the proof.
func Proven(answer, token, nonce string, at net.Addr) bool {
	return hmac.Equal([]byte(answer), []byte(Proof(token, nonce, at)))
}

// prove shows a peer that this process knows the token, which is how a peer finds out
// whom it would send it.
func (s *Server) prove(q *request) error {
	if s.token == "" {
		return refused{http.StatusNotFound, &stream.Error{Code: APIClosed, Where: "token", Why: "this process has no token, so there is nothing to prove", Fix: "ask without"}}
	}
	nonce := q.r.URL.Query().Get("nonce")
	if raw, err := hex.DecodeString(nonce); err != nil || len(raw) != nonceBytes {
		return &stream.Error{Code: APIRequest, Where: "nonce", Why: "it is not 32 bytes in hex", Fix: "make a random one for each request"}
	}
	at, ok := q.r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		panic("BUG: admin: a request came from nowhere")
	}
	answer(q.w, http.StatusOK, Proof(s.token, nonce, at))
	return nil
}
