//! The guest SDK for Rust: this one file, no crates. Put it beside upper.rs
//!
//! ```
//! mod wasmill;
//! use wasmill::{Output, Plugin, Record};
//!
//! struct Upper;
//!
//! impl Plugin for Upper {
//!     const DESCRIPTION: &'static str = r#"{"name": "upper", "kind": "map"}"#;
//!
//!     fn new(_params: &str) -> Result<Self, String> {
//!         Ok(Upper)
//!     }
//!
//!     fn map<'a>(&mut self, r: Record<'a>, out: &mut Output<'a>) -> Result<(), String> {
//!         let value = out.keep(&r.value.to_ascii_uppercase());
//!         out.emit(Record { value, ..r });
//!         Ok(())
//!     }
//! }
//!
//! wasmill::export!(Upper);
//! ```
//!
//! and build it with Rust 1.63 or later (or with cargo, as a `cdylib`):
//!
//! ```sh
//! rustc --edition 2021 --target wasm32-unknown-unknown -C opt-level=3 -C panic=abort \
//!     -C target-feature=+bulk-memory -C strip=debuginfo --crate-type cdylib -o upper.wasm upper.rs
//! ```
#![allow(dead_code)]

use std::{marker::PhantomData, mem::size_of, ptr, slice};

/// What a plugin is.
pub trait Plugin: Sized {
    /// The JSON of ABI.md §1.
    const DESCRIPTION: &'static str;

    /// Makes the plugin from its parameters, a JSON object, or says what is wrong with them.
    fn new(params: &str) -> Result<Self, String>;

    /// Handles one record: emits any number of results, or fails that record with a message.
    /// A panic fails all records of the call.
    fn map<'a>(&mut self, record: Record<'a>, out: &mut Output<'a>) -> Result<(), String>;

    /// The last kind of entries that map is for. Timers are in process.rs.
    const KINDS: u32 = 0;
}

/// One record. Its bytes last as long as the call.
#[derive(Clone, Copy)]
pub struct Record<'a> {
    pub time: i64, // event time, ns since 1970
    pub key: &'a [u8],
    pub value: &'a [u8],
    pub headers: &'a [u8], // see fn headers
    pub port: u32,         // index of the edge it came in by
}

/// Collects the results of a call.
pub struct Output<'a> {
    pub now: i64,       // of the call, ns since 1970
    pub watermark: i64, // ns since 1970
    pub seed: u64,      // for randomness that repeats when a record is processed again
    pub(crate) input: u32, // of the record in hand
    pub(crate) kind: u32,
    entries: Vec<Entry>,
    chunks: Vec<Vec<u8>>, // bytes kept; a chunk is never grown, so they do not move
    frame: PhantomData<&'a ()>,
}

impl<'a> Output<'a> {
    /// Sends a record to the edges without a condition.
    pub fn emit(&mut self, r: Record<'a>) {
        self.emit_tag(r, "");
    }

    /// Sends a record to the edges that ask for the tag.
    pub fn emit_tag(&mut self, r: Record<'a>, tag: &'a str) {
        self.push(r, 0, tag);
    }

    /// Copies bytes to where results can refer to them. Give it a buffer that you use again.
    pub fn keep(&mut self, bytes: &[u8]) -> &'a [u8] {
        let (size, used) = self.chunks.last().map_or((0, 0), |c| (c.capacity(), c.len()));
        if size == 0 || bytes.len() > size - used {
            self.chunks.push(Vec::with_capacity(bytes.len().max(2 * size).max(1 << 16)));
        }
        let chunk = self.chunks.last_mut().unwrap();
        chunk.extend_from_slice(bytes);
        let kept = &chunk[chunk.len() - bytes.len()..];
        unsafe { slice::from_raw_parts(kept.as_ptr(), kept.len()) } // lives as long as the frame
    }

    pub(crate) fn push(&mut self, r: Record<'a>, outcome: u32, tag: &'a str) {
        let (key, value, headers) = (Span::of(r.key), Span::of(r.value), Span::of(r.headers));
        let tag = Span::of(tag.as_bytes());
        self.entries.push(Entry { time: r.time, key, value, headers, input: self.input, outcome, tag });
    }
}

/// Takes a header block apart into names and values.
pub fn headers(mut block: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    std::iter::from_fn(move || {
        let length = |at| Some(u32::from_le_bytes(block.get(at..at + 4)?.try_into().ok()?) as usize);
        let (name, value) = (8 + length(0)?, 8 + length(0)? + length(4)?);
        let header = (&block[8..name], &block[name..value]);
        block = &block[value..];
        Some(header)
    })
}

// Capabilities, granted as in `grant: [log, clock]`. Those not called are not imported. HTTP
// requests are in http.rs.

/// Writes a line to the log of the host: level 0 debug, 1 info, 2 warn, 3 error.
pub fn log(level: i32, line: &str) {
    unsafe { host::log(level, line.as_ptr(), line.len()) }
}

/// The wall clock, ns since 1970.
pub fn now() -> i64 {
    unsafe { host::now() }
}

/// Fills a slice with unpredictable bytes.
pub fn random(bytes: &mut [u8]) {
    unsafe { host::random(bytes.as_mut_ptr(), bytes.len()) }
}

/// Waits.
pub fn sleep(time: std::time::Duration) {
    unsafe { host::sleep(time.as_nanos().min(i64::MAX as u128) as i64) }
}

mod host {
    #[link(wasm_import_module = "wasmill")]
    extern "C" {
        pub fn log(level: i32, at: *const u8, length: usize);
        pub fn now() -> i64;
        pub fn random(at: *mut u8, length: usize);
        pub fn sleep(ns: i64);
    }
}

/// Makes a type that implements Plugin the plugin of this module.
#[allow(unused_macros)]
macro_rules! export {
    ($plugin:ty) => {
        static mut GUEST: wasmill::Guest<$plugin> = wasmill::Guest::new();

        #[no_mangle]
        extern "C" fn wasmill_abi_v1() {}

        #[no_mangle]
        extern "C" fn wasmill_describe() -> u64 {
            wasmill::pack(<$plugin as wasmill::Plugin>::DESCRIPTION)
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
        unsafe extern "C" fn wasmill_process(frame: *const wasmill::Frame) -> *const wasmill::Header {
            (*std::ptr::addr_of_mut!(GUEST)).process(&*frame)
        }
    };
}
#[allow(unused_imports)]
pub(crate) use export;

// From here on it is the ABI.

#[derive(Clone, Copy)]
#[repr(C)]
pub struct Span(*const u8, usize);

impl Span {
    fn of(bytes: &[u8]) -> Span {
        Span(bytes.as_ptr(), bytes.len())
    }

    pub unsafe fn bytes<'a>(self) -> &'a [u8] {
        if self.1 == 0 {
            &[]
        } else {
            slice::from_raw_parts(self.0, self.1)
        }
    }
}

#[repr(C)]
pub struct Frame {
    count: usize,
    records: *const In,
    now: i64,
    watermark: i64,
    seed: u64,
}

impl Frame {
    pub fn records(&self) -> &[In] {
        unsafe { slice::from_raw_parts(self.records, self.count) }
    }
}

#[repr(C)]
pub struct In {
    time: i64,
    key: Span,
    value: Span,
    headers: Span,
    port: u32,
    kind: u32,
}

impl In {
    pub fn record<'a>(&self) -> Record<'a> {
        let (key, value, headers) = unsafe { (self.key.bytes(), self.value.bytes(), self.headers.bytes()) };
        Record { time: self.time, key, value, headers, port: self.port }
    }
}

#[repr(C)]
pub struct Header {
    count: usize,
    entries: *const Entry,
    reserved: u64,
}

#[repr(C)]
struct Entry {
    time: i64,
    key: Span,
    value: Span,
    headers: Span,
    input: u32,
    outcome: u32,
    tag: Span,
}

pub fn pack(text: &str) -> u64 {
    (text.as_ptr() as u64) << 32 | text.len() as u64
}

/// An instance of the plugin, with all that has to outlive a call.
pub struct Guest<P> {
    pub(crate) plugin: Option<P>,
    arena: Vec<u64>, // where the host writes, 8-byte aligned
    pub(crate) out: Output<'static>,
    header: Header,
    message: String,
}

impl<P: Plugin> Guest<P> {
    pub const fn new() -> Self {
        Guest {
            plugin: None,
            arena: Vec::new(),
            out: Output {
                now: 0,
                watermark: 0,
                seed: 0,
                input: 0,
                kind: 0,
                entries: Vec::new(),
                chunks: Vec::new(),
                frame: PhantomData,
            },
            header: Header { count: 0, entries: ptr::null(), reserved: 0 },
            message: String::new(),
        }
    }

    pub fn configure(&mut self, params: &[u8]) -> u64 {
        match P::new(std::str::from_utf8(params).unwrap_or_default()) {
            Ok(plugin) => self.plugin = Some(plugin),
            Err(message) => self.message = message,
        }
        if self.plugin.is_some() {
            0
        } else {
            pack(&self.message)
        }
    }

    pub fn input(&mut self, size: usize) -> *const u64 {
        let old = self.arena.capacity();
        if size > 8 * old {
            self.arena = Vec::new();
            if self.arena.try_reserve_exact((size / 8 + 1).max(2 * old)).is_err() {
                return ptr::null();
            }
        }
        self.arena.as_ptr()
    }

    /// Gets ready for a frame.
    pub(crate) fn begin(&mut self, frame: &Frame) {
        let out = &mut self.out;
        (out.now, out.watermark, out.seed) = (frame.now, frame.watermark, frame.seed);
        out.entries.clear();
        out.chunks.drain(..out.chunks.len().saturating_sub(1)); // keeps the largest
        out.chunks.iter_mut().for_each(Vec::clear);
    }

    /// Answers with what was collected.
    pub(crate) fn finish(&mut self) -> *const Header {
        let entries = &self.out.entries;
        self.header = Header { count: entries.len(), entries: entries.as_ptr(), reserved: 0 };
        &self.header
    }

    pub fn process(&mut self, frame: &Frame) -> *const Header {
        self.begin(frame);
        let out = &mut self.out;
        let plugin = self.plugin.as_mut().expect("wasmill_configure comes first");
        for (input, r) in frame.records().iter().enumerate().filter(|(_, r)| r.kind <= P::KINDS) {
            let record = r.record();
            (out.input, out.kind) = (input as u32, r.kind);
            if let Err(message) = plugin.map(record, out) {
                let value = out.keep(message.as_bytes());
                out.push(Record { value, ..record }, 1, "");
            }
        }
        self.finish()
    }
}

const _: () = assert!(size_of::<usize>() != 4 || size_of::<In>() == 40 && size_of::<Entry>() == 48);
