// Parses JSON of any shape into a tree, and adds its numbers up.
#[path = "../../../../abi/sdk/rust/wasmill.rs"]
#[allow(dead_code)]
mod wasmill;
use std::collections::BTreeMap;
use wasmill::{Output, Plugin, Record};

enum Json {
    Atom,
    Number(f64),
    Text(Vec<u8>),
    List(Vec<Json>),
    Object(BTreeMap<Vec<u8>, Json>),
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
}

impl Parser<'_> {
    fn peek(&mut self) -> u8 {
        while self.at < self.text.len() && self.text[self.at].is_ascii_whitespace() {
            self.at += 1;
        }
        *self.text.get(self.at).unwrap_or(&0)
    }

    fn text(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        self.at += 1;
        while self.at < self.text.len() && self.text[self.at] != b'"' {
            if self.text[self.at] == b'\\' {
                self.at += 1;
            }
            if let Some(c) = self.text.get(self.at) {
                out.push(*c);
            }
            self.at += 1;
        }
        self.at += 1;
        out
    }

    fn value(&mut self) -> Json {
        match self.peek() {
            b'{' => {
                let mut members = BTreeMap::new();
                self.at += 1;
                while self.peek() == b'"' {
                    let key = self.text();
                    self.peek();
                    self.at += 1;
                    members.insert(key, self.value());
                    if self.peek() == b',' {
                        self.at += 1;
                        self.peek();
                    }
                }
                self.at += 1;
                Json::Object(members)
            }
            b'[' => {
                let mut list = Vec::new();
                self.at += 1;
                while self.peek() != b']' && self.at < self.text.len() {
                    list.push(self.value());
                    if self.peek() == b',' {
                        self.at += 1;
                    }
                }
                self.at += 1;
                Json::List(list)
            }
            b'"' => Json::Text(self.text()),
            c if c == b'-' || c.is_ascii_digit() => {
                let from = self.at;
                while self.at < self.text.len() && matches!(self.text[self.at], b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E') {
                    self.at += 1;
                }
                let text = std::str::from_utf8(&self.text[from..self.at]).unwrap_or("0");
                Json::Number(text.parse().unwrap_or(0.0))
            }
            _ => {
                while self.at < self.text.len() && self.text[self.at].is_ascii_alphabetic() {
                    self.at += 1;
                }
                self.at += 1;
                Json::Atom
            }
        }
    }
}

fn sum(j: &Json) -> f64 {
    match j {
        Json::Atom => 0.0,
        Json::Number(n) => *n,
        Json::Text(t) => t.len() as f64,
        Json::List(l) => l.iter().map(sum).sum(),
        Json::Object(o) => o.values().map(sum).sum(),
    }
}

struct Sum;

impl Plugin for Sum {
    const DESCRIPTION: &'static str = r#"{"name": "json", "kind": "map"}"#;

    fn new(_: &str) -> Result<Self, String> {
        Ok(Sum)
    }

    fn map<'a>(&mut self, r: Record<'a>, out: &mut Output<'a>) -> Result<(), String> {
        let total = sum(&Parser { text: r.value, at: 0 }.value());
        let value = out.keep(total.to_string().as_bytes());
        out.emit(Record { value, ..r });
        Ok(())
    }
}

wasmill::export!(Sum);
