// Package trust reads and writes what says which plugin files are let in: lists of their
// hashes, and signatures.
//
// A lock is text as sha256sum writes it, a line per file:
//
//	# a comment
//	8b1a9953c4611296a827abf8c47804d7e1…  plugins/grep.wasm
//
// that is 64 hexadecimal digits, two spaces (or a space and *) and a name, of which only
// what is behind the last / counts. A name may have several lines: each of them will do.
//
// A signature of NAME.wasm is the file NAME.wasm.sig: one line, the standard base64 (RFC
// 4648, padded) of the 64 bytes of an Ed25519 signature (RFC 8032) over 60 bytes: the 28 of
// the text "wasmill plugin signature v1\n", and the SHA-256 of the file. A public key is one
// line, the base64 of its 32 bytes; a private one is "wasmill-private-key:", a space and the
// base64 of its seed, so that none is taken for the other.
//
// It starts no goroutine. Errors say why, and not where: that the caller knows.
package trust
