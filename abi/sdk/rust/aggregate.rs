//! Aggregates, for the guest SDK for Rust: copy it beside wasmill.rs. The host keeps an
//! accumulator for each key and window; you say what becomes of it. Write mean.rs
//!
//! ```
//! mod aggregate;
//! mod wasmill;
//! use aggregate::{Aggregate, Results, Window};
//! use wasmill::Record;
//!
//! struct Mean;
//!
//! #[derive(Clone, Copy, Default)]
//! #[repr(C)]
//! struct Acc {
//!     count: u64,
//!     bytes: u64,
//! }
//!
//! unsafe impl aggregate::Plain for Acc {}
//!
//! impl Aggregate for Mean {
//!     const DESCRIPTION: &'static str = r#"{"name": "mean", "kind": "aggregate"}"#;
//!     type Accumulator = Acc;
//!
//!     fn new(_params: &str) -> Result<Self, String> {
//!         Ok(Mean)
//!     }
//!
//!     fn add(&mut self, acc: &mut Acc, r: Record) -> Result<(), String> {
//!         if r.value.is_empty() {
//!             return Err("the value is empty".into());
//!         }
//!         acc.count += 1;
//!         acc.bytes += r.value.len() as u64;
//!         Ok(())
//!     }
//!
//!     fn merge(&mut self, acc: &mut Acc, other: &Acc) {
//!         acc.count += other.count;
//!         acc.bytes += other.bytes;
//!     }
//!
//!     fn result(&mut self, acc: &mut Acc, w: Window, out: &mut Results) -> Result<(), String> {
//!         let mean = acc.bytes / acc.count.max(1);
//!         out.emit(w, mean.to_string().as_bytes());
//!         Ok(())
//!     }
//! }
//!
//! aggregate::export!(Mean);
//! ```
//!
//! and build it as wasmill.rs says. Accumulators that are no plain structs implement Accumulator
//! themselves.
#![allow(dead_code)]

use crate::wasmill::{Frame, Guest, Header, Output, Plugin, Record, Span};
use std::{mem::size_of, slice};

/// What an aggregate is. A panic fails all records of the call.
pub trait Aggregate: Sized {
    /// The JSON of ABI.md §1.
    const DESCRIPTION: &'static str;

    /// What the host keeps. It begins as its default.
    type Accumulator: Accumulator;

    /// Makes the plugin from its parameters, a JSON object, or says what is wrong with them.
    fn new(params: &str) -> Result<Self, String>;

    /// Folds a record in, or fails that record with a message; then nothing of acc counts.
    fn add(&mut self, acc: &mut Self::Accumulator, record: Record) -> Result<(), String>;

    /// Folds the records of other in, for session windows that have become one.
    fn merge(&mut self, acc: &mut Self::Accumulator, other: &Self::Accumulator);

    /// Emits any number of results of a window, or fails with a message. What it makes of acc
    /// is kept, if the window goes on.
    fn result(&mut self, acc: &mut Self::Accumulator, window: Window, out: &mut Results) -> Result<(), String>;
}

/// What can be kept as bytes. A new version of a plugin gets the bytes of the old one.
pub trait Accumulator: Default {
    /// Replaces the value by what encode wrote.
    fn decode(&mut self, bytes: &[u8]);

    /// Appends the value to bytes, the same for equal values.
    fn encode(&self, bytes: &mut Vec<u8>);
}

/// A plain struct: repr(C), without padding, references and pointers, for which any bytes are a
/// value. Fields that a new version adds at its end begin as zeros.
pub unsafe trait Plain: Copy + Default {}

impl<T: Plain> Accumulator for T {
    fn decode(&mut self, bytes: &[u8]) {
        let to = unsafe { slice::from_raw_parts_mut(self as *mut T as *mut u8, size_of::<T>()) };
        let n = bytes.len().min(to.len());
        to[..n].copy_from_slice(&bytes[..n]);
        to[n..].fill(0);
    }

    fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(unsafe { slice::from_raw_parts(self as *const T as *const u8, size_of::<T>()) });
    }
}

/// Why the result of a window is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Firing {
    End,   // the window has ended
    Early, // it has not
    Late,  // records came after that, within the lateness
}

/// A window of a key.
#[derive(Clone, Copy)]
pub struct Window<'a> {
    pub start: i64, // ns since 1970; [start, end), for all times i64::MIN and i64::MAX
    pub end: i64,
    pub key: &'a [u8],
    pub firing: Firing,
}

/// Collects the results of a window.
pub struct Results<'a> {
    pub now: i64,  // of the call, ns since 1970
    pub seed: u64, // for randomness that repeats when a result is wanted again
    out: &'a mut Output<'static>,
}

impl Results<'_> {
    /// Sends a value with the key of the window, and as time its last moment, or for the window
    /// of all times that of the latest record.
    pub fn emit(&mut self, w: Window, value: &[u8]) {
        self.emit_tag(w, value, "");
    }

    /// Sends it to the edges that ask for the tag.
    pub fn emit_tag(&mut self, w: Window, value: &[u8], tag: &'static str) {
        let time = if w.end == i64::MAX { self.out.watermark } else { w.end - 1 };
        let (key, value) = (self.out.keep(w.key), self.out.keep(value));
        self.out.push(Record { time, key, value, headers: &[], port: 0 }, EMIT, tag);
    }
}

/// Makes a type that implements Aggregate the plugin of this module.
macro_rules! export {
    ($plugin:ty) => {
        static mut GUEST: wasmill::Guest<aggregate::Folding<$plugin>> = wasmill::Guest::new();

        #[no_mangle]
        extern "C" fn wasmill_abi_v1() {}

        #[no_mangle]
        extern "C" fn wasmill_describe() -> u64 {
            wasmill::pack(<$plugin as aggregate::Aggregate>::DESCRIPTION)
        }

        #[no_mangle]
        unsafe extern "C" fn wasmill_configure(at: *const u8, length: usize) -> u64 {
            (*std::ptr::addr_of_mut!(GUEST)).configure(std::slice::from_raw_parts(at, length))
        }

        #[no_mangle]
        unsafe extern "C" fn wasmill_input(size: usize) -> *const u64 {
            (*std::ptr::addr_of_mut!(GUEST)).input(size)
        }

        #[no_mangle]
        unsafe extern "C" fn wasmill_add(fold: *const aggregate::Fold) -> *const wasmill::Header {
            (*std::ptr::addr_of_mut!(GUEST)).add(&*fold)
        }

        #[no_mangle]
        unsafe extern "C" fn wasmill_merge(fold: *const aggregate::Fold) -> *const wasmill::Header {
            (*std::ptr::addr_of_mut!(GUEST)).merge(&*fold)
        }

        #[no_mangle]
        unsafe extern "C" fn wasmill_result(fold: *const aggregate::Fold) -> *const wasmill::Header {
            (*std::ptr::addr_of_mut!(GUEST)).result(&*fold)
        }
    };
}
pub(crate) use export;

// From here on it is the ABI.

const EMIT: u32 = 0;
const ERROR: u32 = 1;
const ACCUMULATOR: u32 = 2;

#[repr(C)]
pub struct Fold {
    frame: Frame,
    count: usize,
    windows: *const Entry,
    reserved: u64,
}

#[repr(C)]
struct Entry {
    start: i64,
    end: i64,
    key: Span,
    accumulator: Span,
    first: u32,
    count: u32,
    firing: u32,
    reserved: u32,
}

impl Fold {
    fn windows(&self) -> &[Entry] {
        unsafe { slice::from_raw_parts(self.windows, self.count) }
    }
}

impl Entry {
    fn load<T: Accumulator>(&self, acc: &mut T) {
        let bytes = unsafe { self.accumulator.bytes() };
        if bytes.is_empty() {
            *acc = T::default();
        } else {
            acc.decode(bytes);
        }
    }

    fn window(&self) -> Window {
        let firing = match self.firing {
            0 => Firing::End,
            1 => Firing::Early,
            _ => Firing::Late,
        };
        Window { start: self.start, end: self.end, key: unsafe { self.key.bytes() }, firing }
    }
}

/// An aggregate as wasmill.rs knows plugins.
pub struct Folding<A>(A);

impl<A: Aggregate> Plugin for Folding<A> {
    const DESCRIPTION: &'static str = A::DESCRIPTION;

    fn new(params: &str) -> Result<Self, String> {
        A::new(params).map(Folding)
    }

    fn map<'a>(&mut self, _: Record<'a>, _: &mut Output<'a>) -> Result<(), String> {
        unreachable!()
    }
}

/// Answers with bytes for the input at an index.
fn answer(out: &mut Output<'static>, input: usize, outcome: u32, bytes: &[u8]) {
    out.input = input as u32;
    let value = out.keep(bytes);
    out.push(Record { time: 0, key: &[], value, headers: &[], port: 0 }, outcome, "");
}

impl<A: Aggregate> Guest<Folding<A>> {
    fn parts(&mut self, fold: &Fold) -> (&mut A, &mut Output<'static>) {
        self.begin(&fold.frame);
        (&mut self.plugin.as_mut().expect("wasmill_configure comes first").0, &mut self.out)
    }

    pub fn add(&mut self, fold: &Fold) -> *const Header {
        let (plugin, out) = self.parts(fold);
        let (mut acc, mut bytes) = (A::Accumulator::default(), Vec::new());
        let records = fold.frame.records();
        for (i, w) in fold.windows().iter().enumerate() {
            w.load(&mut acc);
            let first = w.first as usize;
            for (k, r) in records[first..first + w.count as usize].iter().enumerate() {
                if let Err(message) = plugin.add(&mut acc, r.record()) {
                    answer(out, first + k, ERROR, message.as_bytes());
                }
            }
            bytes.clear();
            acc.encode(&mut bytes);
            answer(out, i, ACCUMULATOR, &bytes);
        }
        self.finish()
    }

    pub fn merge(&mut self, fold: &Fold) -> *const Header {
        let (plugin, out) = self.parts(fold);
        let (mut acc, mut other, mut bytes) = (A::Accumulator::default(), A::Accumulator::default(), Vec::new());
        for (i, pair) in fold.windows().chunks_exact(2).enumerate() {
            pair[0].load(&mut acc);
            pair[1].load(&mut other);
            plugin.merge(&mut acc, &other);
            bytes.clear();
            acc.encode(&mut bytes);
            answer(out, 2 * i, ACCUMULATOR, &bytes);
        }
        self.finish()
    }

    pub fn result(&mut self, fold: &Fold) -> *const Header {
        let (plugin, out) = self.parts(fold);
        let (mut acc, mut before, mut after) = (A::Accumulator::default(), Vec::new(), Vec::new());
        for (i, w) in fold.windows().iter().enumerate() {
            w.load(&mut acc);
            before.clear();
            acc.encode(&mut before);
            out.input = i as u32;
            let (now, seed) = (out.now, out.seed);
            if let Err(message) = plugin.result(&mut acc, w.window(), &mut Results { now, seed, out }) {
                answer(out, i, ERROR, message.as_bytes());
                continue;
            }
            after.clear();
            acc.encode(&mut after);
            if before != after {
                answer(out, i, ACCUMULATOR, &after);
            }
        }
        self.finish()
    }
}

const _: () = assert!(size_of::<usize>() != 4 || size_of::<Fold>() == 48 && size_of::<Entry>() == 48);
