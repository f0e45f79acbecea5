package revision

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// Number counts the revisions of a pipeline, from 1.
type Number uint64

// Origin says what a revision came from.
type Origin string

// The origins.
const (
	Start  Origin = "start"  // it was found when the pipeline began
	File   Origin = "file"   // its file, or a plugin, was seen to change
	Asked  Origin = "api"    // somebody asked for a look at the config
	origin        = "origin" // its key in a file
)

// Revision is one accepted config of a pipeline.
type Revision struct {
	Number  Number    `json:"revision"`
	SHA256  string    `json:"sha256"` // of the content, hex
	Time    time.Time `json:"time"`   // when it was accepted
	Origin  Origin    `json:"origin"`
	Class   string    `json:"class,omitempty"` // of the change; empty = there was none before
	Content []byte    `json:"-"`               // of the pipeline's file
}

// Sum is what SHA256 has of a content.
func Sum(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}
