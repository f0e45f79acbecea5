//! Sessionize finds the sessions of a key: records of which each follows another one soon enough.
//! When one is over, it says when it began and ended, and how many records it had.
//!
//! Parameters: `seconds`, the gap in event time that ends a session.

#[path = "../../abi/sdk/rust/json.rs"]
mod json;
#[path = "../../abi/sdk/rust/process.rs"]
mod process;
#[path = "../../abi/sdk/rust/time.rs"]
mod time;
#[path = "../../abi/sdk/rust/wasmill.rs"]
mod wasmill;

use process::{Clock, Process, State, Timer, Value};
use wasmill::{Output, Record};

struct Sessionize {
    gap: i64, // ns
}

/// When it began and when it will be over, ns since 1970, and how many records it has.
type Session = [i64; 3];

/// The sessions of a key that may grow: several, while records come late.
#[derive(Default)]
struct Open(Vec<Session>);

impl Value for Open {
    fn encode<T>(&self, then: impl FnOnce(&[u8]) -> T) -> T {
        then(&self.0.iter().flatten().flat_map(|n| n.to_le_bytes()).collect::<Vec<u8>>())
    }

    fn decode(bytes: &[u8]) -> Option<Open> {
        let number = |b: &[u8]| i64::from_le_bytes(b.try_into().unwrap());
        Some(Open(bytes.chunks_exact(24).map(|b| [number(&b[..8]), number(&b[8..16]), number(&b[16..])]).collect()))
    }
}

impl Process for Sessionize {
    const DESCRIPTION: &'static str = r#"{
        "name": "sessionize", "version": "1.0.0", "kind": "process", "tags": ["late"],
        "params": {"type": "object", "additionalProperties": false, "properties": {
            "seconds": {"type": "integer", "minimum": 1, "default": 1800, "description": "of event time without a record, after which a session is over"}}}
    }"#;

    fn new(params: &str) -> Result<Self, String> {
        let mut seconds: u32 = 1800;
        for (name, value) in json::members(params.as_bytes()) {
            let number = std::str::from_utf8(value).ok().and_then(|v| v.parse().ok());
            match name {
                b"seconds" => seconds = number.filter(|&n| n > 0).ok_or("seconds is not a whole number above 0")?,
                _ => return Err(format!("unknown parameter {}", String::from_utf8_lossy(name))),
            }
        }
        Ok(Sessionize { gap: i64::from(seconds) * 1_000_000_000 })
    }

    // The order of records does not matter: one that comes late may be the beginning of a session,
    // or make two of them one.
    fn record<'a>(&mut self, r: Record<'a>, state: &mut State, out: &mut Output<'a>) -> Result<(), String> {
        let over = r.time.saturating_add(self.gap);
        let near = |s: &Session| s[0] < over && r.time < s[1];
        let (near, mut open): (Vec<_>, Vec<_>) = state.get::<Open>("open").unwrap_or_default().0.into_iter().partition(near);
        let all = near.iter().fold([r.time, over, 1], |a, b| [a[0].min(b[0]), a[1].max(b[1]), a[2] + b[2]]);
        if all[1] <= out.watermark {
            out.emit_tag(r, "late"); // what it would belong to has been told
            return Ok(());
        }
        open.push(all);
        keep(open, state);
        Ok(())
    }

    fn timer<'a>(&mut self, t: Timer<'a>, state: &mut State, out: &mut Output<'a>) -> Result<(), String> {
        let (over, open): (Vec<_>, _) = state.get::<Open>("open").unwrap_or_default().0.into_iter().partition(|s| s[1] <= t.record.time);
        for [start, over, count] in over {
            let (key, end) = (json::quoted(t.record.key), over - self.gap);
            let (from, to, seconds) = (time::rfc3339(start), time::rfc3339(end), (end - start) as f64 / 1e9);
            let line = format!(r#"{{"key":{key},"start":"{from}","end":"{to}","seconds":{seconds},"count":{count}}}"#);
            let value = out.keep(line.as_bytes());
            out.emit(Record { time: end, value, ..t.record });
        }
        keep(open, state);
        Ok(())
    }
}

wasmill::export!(process::Keyed<Sessionize>);

/// Keeps sessions, and has a timer fire when the first one is over.
fn keep(open: Vec<Session>, state: &mut State) {
    match open.iter().map(|s| s[1]).min() {
        Some(over) => state.set_timer(Clock::Event, "over", over),
        None => return state.delete("open"),
    }
    state.put("open", &Open(open));
}
