//! Highest keeps, of the records of a key and window, those in whose JSON a number is highest: all
//! of them, if several are equal. They leave as they came, in the order in which they came, when
//! the window ends.
//!
//! Parameters: `field`, the name of the number, which is an integer.

#[path = "../../../abi/sdk/rust/aggregate.rs"]
mod aggregate;
#[path = "../../../abi/sdk/rust/json.rs"]
mod json;
mod scan;
#[path = "../../../abi/sdk/rust/wasmill.rs"]
mod wasmill;

use aggregate::{Accumulator, Aggregate, Results, Window};
use wasmill::Record;

/// The highest number, and the records that have it: each after its length.
#[derive(Default)]
struct Best {
    number: i64,
    records: Vec<u8>,
}

impl Best {
    fn add(&mut self, number: i64, record: &[u8]) {
        if number > self.number {
            self.records.clear();
        }
        if number >= self.number || self.records.is_empty() {
            self.number = number;
            self.records.extend_from_slice(&(record.len() as u32).to_le_bytes());
            self.records.extend_from_slice(record);
        }
    }

    fn records(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &self.records[..];
        std::iter::from_fn(move || {
            let length = u32::from_le_bytes(rest.get(..4)?.try_into().ok()?) as usize;
            let (record, after) = rest[4..].split_at(length);
            rest = after;
            Some(record)
        })
    }
}

impl Accumulator for Best {
    fn decode(&mut self, bytes: &[u8]) {
        let (number, records) = bytes.split_at(8);
        self.number = i64::from_le_bytes(number.try_into().unwrap());
        self.records.clear();
        self.records.extend_from_slice(records);
    }

    fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.number.to_le_bytes());
        bytes.extend_from_slice(&self.records);
    }
}

struct Highest {
    field: scan::Field,
}

impl Aggregate for Highest {
    const DESCRIPTION: &'static str = r#"{
        "name": "nexmark-highest", "version": "1.0.0", "kind": "aggregate", "tags": [],
        "params": {"type": "object", "required": ["field"], "additionalProperties": false, "properties": {
            "field": {"type": "string", "description": "the name of an integer in the JSON of a record"}}}
    }"#;

    type Accumulator = Best;

    fn new(params: &str) -> Result<Self, String> {
        match json::members(params.as_bytes()).next() {
            Some((b"field", value)) => Ok(Highest { field: scan::Field::new(&json::text(value).ok_or("field is not a string")?) }),
            _ => Err("field is missing".into()),
        }
    }

    fn add(&mut self, best: &mut Best, r: Record) -> Result<(), String> {
        best.add(self.field.integer(r.value)?, r.value);
        Ok(())
    }

    fn merge(&mut self, best: &mut Best, other: &Best) {
        other.records().for_each(|record| best.add(other.number, record));
    }

    fn result(&mut self, best: &mut Best, w: Window, out: &mut Results) -> Result<(), String> {
        best.records().for_each(|record| out.emit(w, record));
        Ok(())
    }
}

aggregate::export!(Highest);
