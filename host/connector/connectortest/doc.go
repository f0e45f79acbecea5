// Package connectortest holds what every connector promises, as tests: one
// suite for sources, one for sinks and one for those sinks that show what they
// wrote only after a commit. A connector passes each in some twenty lines:
//
//	func TestConformance(t *testing.T) {
//		connectortest.TestSource(t, connectortest.Source{
//			New:  func(t *testing.T) stream.Source { … },
//			Want: []string{"a", "b"},
//		})
//	}
package connectortest
