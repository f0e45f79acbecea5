//! Top-k finds the items that are most frequent, or have the largest sums, by key and window. It
//! keeps so many counters, however many items there are: if those are more, a count may be too
//! large, by `error` at most (Metwally, Agrawal, El Abbadi: Efficient Computation of Frequent and
//! Top-k Elements in Data Streams, ICDT 2005).
//!
//! Parameters: `k`; `field`, the member of JSON records that is the item, else the value is one;
//! `sum`, the member that is summed up, else records are counted; `counters`.

#[path = "../../abi/sdk/rust/aggregate.rs"]
mod aggregate;
mod counters;
#[path = "../../abi/sdk/rust/json.rs"]
mod json;
#[path = "../../abi/sdk/rust/time.rs"]
mod time;
#[path = "../../abi/sdk/rust/wasmill.rs"]
mod wasmill;

use aggregate::{Aggregate, Results, Window};
use counters::{Counter, Counters};
use wasmill::Record;

struct TopK {
    k: usize,
    counters: usize,
    field: Option<String>,
    sum: Option<String>,
}

impl Aggregate for TopK {
    const DESCRIPTION: &'static str = r#"{
        "name": "top-k", "version": "1.0.0", "kind": "aggregate", "tags": [],
        "params": {"type": "object", "additionalProperties": false, "properties": {
            "k": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 10, "description": "how many items are told"},
            "field": {"type": "string", "description": "the member of a JSON record that is the item; without, the value is a text and the item"},
            "sum": {"type": "string", "description": "the member that is summed up, a number from 0 up; without, records are counted"},
            "counters": {"type": "integer", "minimum": 1, "maximum": 10000, "description": "how many items are counted at once, at least k; default: 10 times k"}}}
    }"#;

    type Accumulator = Counters;

    fn new(params: &str) -> Result<Self, String> {
        let mut top = TopK { k: 10, counters: 0, field: None, sum: None };
        for (name, value) in json::members(params.as_bytes()) {
            let whole = |max| number(value).filter(|n| (1..=max).contains(n));
            match name {
                b"k" => top.k = whole(1000).ok_or("k is not a whole number from 1 to 1000")?,
                b"counters" => top.counters = whole(10_000).ok_or("counters is not a whole number from 1 to 10000")?,
                b"field" => top.field = Some(json::text(value).ok_or("field is not a string")?),
                b"sum" => top.sum = Some(json::text(value).ok_or("sum is not a string")?),
                _ => return Err(format!("unknown parameter {}", String::from_utf8_lossy(name))),
            }
        }
        match top.counters {
            0 => Ok(TopK { counters: 10 * top.k, ..top }),
            n if n < top.k => Err(format!("counters is {n}, and less than k, which is {}", top.k)),
            _ => Ok(top),
        }
    }

    fn add(&mut self, all: &mut Counters, r: Record) -> Result<(), String> {
        let weight = match &self.sum {
            None => Some(1.0),
            Some(name) => number(member(r, name)?).filter(|n| (0.0..1e100).contains(n)),
        };
        let weight = weight.ok_or("what is to be summed up is not a number from 0 up")?;
        let written = self.field.as_ref().map_or(Ok(r.value), |name| member(r, name))?;
        let text = self.field.as_ref().and_then(|_| json::text(written)).map(String::into_bytes);
        all.add(text.as_deref().unwrap_or(written), weight, self.counters);
        Ok(())
    }

    fn merge(&mut self, all: &mut Counters, other: &Counters) {
        all.merge(other, self.counters);
    }

    fn result(&mut self, all: &mut Counters, w: Window, out: &mut Results) -> Result<(), String> {
        let line = |c: Counter| format!(r#"{{"item":{},"count":{},"error":{}}}"#, json::quoted(&c.item), c.count, c.error);
        let top: Vec<_> = all.largest(self.k).into_iter().map(line).collect();
        let start = if w.start == i64::MIN { "null".into() } else { json::quoted(time::rfc3339(w.start).as_bytes()) };
        out.emit(w, format!(r#"{{"key":{},"start":{start},"top":[{}]}}"#, json::quoted(w.key), top.join(",")).as_bytes());
        Ok(())
    }
}

aggregate::export!(TopK);

fn member<'a>(r: Record<'a>, name: &str) -> Result<&'a [u8], String> {
    let found = json::members(r.value).find(|m| m.0 == name.as_bytes());
    found.map(|m| m.1).ok_or(format!("the value is no JSON object with a member {name}"))
}

fn number<T: std::str::FromStr>(written: &[u8]) -> Option<T> {
    std::str::from_utf8(written).ok()?.parse().ok()
}
