//! A quick look at one field of flat JSON that is written without space, as generators and
//! aggregations write it.
#![allow(dead_code)]

use std::arch::wasm32::*;

const LANES: usize = 16;

/// A field to look for: `"name":`.
pub struct Field(Vec<u8>);

impl Field {
    pub fn new(name: &str) -> Self {
        Field(format!("\"{}\":", name).into_bytes())
    }

    /// The integer that the field is.
    pub fn integer(&self, json: &[u8]) -> Result<i64, String> {
        let at = self.end_in(json).ok_or_else(|| self.fault("there is no"))?;
        let (negative, digits) = match json[at..].strip_prefix(b"-") {
            Some(digits) => (true, digits),
            None => (false, &json[at..]),
        };
        let mut n = 0i64;
        for (i, c) in digits.iter().enumerate() {
            match c {
                b'0'..=b'9' if i < 18 => n = 10 * n + (c - b'0') as i64,
                b',' | b'}' if i > 0 => return Ok(if negative { -n } else { n }),
                _ => break,
            }
        }
        Err(self.fault("no integer of 18 digits is"))
    }

    /// The text of the field, as it is written between its quotes, which is without a backslash.
    pub fn text<'a>(&self, json: &'a [u8]) -> Result<&'a [u8], String> {
        let at = self.end_in(json).ok_or_else(|| self.fault("there is no"))?;
        let text = json[at..].strip_prefix(b"\"").and_then(|t| t.split(|c| *c == b'"').next());
        text.filter(|t| !t.contains(&b'\\')).ok_or_else(|| self.fault("no plain text is"))
    }

    fn fault(&self, what: &str) -> String {
        format!("{} {}", what, String::from_utf8_lossy(&self.0))
    }

    /// Where the field's name ends. Quotes within a text have a backslash before them, so that
    /// nothing in there looks like it. Looks at 16 places at once for a quote.
    #[target_feature(enable = "simd128")]
    fn end_in(&self, json: &[u8]) -> Option<usize> {
        let (name, quote) = (&self.0[..], u8x16_splat(b'"'));
        let mut at = 0;
        while at < json.len() {
            let mut quotes = if json.len() - at >= LANES {
                u8x16_bitmask(u8x16_eq(unsafe { v128_load(json.as_ptr().add(at) as *const v128) }, quote)) as u32
            } else {
                (at..json.len()).fold(0, |bits, i| bits | ((json[i] == b'"') as u32) << (i - at))
            };
            while quotes != 0 {
                let from = at + quotes.trailing_zeros() as usize;
                quotes &= quotes - 1;
                // The first letter tells most names apart.
                if json.get(from + 1) == name.get(1) && json[from..].starts_with(name) {
                    return Some(from + name.len());
                }
            }
            at += LANES;
        }
        None
    }
}
