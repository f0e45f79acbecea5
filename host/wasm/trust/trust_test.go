package trust

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var (
	one = strings.Repeat("01", 32)
	two = strings.Repeat("ab", 32)
)

func TestALockIsWhatSha256sumWrites(t *testing.T) {
	text := "# of today\n\n   # and more\n" + one + "  plugins/grep.wasm\n" + strings.ToUpper(two) + " */opt/x y.wasm\r\n" +
		two + "  grep\n" + two + "  grep.wasm\n" + one + "  last.wasm" // without an end
	l, err := ParseLock([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]string{"grep": {one, two}, "x y": {two}, "last": {one}, "other": nil, "plugins/grep": nil} {
		if got := l.Hashes(name); !slices.Equal(got, want) {
			t.Errorf("%s: %v, not %v", name, got, want)
		}
	}
	if l, err := ParseLock([]byte(Line(one, "a/b.wasm"))); err != nil || !slices.Equal(l.Hashes("b"), []string{one}) {
		t.Errorf("a line of our own: %v", err)
	}
}

func TestABadLockIsRefusedByItsLine(t *testing.T) {
	const digits = "line 2: it does not begin with 64 hexadecimal digits"
	const spaces = "line 2: after the digits there are not two spaces and a name"
	for line, want := range map[string]string{
		"grep.wasm":                digits,
		one[1:] + "  grep.wasm":    digits,
		"x" + one[1:] + "  g.wasm": digits,
		" " + one + "  grep.wasm":  digits,
		one:                        spaces,
		one + " grep.wasm":         spaces,
		one + "\tgrep.wasm":        spaces,
		one + "00  grep.wasm":      spaces,
		one + "  ":                 `line 2: "" is not the name of a plugin`,
		one + "  plugins/":         `line 2: "" is not the name of a plugin`,
		one + "  .wasm":            `line 2: "" is not the name of a plugin`,
		one + "  .hidden.wasm":     `line 2: ".hidden" is not the name of a plugin`,
		one + "  a\x00.wasm":       `line 2: "a\x00" is not the name of a plugin`,
		one + "  a\xff.wasm":       `line 2: "a\xff" is not the name of a plugin`,
		"\\" + one + `  a\n.wasm`:  digits, // as sha256sum escapes names
	} {
		if _, err := ParseLock([]byte("# ok\n" + line + "\n")); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", line, err, want)
		}
	}
}

func TestASignatureIsOfOneFileByOneKey(t *testing.T) {
	key, other := NewPrivate(), NewPrivate()
	hash, changed := sha256.Sum256([]byte("a")), sha256.Sum256([]byte("b"))
	s, err := ParseSignature(Sign(key, hash).String() + "\n")
	if err != nil {
		t.Fatal(err)
	}
	if by, ok := s.By([]PublicKey{other.Public(), key.Public()}, hash); !ok || by != key.Public() {
		t.Error("it is not found to be by one of two keys")
	}
	for name, ok := range map[string]bool{
		"another file":  second(s.By([]PublicKey{key.Public()}, changed)),
		"another key":   second(s.By([]PublicKey{other.Public()}, hash)),
		"no key at all": second(s.By(nil, hash)),
	} {
		if ok {
			t.Errorf("%s: it holds", name)
		}
	}
	for i := range s {
		bad := s
		bad[i] ^= 1
		if second(bad.By([]PublicKey{key.Public()}, hash)) {
			t.Errorf("it holds with another byte %d", i)
		}
	}
}

func second[T any](_ T, ok bool) bool { return ok }

// TestTheFormatOfASignature makes one as the documentation says, without this package.
func TestTheFormatOfASignature(t *testing.T) {
	seed := make([]byte, ed25519.SeedSize)
	seed[0] = 7
	private := ed25519.NewKeyFromSeed(seed)
	hash := sha256.Sum256([]byte("a plugin"))
	want := base64.StdEncoding.EncodeToString(ed25519.Sign(private, append([]byte("wasmill plugin signature v1\n"), hash[:]...)))
	key, err := ParsePrivate("wasmill-private-key: " + base64.StdEncoding.EncodeToString(seed))
	if err != nil {
		t.Fatal(err)
	}
	if got := Sign(key, hash).String(); got != want {
		t.Errorf("got %s, not %s", got, want)
	}
	if got := key.Public().String(); got != base64.StdEncoding.EncodeToString(private[ed25519.SeedSize:]) {
		t.Errorf("the public key is %s", got)
	}
	bare := Signature(ed25519.Sign(private, hash[:])) // for whatever purpose
	if second(bare.By([]PublicKey{key.Public()}, hash)) {
		t.Error("one of the bare hash holds, too")
	}
	if got := hex.EncodeToString(signed(hash)[:28]); got != hex.EncodeToString([]byte(prefix)) || len(signed(hash)) != 60 {
		t.Errorf("signed are %d bytes", len(signed(hash)))
	}
}

func TestBadKeysAndSignatures(t *testing.T) {
	key := NewPrivate()
	public, private, signature := key.Public().String(), key.Text(), Sign(key, [32]byte{}).String()
	is := func(_ any, err error) error { return err }
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"a private key as public one", is(ParsePublic(private)), "it is a private key, which nobody but its owner should have; the public one is in the file beside it that ends in .pub"},
		{"a public key as private one", is(ParsePrivate(public)), `it is not a private key: it does not begin with "wasmill-private-key: "`},
		{"nothing as public key", is(ParsePublic("")), "it is not a public key: it has 0 bytes instead of 32"},
		{"a signature as public key", is(ParsePublic(signature)), "it is not a public key: it has 64 bytes instead of 32"},
		{"a public key that is cut off", is(ParsePublic(public[:40])), "it is not a public key: it has 30 bytes instead of 32"},
		{"a public key that is not base64", is(ParsePublic(public[:10] + "*" + public[11:])), "it is not a public key: it is not base64"},
		{"two public keys", is(ParsePublic(public + "\n" + public)), "it is not a public key: it has more than one line"},
		{"a private key that is cut off", is(ParsePrivate(private[:len(private)-4])), "it is not a private key: it has 30 bytes instead of 32"},
		{"a public key as signature", is(ParseSignature(public)), "it is not a signature: it has 32 bytes instead of 64"},
		{"a signature without its end", is(ParseSignature(signature[:len(signature)-1])), "it is not a signature: it is not base64"},
		{"two signatures", is(ParseSignature(signature + "\n" + signature)), "it is not a signature: it has more than one line"},
		{"the bytes themselves", is(ParseSignature(strings.Repeat("\x00", 64))), "it is not a signature: it is not base64"},
	} {
		if tt.err == nil || tt.err.Error() != tt.want {
			t.Errorf("%s: got %v, want %s", tt.name, tt.err, tt.want)
		}
	}
	if got := fmt.Sprintf("%v %+v %d %#v", key, key, key, key); got != "*** *** *** ***" {
		t.Errorf("a private key is printed: %s", got)
	}
}

func TestFilesOfKeysAreGuarded(t *testing.T) {
	dir := t.TempDir()
	key := NewPrivate()
	put := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if k, err := ReadPrivate(put("key", key.Text()+"\n", 0o600)); err != nil || k != key {
		t.Errorf("got %v", err)
	}
	if k, err := ReadPublic(put("key.pub", key.Public().String()+"\n", 0o644)); err != nil || k != key.Public() {
		t.Errorf("got %v", err)
	}
	is := func(_ any, err error) error { return err }
	for want, err := range map[string]error{
		"others may use it (mode 0640): chmod go=":     is(ReadPrivate(put("open", key.Text(), 0o640))),
		"others may use it (mode 0646): chmod o-w":     is(ReadPublic(put("open.pub", key.Public().String(), 0o646))),
		"others may use it (mode 0602): chmod o-w":     is(ReadLock(put("open.lock", "", 0o602))),
		"it has more than 4096 bytes":                  is(ReadPublic(put("large", strings.Repeat("x", 5000), 0o600))),
		"it cannot be read: no such file or directory": is(ReadLock(filepath.Join(dir, "none"))),
		"it is not a regular file":                     is(ReadLock(dir)),
	} {
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func FuzzParseLock(f *testing.F) {
	f.Add([]byte("# x\n" + one + "  plugins/grep.wasm\n" + two + " *a.wasm"))
	f.Add([]byte(one + "  a\x00\n\\" + one + "  b"))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := ParseLock(data)
		if (l == nil) == (err == nil) {
			t.Fatalf("got both or neither of %v and %v", l, err)
		}
		if err != nil {
			return
		}
		for name, hashes := range l.hashes { // what was read can be written, and read again
			for _, hash := range hashes {
				again, err := ParseLock([]byte(Line(hash, "plugins/"+name+ext)))
				if err != nil || !slices.Equal(again.Hashes(name), []string{hash}) {
					t.Fatalf("%q %s: %v", name, hash, err)
				}
			}
		}
	})
}

func FuzzParseSignature(f *testing.F) {
	key := NewPrivate()
	f.Add(Sign(key, [32]byte{1}).String() + "\n")
	f.Add(key.Public().String())
	f.Add(key.Text())
	f.Fuzz(func(t *testing.T, text string) {
		if s, err := ParseSignature(text); err == nil && s.String() != strings.TrimSpace(text) {
			t.Fatalf("%q is read as %s", text, s)
		}
		if k, err := ParsePublic(text); err == nil && k.String() != strings.TrimSpace(text) {
			t.Fatalf("%q is read as %s", text, k)
		}
		if k, err := ParsePrivate(text); err == nil && k.Text() != strings.TrimSpace(text) {
			t.Fatalf("%q is read as another key", text)
		}
	})
}
