package control

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
)

// TestStatusIsReadable also holds the names that scripts rely on.
func TestStatusIsReadable(t *testing.T) {
	var none pipeline.Latency
	at := stream.Watermark(time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC).UnixNano())
	got, err := json.MarshalIndent(vertexStatus(pipeline.Stats{
		Vertex: "f", Role: pipeline.RoleTransform, RecordsIn: 1, RecordsOut: 2, BytesOut: 3, Unrouted: 4, Calls: 5, Retries: 6, DeadLetters: 7,
		Dropped: [3]uint64{8, 9, 10}, Late: 11, Watermark: at, Idle: true, InFlight: 12, Permits: 13, Oldest: 1500 * time.Millisecond,
		Input: pipeline.Usage{Records: 14, Bytes: 15, Latency: &none}, Processing: pipeline.Usage{Latency: &none}, Output: pipeline.Usage{Latency: &none},
		Edges: []pipeline.EdgeStats{{From: "a", Watermark: stream.NoWatermark}, {From: "b", Watermark: at}},
	}, &config.Vertex{UDF: &config.UDF{}, Queue: config.Stage{MaxRecords: 10, MaxBytes: 20}, Processing: config.Batch{MaxRecords: 30, MaxBytes: 40}}), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	const want = `{
 "vertex": "f",
 "role": "udf",
 "records_in": 1,
 "records_out": 2,
 "bytes_out": 3,
 "unrouted": 4,
 "calls": 5,
 "retries": 6,
 "dead_letters": 7,
 "dropped": {
  "newest": 8,
  "oldest": 9,
  "error": 10
 },
 "late": 11,
 "watermark": "2026-01-02T03:04:05.006Z",
 "ended": false,
 "idle": true,
 "stages": [
  {
   "stage": "input",
   "records": 14,
   "bytes": 15,
   "max_records": 20,
   "max_bytes": 40,
   "p50_seconds": 0,
   "p99_seconds": 0
  },
  {
   "stage": "processing",
   "records": 0,
   "bytes": 0,
   "max_records": 30,
   "max_bytes": 40,
   "p50_seconds": 0,
   "p99_seconds": 0
  },
  {
   "stage": "output",
   "records": 0,
   "bytes": 0,
   "max_records": 0,
   "max_bytes": 0,
   "p50_seconds": 0,
   "p99_seconds": 0
  }
 ],
 "in_flight": 12,
 "permits": 13,
 "oldest_seconds": 1.5,
 "edges": [
  {
   "from": "a",
   "watermark": null
  },
  {
   "from": "b",
   "watermark": "2026-01-02T03:04:05.006Z"
  }
 ]
}`
	if string(got) != want {
		t.Errorf("got %s", got)
	}
	end := vertexStatus(pipeline.Stats{Role: pipeline.RoleSource, Watermark: stream.EndOfTime}, &config.Vertex{Source: &config.Component{}})
	if end.Watermark != nil || !end.Ended || len(end.Stages) != 0 {
		t.Errorf("a source that has ended is %+v", end)
	}
}
