//! Side inputs for Rust guests: this one file beside wasmill.rs. scale.rs multiplies numbers by
//! one that a file or an edge of the pipeline gives:
//!
//! ```
//! mod side;
//! mod wasmill;
//! use side::Side;
//! use wasmill::{Output, Plugin, Record};
//!
//! struct Scale {
//!     factor: Side,
//!     times: u64,
//! }
//!
//! fn number(text: &[u8]) -> Option<u64> {
//!     std::str::from_utf8(text).ok()?.trim().parse().ok()
//! }
//!
//! impl Plugin for Scale {
//!     const DESCRIPTION: &'static str = r#"{"name": "scale", "kind": "map"}"#;
//!
//!     fn new(_params: &str) -> Result<Self, String> {
//!         Ok(Scale { factor: Side::new("factor"), times: 1 })
//!     }
//!
//!     fn map<'a>(&mut self, r: Record<'a>, out: &mut Output<'a>) -> Result<(), String> {
//!         if self.factor.changed() {
//!             self.times = number(self.factor.value()).unwrap_or(1);
//!         }
//!         let n = number(r.value).ok_or("not a number")?;
//!         let value = out.keep(n.wrapping_mul(self.times).to_string().as_bytes());
//!         out.emit(Record { value, ..r });
//!         Ok(())
//!     }
//! }
//!
//! wasmill::export!(Scale);
//! ```
//!
//! The vertex says what it is: `sideInputs: {factor: {file: factor.txt}}`.
#![allow(dead_code)]

/// A side input, as an instance has read it.
pub struct Side {
    name: &'static str,
    version: i64,
    value: Vec<u8>,
}

impl Side {
    pub const fn new(name: &'static str) -> Self {
        Side { name, version: 0, value: Vec::new() }
    }

    /// Looks for another value, and says whether it read one: in the first call that asks, and
    /// after each change. It does not change while the records of a call are handled, so that
    /// asking for each of them costs no more than a call of the host.
    pub fn changed(&mut self) -> bool {
        let version = unsafe { host::side_version(self.name.as_ptr(), self.name.len()) };
        if version == self.version || version < 0 {
            return false;
        }
        loop {
            let room = self.value.len();
            let size = unsafe { host::side_read(self.name.as_ptr(), self.name.len(), self.value.as_mut_ptr(), room) };
            self.value.resize(size, 0);
            if size <= room {
                break;
            }
        }
        self.version = version;
        true
    }

    /// The value as changed read it last; empty before.
    pub fn value(&self) -> &[u8] {
        &self.value
    }

    /// Whether it has read one.
    pub fn is_there(&self) -> bool {
        self.version > 0
    }
}

mod host {
    #[link(wasm_import_module = "wasmill")]
    extern "C" {
        pub fn side_version(name: *const u8, length: usize) -> i64;
        pub fn side_read(name: *const u8, length: usize, to: *mut u8, room: usize) -> usize;
    }
}
