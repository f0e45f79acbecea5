//! Remember counts words in a map, as main.go beside it does.

#[path = "../../../../abi/sdk/rust/wasmill.rs"]
mod wasmill;

use std::collections::HashMap;
use wasmill::{Output, Plugin, Record};

struct Remember {
    counts: HashMap<String, u32>,
    words: Vec<String>,
    hoard: Vec<Vec<u8>>,
}

impl Plugin for Remember {
    const DESCRIPTION: &'static str = r#"{"name": "remember", "kind": "map"}"#;

    fn new(_: &str) -> Result<Self, String> {
        Ok(Remember { counts: HashMap::new(), words: Vec::new(), hoard: Vec::new() })
    }

    fn map<'a>(&mut self, r: Record<'a>, out: &mut Output<'a>) -> Result<(), String> {
        let word = String::from_utf8_lossy(r.value).into_owned();
        let mut text = String::new();
        match word.as_str() {
            "fail" => return Err("as you like".into()),
            "first" => {
                for (w, n) in &self.counts {
                    text += &format!("{}:{} ", w, n);
                }
            }
            "hoard" => self.hoard.push(vec![b'x'; 300_000]),
            _ => {}
        }
        if !self.counts.contains_key(&word) {
            self.words.push(word.clone());
        }
        let n = self.counts.entry(word.clone()).or_insert(0);
        *n += 1;
        if word == "trap" {
            panic!("as you like");
        }
        text += &format!("{} {} of {}, last {}, {}", word, n, self.words.len(), self.words.last().unwrap(), self.hoard.len());
        let value = out.keep(text.as_bytes());
        out.emit(Record { value, ..r });
        Ok(())
    }
}

wasmill::export!(Remember);
