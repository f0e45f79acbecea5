package drop_test

import (
	"testing"

	"github.com/wasmill/wasmill/host/connector/connectortest"
	"github.com/wasmill/wasmill/host/connector/drop"
	"github.com/wasmill/wasmill/host/stream"
)

func TestConformance(t *testing.T) {
	connectortest.TestSink(t, connectortest.Sink{New: func(*testing.T) (stream.Sink, func() []string) {
		return drop.NewSink(drop.DefaultSink()), nil
	}})
}

func TestCounts(t *testing.T) {
	sink := drop.NewSink(drop.DefaultSink())
	var b stream.Batch
	b.Append(1, []byte("key"), []byte("four"), nil)
	b.Append(1, nil, nil, nil)
	for range 3 {
		if err := sink.Write(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
	}
	if sink.Records() != 6 || sink.Bytes() != 12 {
		t.Errorf("counted %d records of %d bytes", sink.Records(), sink.Bytes())
	}
}
