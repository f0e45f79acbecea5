//! Grep keeps the records whose value contains a piece of text and drops the others.
//!
//! Parameters: `pattern`, the text; `ignoreCase: true` takes A to Z for a to z; `invert: true` keeps
//! the records without the text.

#[path = "../../abi/sdk/rust/json.rs"]
mod json;
#[path = "../../abi/sdk/rust/wasmill.rs"]
mod wasmill;

use std::arch::wasm32::*;
use wasmill::{Output, Plugin, Record};

struct Grep {
    pattern: Vec<u8>, // in lower case if the case is ignored
    ignore_case: bool,
    invert: bool,
}

impl Plugin for Grep {
    const DESCRIPTION: &'static str = r#"{
        "name": "grep", "version": "1.0.0", "kind": "map", "tags": [],
        "params": {"type": "object", "required": ["pattern"], "additionalProperties": false, "properties": {
            "pattern": {"type": "string", "minLength": 1, "description": "the text to look for, literally"},
            "ignoreCase": {"type": "boolean", "default": false, "description": "of the letters A to Z"},
            "invert": {"type": "boolean", "default": false, "description": "keep what does not contain it"}}}
    }"#;

    fn new(params: &str) -> Result<Self, String> {
        let (mut pattern, mut ignore_case, mut invert) = (String::new(), false, false);
        for (name, value) in json::members(params.as_bytes()) {
            match name {
                b"pattern" => pattern = json::text(value).ok_or("pattern is not a string")?,
                b"ignoreCase" => ignore_case = boolean(value).ok_or("ignoreCase is not a boolean")?,
                b"invert" => invert = boolean(value).ok_or("invert is not a boolean")?,
                _ => return Err(format!("unknown parameter {}", String::from_utf8_lossy(name))),
            }
        }
        if pattern.is_empty() {
            return Err("pattern is missing".into());
        }
        if ignore_case {
            pattern.make_ascii_lowercase();
        }
        Ok(Grep { pattern: pattern.into(), ignore_case, invert })
    }

    fn map<'a>(&mut self, r: Record<'a>, out: &mut Output<'a>) -> Result<(), String> {
        if self.found_in(r.value) != self.invert {
            out.emit(r);
        }
        Ok(())
    }
}

wasmill::export!(Grep);

fn boolean(value: &[u8]) -> Option<bool> {
    match value {
        b"true" => Some(true),
        b"false" => Some(false),
        _ => None,
    }
}

const LANES: usize = 16;

impl Grep {
    /// Looks at 16 places at once: only where the first and the last byte of the pattern are as
    /// far apart as they are in it, the bytes between are compared. (W. Muła, "SIMD-friendly
    /// algorithms for substring searching", the generic variant.)
    #[target_feature(enable = "simd128")]
    fn found_in(&self, s: &[u8]) -> bool {
        let n = self.pattern.len();
        if n > s.len() {
            return false;
        }
        let (first, last) = (u8x16_splat(self.pattern[0]), u8x16_splat(self.pattern[n - 1]));
        let places = s.len() - n + 1;
        let mut at = 0;
        while at + LANES <= places {
            let heads = u8x16_eq(self.load(&s[at..at + LANES]), first);
            let tails = u8x16_eq(self.load(&s[at + n - 1..at + n - 1 + LANES]), last);
            let mut candidates = u8x16_bitmask(v128_and(heads, tails));
            while candidates != 0 {
                if self.matches(&s[at + candidates.trailing_zeros() as usize..][..n]) {
                    return true;
                }
                candidates &= candidates - 1;
            }
            at += LANES;
        }
        (at..places).any(|at| self.matches(&s[at..at + n]))
    }

    /// Loads 16 bytes, in lower case if the case is ignored.
    #[target_feature(enable = "simd128")]
    fn load(&self, s: &[u8]) -> v128 {
        let bytes = unsafe { v128_load(s[..LANES].as_ptr() as *const v128) };
        if !self.ignore_case {
            return bytes;
        }
        let upper = v128_and(u8x16_ge(bytes, u8x16_splat(b'A')), u8x16_le(bytes, u8x16_splat(b'Z')));
        v128_or(bytes, v128_and(upper, u8x16_splat(0x20)))
    }

    fn matches(&self, s: &[u8]) -> bool {
        if self.ignore_case {
            s.eq_ignore_ascii_case(&self.pattern)
        } else {
            s == self.pattern
        }
    }
}
