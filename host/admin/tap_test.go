package admin

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// taps is a Tapper whose taps show one thing after the other.
type taps struct {
	shows  []Tapped
	asked  TapQuery
	of     string
	closed int
}

func (f *taps) Tap(pipeline string, q TapQuery) (Tap, error) {
	if q.Vertex == "none" {
		return nil, &stream.Error{Code: TapUnknown, Where: "none", Why: "there is no such vertex", Fix: "did you mean one?"}
	}
	f.of, f.asked = pipeline, q
	return &fakeTap{f, 0}, nil
}

type fakeTap struct {
	*taps
	next int
}

func (f *fakeTap) Close() { f.closed++ }

func (f *fakeTap) Take() Tapped {
	if f.next++; f.next <= len(f.shows) {
		return f.shows[f.next-1]
	}
	return Tapped{}
}

// tapped asks a server for a tap and returns the answer.
func tapped(f *taps, query string) (int, string) {
	s := newServer(Config{Token: "0123456789abcdefghij", Control: one{}, Tapper: f})
	r := httptest.NewRequest("GET", "/api/v1/pipelines/p/tap"+query, nil)
	r.Host = "localhost"
	r.Header.Set("Authorization", "Bearer 0123456789abcdefghij")
	w := &deadlines{httptest.NewRecorder()}
	s.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// deadlines is a recorder that takes deadlines for writing.
type deadlines struct{ *httptest.ResponseRecorder }

func (deadlines) SetWriteDeadline(time.Time) error { return nil }

func record(value string) TapRecord {
	return TapRecord{Time: time.Unix(0, 5).UTC(), Value: TapBytes{[]byte(value), len(value)}, Vertex: "v"}
}

func TestATapIsFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &taps{shows: []Tapped{
			{Records: []TapRecord{record("a\nb")}}, {}, {Absent: true, Missed: 3}, {Absent: true},
			{Records: []TapRecord{record("c")}, LeftOut: 7, Missed: 2}, {Ended: true, Records: []TapRecord{record("d")}},
		}}
		status, text := tapped(f, "?vertex=v&key=&contains=x+y&tag=t&rate=5&bytes=9")
		const at = `"time":"1970-01-01T00:00:00.000000005Z"`
		want := strings.Join([]string{
			": records",
			"event: record\ndata: {" + at + `,"value":"a\nb","vertex":"v"}`,
			"event: absent\ndata: {\"absent\":true}",
			"event: missed\ndata: {\"left_out\":0,\"missed\":3}",
			"event: absent\ndata: {\"absent\":false}",
			"event: record\ndata: {" + at + `,"value":"c","vertex":"v"}`,
			"event: missed\ndata: {\"left_out\":7,\"missed\":2}",
			"event: record\ndata: {" + at + `,"value":"d","vertex":"v"}`,
			"event: end\ndata: {\"why\":\"pipeline\"}", "",
		}, "\n\n")
		if status != 200 || text != want {
			t.Errorf("%d:\n%s\nwant\n%s", status, text, want)
		}
		key := ""
		if got, want := fmt.Sprintf("%+v", f.asked), fmt.Sprintf("%+v", TapQuery{Vertex: "v", Tag: "t", Contains: "x y", Rate: 5, Bytes: 9, Key: f.asked.Key}); got != want || f.asked.Key == nil || *f.asked.Key != key || f.of != "p" {
			t.Errorf("it was asked for %s of %s, want %s", got, f.of, want)
		}
		if f.closed != 1 {
			t.Errorf("it was closed %d times", f.closed)
		}
	})
}

func TestATapEndsAtItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &taps{shows: []Tapped{{Records: []TapRecord{record("a")}}, {Records: []TapRecord{record("b"), record("c"), record("d")}, LeftOut: 1}}}
		_, text := tapped(f, "?edge=a%E2%86%92b&limit=2")
		if strings.Count(text, "event: record") != 2 || !strings.HasSuffix(text, "\n\nevent: missed\ndata: {\"left_out\":3,\"missed\":0}\n\nevent: end\ndata: {\"why\":\"limit\"}\n\n") || f.closed != 1 {
			t.Errorf("got %s", text)
		}
		if q := f.asked; q.From != "a" || q.To != "b" || q.Vertex != "" || q.Rate != UsualTapRate || q.Bytes != UsualTapBytes || q.Key != nil {
			t.Errorf("it was asked for %+v", q)
		}
	})
}

func TestWhatOneCannotTap(t *testing.T) {
	for query, want := range map[string]string{
		"":                         "name a vertex, or an edge as FROM-\\u003eTO",
		"?vertex=v&edge=a-%3Eb":    "it takes one of them",
		"?edge=a":                  "that is no edge",
		"?edge=a-%3E":              "that is no edge",
		"?vertex=v&rat=5":          "there are vertex, edge, tag, key, contains, limit, rate, bytes",
		"?vertex=v&vertex=w":       "it is given more than once",
		"?vertex=v&rate=0":         "use 1 to 10000",
		"?vertex=v&bytes=65537":    "use 1 to 65536",
		"?vertex=v&limit=-1":       "use 0 to 1073741824",
		"?vertex=v&limit=a%1B%5Bm": "is out of range",
		"?vertex=none":             "did you mean one?",
	} {
		f := &taps{}
		status, text := tapped(f, query)
		if code := http.StatusBadRequest; status != code && query != "?vertex=none" || query == "?vertex=none" && status != 404 || !strings.Contains(text, want) || f.closed > 0 {
			t.Errorf("%s: %d %s", query, status, text)
		}
	}
}

func TestATapOfWhoeverReadsNothingEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &taps{}
		for range 1000 {
			f.shows = append(f.shows, Tapped{Records: []TapRecord{record("a")}})
		}
		client, gone, cancel, ended := connected(Config{Token: "0123456789abcdefghij", Control: one{}, Tapper: f})
		if _, err := io.WriteString(client, "GET /api/v1/pipelines/p/tap?vertex=v"+headers); err != nil {
			t.Fatal(err)
		}
		<-gone
		synctest.Wait()
		if f.closed != 1 {
			t.Errorf("it was closed %d times", f.closed)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestARecordAsJSON(t *testing.T) {
	for name, test := range map[string]struct {
		record TapRecord
		want   string
	}{
		"text":             {TapRecord{Key: TapBytes{[]byte("k"), 1}, Value: TapBytes{[]byte("é\x1b\"<"), 5}, Edge: "a->b", Tag: "t"}, `"edge":"a-\u003eb","key":"k","tag":"t",T,"value":"é\u001b\"\u003c"`},
		"bytes":            {TapRecord{Key: TapBytes{[]byte{0xff}, 1}, Value: TapBytes{[]byte{0, 0xfe}, 2}}, `"key_base64":"/w==",T,"value_base64":"AP4="`},
		"cut":              {TapRecord{Key: TapBytes{[]byte("k"), 9}, Value: TapBytes{[]byte("aé"), 7}}, `"key":"k","key_bytes":9,T,"value":"aé","value_bytes":7`},
		"cut in a rune":    {TapRecord{Value: TapBytes{[]byte("a\xe2\x86"), 7}}, `T,"value":"a","value_bytes":7`},
		"cut in no text":   {TapRecord{Value: TapBytes{[]byte("\xff\xe2\x86"), 7}}, `T,"value_base64":"/w==","value_bytes":7`},
		"headers":          {TapRecord{Headers: []TapHeader{{"h", []byte("v")}, {"h", []byte{0xff}}}}, `"headers":[{"name":"h","value":"v"},{"name":"h","value_base64":"/w=="}],T,"value":""`},
		"too long headers": {TapRecord{HeadersBytes: 5000}, `"headers_bytes":5000,T,"value":""`},
		"dead letters":     {TapRecord{DeadLetter: true, Unrouted: true, Vertex: "v"}, `"dead_letter":true,T,"unrouted":true,"value":"","vertex":"v"`},
	} {
		text, err := json.Marshal(test.record)
		if want := "{" + strings.Replace(test.want, "T", `"time":"0001-01-01T00:00:00Z"`, 1) + "}"; err != nil || string(text) != want {
			t.Errorf("%s: got %s, want %s", name, text, want)
		}
	}
}

func TestTheAPIDescribesATap(t *testing.T) {
	text, err := json.Marshal(document(routes()))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range tapParameters() {
		if !strings.Contains(string(text), `"in":"query","name":"`+p.name+`"`) {
			t.Errorf("%s is not in %s", p.name, text)
		}
	}
	if !strings.Contains(string(text), `"name":"rate","schema":{"maximum":10000,"minimum":1,"type":"integer"}`) {
		t.Errorf("the rate has no bounds in %s", text)
	}
}
