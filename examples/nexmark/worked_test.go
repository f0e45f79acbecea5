package nexmark_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// bidAt is a bid as the generator would write it, without what no query reads.
func bidAt(when string, auction, bidder, price int, channel string) string {
	return fmt.Sprintf(`{"type":"bid","auction":%d,"bidder":%d,"price":%d,"channel":"%s","dateTime":"2015-07-15T%sZ"}`, auction, bidder, price, channel, when)
}

// Worked by hand, so that expected is tested too.
func TestExpected(t *testing.T) {
	const (
		anne  = `{"type":"person","id":1,"state":"OR","dateTime":"2015-07-15T00:00:05.000Z"}`
		bert  = `{"type":"person","id":2,"state":"CA","dateTime":"2015-07-15T00:00:09.999Z"}`
		carl  = `{"type":"person","id":3,"state":"WA","dateTime":"2015-07-15T00:00:09.999Z"}`
		lamp  = `{"type":"auction","id":7,"dateTime":"2015-07-15T00:00:01.000Z","expires":"2015-07-15T00:00:02.000Z","seller":1,"category":10}`
		chair = `{"type":"auction","id":8,"dateTime":"2015-07-15T00:00:09.999Z","expires":"2015-07-15T00:00:30.000Z","seller":1,"category":11}`
		stove = `{"type":"auction","id":9,"dateTime":"2015-07-15T00:00:10.000Z","expires":"2015-07-15T00:00:30.000Z","seller":2,"category":10}`
		vase  = `{"type":"auction","id":10,"dateTime":"2015-07-15T00:00:09.000Z","expires":"2015-07-15T00:00:30.000Z","seller":3,"category":10}`
	)
	offers := []string{
		0: bidAt("00:00:00.999", 7, 1, 9_000_000, "A"), // before the auction
		1: bidAt("00:00:01.000", 7, 1, 9_999, "A"),
		2: bidAt("00:00:01.000", 7, 1, 10_000, "B"), // the last of 1 for 7, being later of two
		3: bidAt("00:00:02.000", 7, 2, 1_000_000, "A"),
		4: bidAt("00:00:02.001", 7, 3, 9_000_000, "A"), // after it
		5: bidAt("00:00:11.000", 9, 1, 501, "A"),       // exactly a gap after the one before
		6: bidAt("00:00:20.999", 9, 1, 501, "A"),
		7: bidAt("00:00:20.999", 8, 1, 500, "A"),
	}
	result := func(key int, start, end, what string, n int) string {
		return fmt.Sprintf(`{"key":"%d","start":"%sZ","end":"%sZ","fired":"on-time","%s":%d}`, key, start, end, what, n)
	}
	for query, test := range map[string]struct{ events, want []string }{
		"q3": {
			[]string{lamp, anne, bert, carl, chair, stove, vase},
			[]string{
				fmt.Sprintf(`{"key":"1","left":%s,"right":%s,"start":null,"end":null}`, lamp, anne),
				fmt.Sprintf(`{"key":"2","left":%s,"right":%s,"start":null,"end":null}`, stove, bert),
			},
		},
		"q4": {
			append([]string{lamp, chair, stove, vase}, offers...),
			[]string{ // 1,000,000 for the lamp and 501 for the stove
				`{"key":"10","start":null,"end":null,"fired":"on-time","avg":500250.5}`,
				`{"key":"11","start":null,"end":null,"fired":"on-time","avg":500}`,
			},
		},
		"q5": {
			[]string{offers[0], offers[3], offers[5]},
			[]string{
				result(7, "2015-07-14T23:59:52", "2015-07-15T00:00:02", "count", 1),
				result(7, "2015-07-14T23:59:54", "2015-07-15T00:00:04", "count", 2),
				result(7, "2015-07-14T23:59:56", "2015-07-15T00:00:06", "count", 2),
				result(7, "2015-07-14T23:59:58", "2015-07-15T00:00:08", "count", 2),
				result(7, "2015-07-15T00:00:00", "2015-07-15T00:00:10", "count", 2),
				result(7, "2015-07-15T00:00:02", "2015-07-15T00:00:12", "count", 1),
				result(9, "2015-07-15T00:00:02", "2015-07-15T00:00:12", "count", 1),
				result(9, "2015-07-15T00:00:04", "2015-07-15T00:00:14", "count", 1),
				result(9, "2015-07-15T00:00:06", "2015-07-15T00:00:16", "count", 1),
				result(9, "2015-07-15T00:00:08", "2015-07-15T00:00:18", "count", 1),
				result(9, "2015-07-15T00:00:10", "2015-07-15T00:00:20", "count", 1),
			},
		},
		"q7": {
			append([]string{anne}, offers...),
			[]string{offers[0], offers[4], offers[5], offers[6]},
		},
		"q8": {
			[]string{anne, bert, carl, lamp, chair, stove, vase},
			[]string{
				fmt.Sprintf(`{"key":"1","left":%s,"right":%s,"start":"2015-07-15T00:00:00Z","end":"2015-07-15T00:00:10Z"}`, anne, result(1, "2015-07-15T00:00:00", "2015-07-15T00:00:10", "count", 2)),
				fmt.Sprintf(`{"key":"3","left":%s,"right":%s,"start":"2015-07-15T00:00:00Z","end":"2015-07-15T00:00:10Z"}`, carl, result(3, "2015-07-15T00:00:00", "2015-07-15T00:00:10", "count", 1)),
			},
		},
		"q11": {
			offers,
			[]string{
				result(1, "2015-07-15T00:00:00.999", "2015-07-15T00:00:11", "count", 3),
				result(1, "2015-07-15T00:00:11", "2015-07-15T00:00:30.999", "count", 3),
				result(2, "2015-07-15T00:00:02", "2015-07-15T00:00:12", "count", 1),
				result(3, "2015-07-15T00:00:02.001", "2015-07-15T00:00:12.001", "count", 1),
			},
		},
		"q16": {
			append([]string{`{"type":"bid","auction":7,"bidder":1,"price":5,"channel":"B","dateTime":"2015-07-14T23:59:59.999Z"}`}, offers...),
			[]string{
				`{"channel":"A","day":"2015-07-15","total_bids":7,"rank1_bids":4,"rank2_bids":0,"rank3_bids":3,"total_bidders":3,"rank1_bidders":1,"rank2_bidders":0,"rank3_bidders":3,"total_auctions":3,"rank1_auctions":3,"rank2_auctions":0,"rank3_auctions":1}`,
				`{"channel":"B","day":"2015-07-14","total_bids":1,"rank1_bids":1,"rank2_bids":0,"rank3_bids":0,"total_bidders":1,"rank1_bidders":1,"rank2_bidders":0,"rank3_bidders":0,"total_auctions":1,"rank1_auctions":1,"rank2_auctions":0,"rank3_auctions":0}`,
				`{"channel":"B","day":"2015-07-15","total_bids":1,"rank1_bids":0,"rank2_bids":1,"rank3_bids":0,"total_bidders":1,"rank1_bidders":0,"rank2_bidders":1,"rank3_bidders":0,"total_auctions":1,"rank1_auctions":0,"rank2_auctions":1,"rank3_auctions":0}`,
			},
		},
		"q17": {
			append([]string{`{"type":"bid","auction":8,"bidder":1,"price":999999,"channel":"B","dateTime":"2015-07-14T23:59:59.999Z"}`}, offers[3:]...),
			[]string{
				`{"auction":7,"day":"2015-07-15","total":2,"rank1":0,"rank2":0,"rank3":2,"min":1000000,"max":9000000,"avg":5000000,"sum":10000000}`,
				`{"auction":8,"day":"2015-07-14","total":1,"rank1":0,"rank2":1,"rank3":0,"min":999999,"max":999999,"avg":999999,"sum":999999}`,
				`{"auction":8,"day":"2015-07-15","total":1,"rank1":1,"rank2":0,"rank3":0,"min":500,"max":500,"avg":500,"sum":500}`,
				`{"auction":9,"day":"2015-07-15","total":2,"rank1":2,"rank2":0,"rank3":0,"min":501,"max":501,"avg":501,"sum":1002}`,
			},
		},
		"q18": {offers[:6], offers[2:6]},
		"q19": {
			append(slices.Clone(offers), slices.Repeat([]string{bidAt("00:00:01.000", 7, 1, 9_998, "A")}, 8)...),
			[]string{ // of 13 bids for 7 the lowest three are left out
				fmt.Sprintf(`{"key":"7","start":null,"end":null,"fired":"on-time","topK":[{"by":9000000,"item":%s},{"by":9000000,"item":%s},{"by":1000000,"item":%s},{"by":10000,"item":%s},{"by":9999,"item":%s}%s]}`,
					offers[0], offers[4], offers[3], offers[2], offers[1], strings.Repeat(`,{"by":9998,"item":`+bidAt("00:00:01.000", 7, 1, 9_998, "A")+`}`, 5)),
				fmt.Sprintf(`{"key":"8","start":null,"end":null,"fired":"on-time","topK":[{"by":500,"item":%s}]}`, offers[7]),
				fmt.Sprintf(`{"key":"9","start":null,"end":null,"fired":"on-time","topK":[{"by":501,"item":%s},{"by":501,"item":%s}]}`, offers[5], offers[6]),
			},
		},
	} {
		t.Run(query, func(t *testing.T) { compare(t, expected[query](parse(test.events)), test.want) })
	}
}
