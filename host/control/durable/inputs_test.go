package durable

import (
	"bytes"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/host/stream"
)

func same(p uint16) (uint16, bool) { return p, true }

func TestRecordsInFlightAreReadAsTheyWere(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var batches []*stream.Batch
		var want stream.Batch
		some := rapid.SliceOfN(rapid.Byte(), 0, 20)
		for range rapid.IntRange(0, 3).Draw(r, "batches") {
			b := &stream.Batch{}
			for range rapid.IntRange(0, 5).Draw(r, "records") {
				b.Append(rapid.Int64().Draw(r, "time"), some.Draw(r, "key"), some.Draw(r, "value"), some.Draw(r, "headers"))
				last := &b.Records[b.Len()-1]
				last.Seq, last.Port, last.Group = stream.Seq(rapid.Uint64().Draw(r, "seq")), rapid.Uint16().Draw(r, "port"), rapid.Uint16().Draw(r, "group")
			}
			want.AppendAll(b)
			batches = append(batches, b)
		}
		data, n := encodeInputs(batches)
		got, err := decodeInputs(data, same)
		if err != nil || n != want.Len() || got.Len() != n {
			r.Fatalf("%d of %d records, %v", got.Len(), n, err)
		}
		for i := range want.Records {
			a, b := want.Records[i], got.Records[i]
			if a.Time != b.Time || a.Seq != b.Seq || a.Port != b.Port || a.Group != b.Group || b.Source != stream.NoSource ||
				!bytes.Equal(want.Key(i), got.Key(i)) || !bytes.Equal(want.Value(i), got.Value(i)) || !bytes.Equal(want.Headers(i), got.Headers(i)) {
				r.Fatalf("record %d is %+v, it was %+v", i, b, a)
			}
		}
	})
}

func TestPortsOfRecordsInFlightFollowTheEdges(t *testing.T) {
	b := &stream.Batch{}
	for _, port := range []uint16{0, 1, 2, stream.EventTimer, 0} {
		b.Append(0, nil, []byte{byte(port)}, nil)
		b.Records[b.Len()-1].Port = port
	}
	data, _ := encodeInputs([]*stream.Batch{b})
	for _, test := range []struct {
		fit  fit
		want []uint16
	}{
		{fit{state: true, ports: []int{1, -1, 0}}, []uint16{1, 0, stream.EventTimer, 1}},
		{fit{ports: []int{0, 1}}, []uint16{0, 1, 0}},
	} {
		got, err := decodeInputs(data, test.fit.port)
		var ports []uint16
		for _, r := range got.Records {
			ports = append(ports, r.Port)
		}
		if err != nil || !slices.Equal(ports, test.want) {
			t.Errorf("ports %v, not %v (%v)", ports, test.want, err)
		}
	}
}

func FuzzInputs(f *testing.F) {
	b := &stream.Batch{}
	b.Append(-5, []byte("key"), []byte("value"), []byte("headers"))
	data, _ := encodeInputs([]*stream.Batch{b})
	f.Add(data)
	f.Add(data[:len(data)-1])
	f.Add([]byte{inputsVersion})
	f.Add([]byte{9})
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := decodeInputs(data, same)
		if err != nil {
			if stream.CodeOf(err) != stream.StateCorrupt {
				t.Fatal(err)
			}
			return
		}
		again, n := encodeInputs([]*stream.Batch{b})
		c, err := decodeInputs(again, same)
		if err != nil || c.Len() != n || n != b.Len() || b.Len() > len(data) {
			t.Fatalf("%d records, %d, %v", b.Len(), n, err)
		}
	})
}
