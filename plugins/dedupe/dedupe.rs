//! Dedupe lets a record through, and tags those with the same key that come within a time of it.
//!
//! Parameters: `seconds`, between the event times of two records that are taken for the same one.

#[path = "../../abi/sdk/rust/json.rs"]
mod json;
#[path = "../../abi/sdk/rust/process.rs"]
mod process;
#[path = "../../abi/sdk/rust/wasmill.rs"]
mod wasmill;

use process::{Process, State};
use std::time::Duration;
use wasmill::{Output, Record};

struct Dedupe {
    within: Duration,
}

impl Process for Dedupe {
    const DESCRIPTION: &'static str = r#"{
        "name": "dedupe", "version": "1.0.0", "kind": "process", "tags": ["duplicate"],
        "params": {"type": "object", "additionalProperties": false, "properties": {
            "seconds": {"type": "integer", "minimum": 1, "default": 3600,
                "description": "of event time from a record, within which others with its key are duplicates"}}}
    }"#;

    fn new(params: &str) -> Result<Self, String> {
        let mut seconds = 3600;
        for (name, value) in json::members(params.as_bytes()) {
            match name {
                b"seconds" => seconds = whole(value).filter(|&n| n > 0).ok_or("seconds is not a whole number above 0")?,
                _ => return Err(format!("unknown parameter {}", String::from_utf8_lossy(name))),
            }
        }
        Ok(Dedupe { within: Duration::from_secs(seconds.into()) })
    }

    // The state is there at least as long as it is needed, and may be for longer: the times say
    // what a duplicate is.
    fn record<'a>(&mut self, r: Record<'a>, state: &mut State, out: &mut Output<'a>) -> Result<(), String> {
        match state.get::<i64>("first") {
            Some(first) if u128::from(first.abs_diff(r.time)) < self.within.as_nanos() => out.emit_tag(r, "duplicate"),
            _ => {
                state.put_for("first", &r.time, self.within);
                out.emit(r);
            }
        }
        Ok(())
    }
}

wasmill::export!(process::Keyed<Dedupe>);

fn whole(value: &[u8]) -> Option<u32> {
    std::str::from_utf8(value).ok()?.parse().ok()
}
