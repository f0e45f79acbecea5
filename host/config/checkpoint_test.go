package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/config"
)

func TestAPipelineHasCheckpointsIfItSaysSo(t *testing.T) {
	equal(t, "none", pipeline(t, small).Checkpoint, (*config.Checkpoint)(nil))
	p := pipeline(t, small+"checkpoint: {storage: file://./data/checkpoints}\n")
	equal(t, "defaults", p.Checkpoint, &config.Checkpoint{
		Storage: config.Storage{Folder: "./data/checkpoints"},
		Live: config.CheckpointSettings{
			Interval: config.Interval{Fixed: 10 * time.Second}, Retain: 3,
			Timeout: 10 * time.Minute, AlignTimeout: 10 * time.Second, TolerableFailures: 1000,
		},
	})
	p = pipeline(t, small+"checkpoint: {storage: s3://bucket/a/b/, retain: 7, retainFor: 1h, timeout: 0s, minPause: 2s, alignTimeout: 1s, tolerableFailures: 0}\n",
		"checkpoint.retain=8", "checkpoint.interval=200ms")
	equal(t, "storage", p.Checkpoint.Storage, config.Storage{Bucket: "bucket", Prefix: "a/b"})
	equal(t, "live", p.Checkpoint.Live, config.CheckpointSettings{
		Interval: config.Interval{Fixed: 200 * time.Millisecond}, Retain: 8, RetainFor: time.Hour, MinPause: 2 * time.Second, AlignTimeout: time.Second,
	})
	equal(t, "place", p.Where("checkpoint.storage"), "0.yaml:9:23 (checkpoint.storage)")
}

func TestAnIntervalIsADurationOrAdaptive(t *testing.T) {
	usual := config.Adaptive{Min: time.Second, Max: 10 * time.Minute}
	tests := map[string]struct {
		want config.Interval
		text string
	}{
		"0s":                      {config.Interval{}, "on request"},
		"10ms":                    {config.Interval{Fixed: 10 * time.Millisecond}, "10ms"},
		"24h":                     {config.Interval{Fixed: 24 * time.Hour}, "24h0m0s"},
		"adaptive":                {config.Interval{Adaptive: &usual}, "adaptive, 1s to 10m0s"},
		"{adaptive: {}}":          {config.Interval{Adaptive: &usual}, "adaptive, 1s to 10m0s"},
		"{adaptive: {max: 1h}}":   {config.Interval{Adaptive: &config.Adaptive{Min: time.Second, Max: time.Hour}}, "adaptive, 1s to 1h0m0s"},
		"{adaptive: {min: 10ms}}": {config.Interval{Adaptive: &config.Adaptive{Min: 10 * time.Millisecond, Max: 10 * time.Minute}}, "adaptive, 10ms to 10m0s"},
		"{adaptive: {min: 2s, max: 2s, recoveryTime: 1m}}": {config.Interval{Adaptive: &config.Adaptive{Min: 2 * time.Second, Max: 2 * time.Second, RecoveryTime: time.Minute}}, "adaptive, 2s to 2s"},
	}
	for text, test := range tests {
		p := pipeline(t, small+"checkpoint: {storage: file:///data, interval: "+text+"}\n")
		equal(t, text, p.Checkpoint.Live.Interval, test.want)
		equal(t, text+" as text", p.Checkpoint.Live.Interval.String(), test.text)
		p = pipeline(t, small+"checkpoint: {storage: file:///data}\n", "checkpoint.interval="+text)
		equal(t, text+" by --set", p.Checkpoint.Live.Interval, test.want)
	}
	p := pipeline(t, small+"checkpoint: {storage: file:///data, interval: adaptive}\n", "checkpoint.interval.adaptive.max=5m")
	equal(t, "bound of the short form", p.Checkpoint.Live.Interval.Adaptive, &config.Adaptive{Min: time.Second, Max: 5 * time.Minute})
}

func TestAStorageReadsBack(t *testing.T) {
	good := map[string]config.Storage{
		"file://./a": {Folder: "./a"}, "file://..": {Folder: ".."}, "file:///a b/%20": {Folder: "/a b/%20"}, "file://.": {Folder: "."},
		"s3://abc": {Bucket: "abc"}, "s3://a.b-9/p": {Bucket: "a.b-9", Prefix: "p"}, "s3://abc/p/Q_1-2.3": {Bucket: "abc", Prefix: "p/Q_1-2.3"},
		"s3://abc/" + strings.Repeat("p", 128): {Bucket: "abc", Prefix: strings.Repeat("p", 128)},
	}
	for text, want := range good {
		var got config.Storage
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want || got.String() != text {
			t.Errorf("%q is %+v (%s), %v", text, got, got, err)
		}
	}
	for _, text := range []string{
		"", "a", "file:", "file:/a", "file://", "file://a", "FILE:///a", "http://a", "s3:", "s3://", "s3://ab", "s3://ABC", "s3://-ab", "s3://ab-", "s3://a..b", "s3://a_b",
		"s3://abc/a//b", "s3://abc/.a", "s3://abc/a/../b", "s3://abc/a b", "s3://abc/ä", "s3://abc?x=y", "s3://abc/p?x", "s3://k:s@abc/p", "s3://abc/k@p",
		"s3://" + strings.Repeat("a", 64), "s3://abc/" + strings.Repeat("p", 129), "s3://abc" + strings.Repeat("/ppp", 101), "file:///a\x00",
	} {
		got := config.Storage{Folder: "as before"}
		if err := got.UnmarshalText([]byte(text)); err == nil || got.Folder != "as before" {
			t.Errorf("%q is %+v, %v", text, got, err)
		}
	}
}
