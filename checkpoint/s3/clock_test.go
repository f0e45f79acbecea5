package s3

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestTheClockOfTheServerIsRead(t *testing.T) {
	for _, c := range []struct {
		name  string
		ahead time.Duration
		date  string // in place of that
	}{
		{"it is the same", 0, ""},
		{"it is ahead", 20 * time.Minute, ""},
		{"it is behind", -time.Hour, ""},
		{"it does not say", 0, "soon"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Date", time.Now().Add(c.ahead).UTC().Format(http.TimeFormat))
				if c.date != "" {
					w.Header().Set("Date", c.date)
				}
				w.WriteHeader(http.StatusForbidden)
			}))
			defer server.Close()
			s, err := New(Config{Endpoint: server.URL, Bucket: "bucket", PathStyle: true, TLS: TLS{Off: true}, Credentials: Credentials{AccessKey: "a", SecretKey: "b"}})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			got, err := s.Ahead(t.Context())
			if (err != nil) != (c.date != "") || (got-c.ahead).Abs() > 5*time.Second {
				t.Errorf("it is %v ahead, %v", got, err)
			}
		})
	}
}
