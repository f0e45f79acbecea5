package sdk

import "embed"

// Files has a folder for each language: c, rust, go, zig and assemblyscript. The tests of
// that in Go are in it, too.
//
//go:embed c/*.h rust/*.rs go/*.go zig/*.zig assemblyscript/*.ts
var Files embed.FS
