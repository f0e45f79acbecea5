//! Keyed answers the queries of the Nexmark benchmark that need state and timers of their own: q4,
//! q12, q16 and q18, each in a file of that name. The parameter `query` says which. Records are
//! events as JSON without space, and their event time is the dateTime.

mod date;
#[path = "../../../abi/sdk/rust/json.rs"]
mod json;
#[path = "../../../abi/sdk/rust/process.rs"]
mod process;
mod q12;
mod q16;
mod q18;
mod q4;
mod scan;
#[path = "../../../abi/sdk/rust/wasmill.rs"]
mod wasmill;

use process::{Process, State, Timer, Value};
use wasmill::{Output, Record};

/// A query: Process without what all of them share.
trait Query {
    fn record<'a>(&mut self, r: Record<'a>, state: &mut State, out: &mut Output<'a>) -> Result<(), String>;
    fn timer<'a>(&mut self, t: Timer<'a>, state: &mut State, out: &mut Output<'a>) -> Result<(), String>;
}

struct Keyed(Box<dyn Query>);

impl Process for Keyed {
    const DESCRIPTION: &'static str = r#"{
        "name": "nexmark-keyed", "version": "1.0.0", "kind": "process", "tags": [],
        "params": {"type": "object", "required": ["query"], "additionalProperties": false, "properties": {
            "query": {"enum": ["q4", "q12", "q16", "q18"]}}}
    }"#;

    fn new(params: &str) -> Result<Self, String> {
        Ok(Keyed(match json::members(params.as_bytes()).next() {
            Some((b"query", b"\"q4\"")) => Box::new(q4::Winning::new()),
            Some((b"query", b"\"q12\"")) => Box::new(q12::ByClock),
            Some((b"query", b"\"q16\"")) => Box::new(q16::Channel::new()),
            Some((b"query", b"\"q18\"")) => Box::new(q18::Last::new()),
            _ => return Err("query is none of q4, q12, q16, q18".into()),
        }))
    }

    fn record<'a>(&mut self, r: Record<'a>, state: &mut State, out: &mut Output<'a>) -> Result<(), String> {
        self.0.record(r, state, out)
    }

    fn timer<'a>(&mut self, t: Timer<'a>, state: &mut State, out: &mut Output<'a>) -> Result<(), String> {
        self.0.timer(t, state, out)
    }
}

wasmill::export!(process::Keyed<Keyed>);

/// So many integers, as a value of the state.
#[derive(Clone, Copy)]
struct Numbers<const N: usize>([i64; N]);

impl<const N: usize> Value for Numbers<N> {
    fn encode<T>(&self, then: impl FnOnce(&[u8]) -> T) -> T {
        let mut bytes = [0; 128];
        for (to, n) in bytes.chunks_exact_mut(8).zip(self.0) {
            to.copy_from_slice(&n.to_le_bytes());
        }
        then(&bytes[..8 * N])
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut numbers = [0; N];
        for (n, from) in numbers.iter_mut().zip(bytes.chunks_exact(8)) {
            *n = i64::from_le_bytes(from.try_into().ok()?);
        }
        (bytes.len() == 8 * N).then(|| Numbers(numbers))
    }
}

/// Text as a string of JSON.
fn quoted(text: &[u8]) -> String {
    let mut to = String::from("\"");
    for c in String::from_utf8_lossy(text).chars() {
        match c {
            '"' | '\\' => to.extend(['\\', c]),
            c if c < ' ' => to += &format!("\\u{:04x}", c as u32),
            c => to.push(c),
        }
    }
    to + "\""
}
