package control

import (
	"errors"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/stream"
)

// keyless is a pipeline for records that lack what its vertex goes by.
const keyless = `name: p
vertices:
  - {name: in, source: stdin}
  - {name: other, source: stdin}
  - {name: a, ROLE, key: {json: k}, state: {groups: 5}, batch: {maxRecords: 40}, onError: POLICY}
  - {name: out, sink: drop}
  - {name: dead, sink: drop}
edges:
  - {from: in, to: a}
  - {from: a, to: out}
`

// TestRecordsWithoutAKeyGoWhereThePolicySays has records without the field that is the
// key, such that are no JSON, and for what sums such without a number.
func TestRecordsWithoutAKeyGoWhereThePolicySays(t *testing.T) {
	w := poisoning(t)
	const joins = "a join"
	vertices := map[string]string{joins: "join: {left: {left: in, right: other}}, window: {fixed: 1m}"}
	for role, vertex := range roles {
		vertices[role] = strings.Replace(vertex, "{value: true}", "{json: v}", 1)
	}
	for role, vertex := range vertices {
		bad := []string{`{"v":1}`, `no JSON`, ``, `{"k":`, `[1,2]`}
		if role == "what is built in" {
			bad = append(bad, `{"k":"a"}`, `{"k":"a","v":"much"}`, `{"k":"a","v":1e999}`)
		}
		var records []fed
		for n := range 100 {
			records = append(records, fed{1, "", `{"k":"a","v":1}`}, fed{1, "", `{"k":"b","v":1}`})
			if n%20 == 10 {
				for _, b := range bad {
					records = append(records, fed{1, "", b})
				}
			}
		}
		for _, policy := range []string{"fail", "drop", "deadLetter"} {
			t.Run(role+", "+policy, func(t *testing.T) {
				text := strings.NewReplacer("ROLE", vertex, "POLICY", policy).Replace(keyless)
				if role == joins {
					text += "  - {from: other, to: a}\n"
				} else {
					text = strings.Replace(text, "  - {name: other, source: stdin}\n", "", 1)
				}
				if policy == "deadLetter" {
					text += "  - {from: a, to: dead, when: {deadLetters: true}}\n"
				} else {
					text = strings.Replace(text, "  - {name: dead, sink: drop}\n", "", 1)
				}
				_, p, ears := wired(t, w, text, map[string]*feed{"in": fedWith(30, records), "other": fedWith(1, nil)})
				err := p.Run(t.Context(), nil)
				if policy == "fail" {
					var e *stream.Error
					if !errors.As(err, &e) || e.Code != stream.RecordError || !strings.Contains(e.Where, "a, record ") || e.Fix == "" {
						t.Errorf("got %v", err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if role == joins {
					if n := len(ears["out"].all); n != 200 {
						t.Errorf("%d records came out, want 200", n)
					}
				} else if got := counts(t, role, ears["out"]); got["a"] != "100" || got["b"] != "100" || len(got) != 2 {
					t.Errorf("got %v", got)
				}
				without := int(lost(p, "a"))
				if policy == "deadLetter" {
					without = len(ears["dead"].all)
					for _, h := range ears["dead"].all {
						if h.headers["wasmill-code"] != string(stream.RecordError) || h.headers["wasmill-reason"] == "" || strings.HasSuffix(h.value, `"v":1}`) && strings.Contains(h.value, "k") {
							t.Errorf("dead letter %+v", h)
						}
					}
				}
				if without != 5*len(bad) {
					t.Errorf("%d records failed, want %d", without, 5*len(bad))
				}
			})
		}
	}
}
