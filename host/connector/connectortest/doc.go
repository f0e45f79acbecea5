// Package connectortest holds what every connector promises, as tests: one
// suite for sources and one for sinks. A connector passes it in some twenty
// lines:
//
//	func TestConformance(t *testing.T) {
//		connectortest.TestSource(t, connectortest.Source{
//			New:  func(t *testing.T) stream.Source { … },
//			Want: []string{"a", "b"},
//		})
//	}
package connectortest
