package admin_test

import (
	"strings"
	"testing"
)

// TestWhatIsRefusedChangesNothing sends what attackers try, with the right token where
// not said otherwise, so that nothing else keeps it out: scenario X1.
func TestWhatIsRefusedChangesNothing(t *testing.T) {
	s, control, _ := withAPI(t)
	pause := `{"phase":"paused"}`
	const phase, reload = "/api/v1/pipelines/p/phase", "/api/v1/reload"
	head := func(lines ...string) string { return strings.Join(lines, "\n") + "\nConnection: close\n\n" }
	chunked := func(body string) string {
		return "1ffff\r\n" + body + strings.Repeat(" ", 0x1ffff-len(body)) + "\r\n0\r\n\r\n"
	}
	tests := []struct {
		name, request string
		status        int
	}{
		{"a form of another origin", request("POST", reload, "", bearer, "Origin: https://evil.example"), 403},
		{"a form of a sandboxed frame", request("POST", reload, "", bearer, "Origin: null"), 403},
		{"an origin that is empty", request("POST", reload, "", bearer, "Origin:"), 403},
		{"an origin of the same name at another port", request("POST", reload, "", bearer, "Origin: http://127.0.0.1:1"), 403},
		{"an origin of another scheme", request("POST", reload, "", bearer, "Origin: https://ADDRESS"), 403},
		{"a name that was rebound to this machine", strings.Replace(request("POST", reload, "", bearer), "Host: ADDRESS", "Host: rebound.evil.example:7676", 1), 403},
		{"a name that ends like the right one", strings.Replace(request("POST", reload, "", bearer), "Host: ADDRESS", "Host: evil-localhost", 1), 403},
		{"the name of no host, by which 0.0.0.0 is asked", strings.Replace(request("POST", reload, "", bearer), "Host: ADDRESS", "Host: 0.0.0.0", 1), 403},
		{"two hosts", strings.Replace(request("POST", reload, "", bearer), "Host: ADDRESS", "Host: ADDRESS\nHost: evil.example", 1), 400},
		{"no host", strings.Replace(request("POST", reload, "", bearer), "Host: ADDRESS\n", "", 1), 400},
		{"no host, by HTTP/1.0 that needs none", head("POST "+reload+" HTTP/1.0", bearer), 403},
		{"a foreign host in the target", strings.Replace(request("POST", reload, "", bearer), "POST /", "POST http://evil.example/", 1), 403},

		{"a token in the query", request("POST", reload+"?token="+token+"&access_token="+token, ""), 401},
		{"a token in the body", request("POST", reload, `{"token":"`+token+`"}`), 401},
		{"a token in a cookie", request("POST", reload, "", "Cookie: token="+token), 401},
		{"a token as a password", request("POST", reload, "", "Authorization: Basic "+token), 401},
		{"a part of the token", request("POST", reload, "", bearer[:len(bearer)-1]), 401},
		{"the token with space behind it and more", request("POST", reload, "", bearer+" x"), 401},
		{"the token in other letters", request("POST", reload, "", "Authorization: Bearer "+strings.ToUpper(token)), 401},
		{"the token twice", request("POST", reload, "", bearer, bearer), 401},
		{"the token in a line that goes on the one before", request("POST", reload, "", "X: y\n "+bearer), 401},

		{"a doubled slash in front", request("POST", "/"+reload, "", bearer), 404},
		{"a doubled slash within", request("POST", "/api//v1/reload", "", bearer), 404},
		{"a slash at the end", request("POST", reload+"/", "", bearer), 404},
		{"dots", request("POST", "/healthz/../api/v1/reload", "", bearer), 404},
		{"dots without a token", request("POST", "/healthz/../api/v1/reload", ""), 404},
		{"escaped dots", request("POST", "/api/v1/x/%2e%2e/reload", "", bearer), 404},
		{"escaped dots without a token", request("POST", "/healthz/%2e%2e/api/v1/reload", ""), 404},
		{"an escaped slash", request("POST", "/api%2fv1%2freload", "", bearer), 404},
		{"an escaped slash in a name", request("POST", "/api/v1/pipelines/p%2fphase", pause, bearer), 404},
		{"a slash that is escaped twice", request("POST", "/api/v1/pipelines/p%252fphase", pause, bearer), 405},
		{"an escaped letter", request("POST", "/api/v1/reloa%64", "", bearer), 404},
		{"other letters", request("POST", "/API/v1/reload", "", bearer), 404},
		{"a zero byte", request("POST", reload+"%00", "", bearer), 404},
		{"a broken escape", request("POST", reload+"%zz", "", bearer), 400},
		{"a parameter of the path", request("POST", reload+";x=y", "", bearer), 404},
		{"a backslash", request("POST", `/api\v1\reload`, "", bearer), 404},
		{"a path without a slash", request("POST", "api/v1/reload", "", bearer), 400},

		{"a change by GET", request("GET", reload, "", bearer), 405},
		{"a change by HEAD", request("HEAD", reload, "", bearer), 405},
		{"a change by another method that is overridden", request("GET", reload+"?_method=POST", "", bearer, "X-HTTP-Method-Override: POST"), 405},
		{"a method in small letters", request("post", reload, "", bearer), 405},
		{"what a browser asks before", request("OPTIONS", reload, "", bearer, "Origin: https://evil.example", "Access-Control-Request-Method: POST"), 403},
		{"a trace", request("TRACE", reload, "", bearer), 405},

		{"headers that are too large", request("POST", reload, "", bearer, "X: "+strings.Repeat("x", 32<<10)), 431},
		{"too many headers", request("POST", reload, "", bearer, strings.TrimSuffix(strings.Repeat("X: y\n", 8<<10), "\n")), 431},
		{"a target that is too long", request("POST", reload+"?"+strings.Repeat("x", 32<<10), "", bearer), 431},
		{"a body that is too large", request("POST", phase, pause+strings.Repeat(" ", 64<<10), bearer), 413},
		{"a body that is too large, in chunks", head("POST "+phase+" HTTP/1.1", "Host: ADDRESS", "Content-Type: application/json", "Transfer-Encoding: chunked", bearer) + chunked(pause), 413},
		{"a length that is negative", strings.Replace(request("POST", reload, "", bearer), "Content-Length: 0", "Content-Length: -1", 1), 400},
		{"two lengths", strings.Replace(request("POST", phase, pause, bearer), "Content-Type", "Content-Length: 0\nContent-Type", 1), 400},
		{"a coding that is not known", strings.Replace(request("POST", phase, pause, bearer), "Content-Type", "Transfer-Encoding: gzip\nContent-Type", 1), 501},
		{"a form", strings.Replace(request("POST", phase, "phase=paused", bearer), "application/json", "application/x-www-form-urlencoded", 1), 415},
		{"text, as forms of other origins can send", strings.Replace(request("POST", phase, pause, bearer), "application/json", "text/plain", 1), 415},
		{"HTTP/2 without TLS", "PRI * HTTP/2.0\n\nSM\r\n\r\n", 403},
		{"another version", head("POST "+reload+" HTTP/3.0", "Host: ADDRESS", bearer), 505},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			status, body, header := exchange(t, s, test.request)
			if status != test.status {
				t.Errorf("got %d %.200s", status, body)
			}
			if done := control.taken(); done != "" {
				t.Errorf("it did %s", done)
			}
			for name := range header {
				if strings.HasPrefix(name, "Access-Control-") || name == "Location" || name == "Set-Cookie" {
					t.Errorf("the headers are %v", header)
				}
			}
			if strings.Contains(body, token) {
				t.Errorf("the answer has the token: %s", body)
			}
		})
	}
	if status, _, _ := exchange(t, s, request("POST", phase, pause, bearer)); status != 202 || control.taken() != "p is paused" {
		t.Errorf("what is as it has to be gets %d", status)
	}
}
