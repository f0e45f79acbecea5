//! Percentiles says how long requests took: the 50th, 95th and 99th percentile of a number in
//! JSON records, by key and window. It keeps how many values fell between powers of 1.02, so that
//! a percentile is off by at most 1 % and a window takes some hundred bytes, however many
//! requests it has (after Masson, Rim, Lee: DDSketch, VLDB 2019).
//!
//! Parameters: `field`, the name of the number.

#[path = "../../../abi/sdk/rust/aggregate.rs"]
mod aggregate;
#[path = "../../../abi/sdk/rust/json.rs"]
mod json;
#[path = "../../../abi/sdk/rust/time.rs"]
mod time;
#[path = "../../../abi/sdk/rust/wasmill.rs"]
mod wasmill;

use aggregate::{Accumulator, Aggregate, Results, Window};
use wasmill::Record;

const BASE: f64 = 1.02;

/// How many values there were, by the power of BASE that they are at most; by the power.
#[derive(Default)]
struct Sketch(Vec<(i16, u32)>);

impl Sketch {
    fn add(&mut self, power: i16, n: u32) {
        match self.0.binary_search_by_key(&power, |b| b.0) {
            Ok(at) => self.0[at].1 += n,
            Err(at) => self.0.insert(at, (power, n)),
        }
    }

    fn count(&self) -> u64 {
        self.0.iter().map(|b| b.1 as u64).sum()
    }

    /// The value that a part q of all values is at most.
    fn percentile(&self, q: f64) -> f64 {
        let mut rank = (q * (self.count().max(1) - 1) as f64) as u64;
        for &(power, n) in &self.0 {
            if rank < n as u64 {
                return value_of(power);
            }
            rank -= n as u64;
        }
        0.0
    }
}

fn power_of(value: f64) -> i16 {
    if value < 1e-9 {
        return i16::MIN; // nothing, and below
    }
    (value.ln() / BASE.ln()).ceil().min(i16::MAX as f64) as i16
}

/// The middle of what lies between a power and the one before.
fn value_of(power: i16) -> f64 {
    if power == i16::MIN {
        return 0.0;
    }
    2.0 * BASE.powi(power as i32) / (BASE + 1.0)
}

impl Accumulator for Sketch {
    fn decode(&mut self, bytes: &[u8]) {
        let bucket = |b: &[u8]| (i16::from_le_bytes([b[0], b[1]]), u32::from_le_bytes([b[2], b[3], b[4], b[5]]));
        self.0.clear();
        self.0.extend(bytes.chunks_exact(6).map(bucket));
    }

    fn encode(&self, bytes: &mut Vec<u8>) {
        for (power, n) in &self.0 {
            bytes.extend_from_slice(&power.to_le_bytes());
            bytes.extend_from_slice(&n.to_le_bytes());
        }
    }
}

struct Percentiles {
    field: String,
}

impl Aggregate for Percentiles {
    const DESCRIPTION: &'static str = r#"{
        "name": "percentiles", "version": "1.0.0", "kind": "aggregate", "tags": [],
        "params": {"type": "object", "required": ["field"], "additionalProperties": false, "properties": {
            "field": {"type": "string", "description": "the name of a number in the JSON of a record"}}}
    }"#;

    type Accumulator = Sketch;

    fn new(params: &str) -> Result<Self, String> {
        for (name, value) in json::members(params.as_bytes()) {
            if name == b"field" {
                return Ok(Percentiles { field: json::text(value).ok_or("field is not a string")? });
            }
        }
        Err("field is missing".into())
    }

    fn add(&mut self, sketch: &mut Sketch, r: Record) -> Result<(), String> {
        let written = json::members(r.value).find(|m| m.0 == self.field.as_bytes()).ok_or("the record has no such field")?.1;
        let text = std::str::from_utf8(written).unwrap_or_default();
        let value: f64 = text.parse().map_err(|_| format!("{} is not a number", text))?;
        sketch.add(power_of(value), 1);
        Ok(())
    }

    fn merge(&mut self, sketch: &mut Sketch, other: &Sketch) {
        for &(power, n) in &other.0 {
            sketch.add(power, n);
        }
    }

    fn result(&mut self, sketch: &mut Sketch, w: Window, out: &mut Results) -> Result<(), String> {
        let part = |q| sketch.percentile(q);
        let line = format!(
            r#"{{"path":{},"start":"{}","count":{},"p50":{:.1},"p95":{:.1},"p99":{:.1}}}"#,
            json::quoted(w.key), time::rfc3339(w.start), sketch.count(), part(0.5), part(0.95), part(0.99)
        );
        out.emit(w, line.as_bytes());
        Ok(())
    }
}

aggregate::export!(Percentiles);
