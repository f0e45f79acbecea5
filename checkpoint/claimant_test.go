package checkpoint

import (
	"strings"
	"testing"
)

// TestClaimsSayForWhomTheyAre has some of an instance, of a foreground run and of what names nobody, and
// one that is damaged.
func TestClaimsSayForWhomTheyAre(t *testing.T) {
	s := newMemory()
	r := Reader{Store: s, Pipeline: "p"}
	if all, err := r.Claims(t.Context()); err != nil || len(all) > 0 {
		t.Errorf("there is %+v, %v", all, err)
	}
	for _, process := range []string{ProcessOf("a@1"), ProcessOf(""), ""} {
		w, err := Claim(t.Context(), WriterConfig{Store: s, Pipeline: "p", Process: process})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
	}
	if err := s.Create(t.Context(), layout("p").claim(4), []byte("no JSON")); err != nil {
		t.Fatal(err)
	}
	all, err := r.Claims(t.Context())
	if err != nil || len(all) != 4 {
		t.Fatalf("%+v, %v", all, err)
	}
	for i, want := range []Claimed{{Generation: 4}, {Generation: 3}, {Generation: 2, Named: true}, {Generation: 1, Named: true, Claimant: "a@1"}} {
		got := all[i]
		if known := got.PID > 0 && !got.Created.IsZero(); known != (i > 0) {
			t.Errorf("%+v", got)
		}
		if got.Generation != want.Generation || got.Named != want.Named || got.Claimant != want.Claimant {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	if a, b := ProcessOf("a"), ProcessOf("a"); a == b || !strings.HasPrefix(a, "a/") {
		t.Errorf("processes are %s and %s", a, b)
	}
}

// TestClaimsAreTheNewest has more than are looked at.
func TestClaimsAreTheNewest(t *testing.T) {
	s := newMemory()
	for range maxClaims + 3 {
		claim(t, s).Close()
	}
	all, err := (&Reader{Store: s, Pipeline: "p"}).Claims(t.Context())
	if err != nil || len(all) != maxClaims || all[0].Generation != maxClaims+3 || all[maxClaims-1].Generation != 4 {
		t.Errorf("%+v, %v", all, err)
	}
}
