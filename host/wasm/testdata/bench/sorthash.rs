// Sorts the words of a value, and hashes them in order.
#[path = "../../../../abi/sdk/rust/wasmill.rs"]
#[allow(dead_code)]
mod wasmill;
use std::collections::HashMap;
use wasmill::{Output, Plugin, Record};

struct SortHash;

impl Plugin for SortHash {
    const DESCRIPTION: &'static str = r#"{"name": "sorthash", "kind": "map"}"#;

    fn new(_: &str) -> Result<Self, String> {
        Ok(SortHash)
    }

    fn map<'a>(&mut self, r: Record<'a>, out: &mut Output<'a>) -> Result<(), String> {
        let mut words: Vec<&[u8]> = r.value.split(|c| !c.is_ascii_alphanumeric()).collect();
        words.sort_unstable();
        let mut counts: HashMap<&[u8], u32> = HashMap::new();
        let mut hash = 14695981039346656037u64;
        for word in words {
            *counts.entry(word).or_default() += 1;
            for c in word {
                hash = (hash ^ u64::from(*c)).wrapping_mul(1099511628211);
            }
        }
        let value = out.keep(&(hash ^ counts.len() as u64).to_le_bytes());
        out.emit(Record { value, ..r });
        Ok(())
    }
}

wasmill::export!(SortHash);
