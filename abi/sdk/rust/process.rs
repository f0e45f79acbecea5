//! State and timers for Rust guests: this one file beside wasmill.rs. visits.rs counts the
//! visits of each key, and says how many they were when none came for a minute:
//!
//! ```
//! mod process;
//! mod wasmill;
//! use process::{Clock, Process, State, Timer};
//! use wasmill::{Output, Record};
//!
//! const MINUTE: i64 = 60_000_000_000;
//!
//! struct Visits;
//!
//! impl Process for Visits {
//!     const DESCRIPTION: &'static str = r#"{"name": "visits", "kind": "process"}"#;
//!
//!     fn new(_params: &str) -> Result<Self, String> {
//!         Ok(Visits)
//!     }
//!
//!     fn record<'a>(&mut self, r: Record<'a>, state: &mut State, _: &mut Output<'a>) -> Result<(), String> {
//!         let n = state.get::<i64>("count").unwrap_or(0);
//!         state.put("count", &(n + 1));
//!         state.set_timer(Clock::Event, "silent", r.time + MINUTE);
//!         Ok(())
//!     }
//!
//!     fn timer<'a>(&mut self, t: Timer<'a>, state: &mut State, out: &mut Output<'a>) -> Result<(), String> {
//!         let n = state.get::<i64>("count").unwrap_or(0);
//!         let value = out.keep(n.to_string().as_bytes());
//!         out.emit(Record { value, ..t.record });
//!         state.delete("count");
//!         Ok(())
//!     }
//! }
//!
//! wasmill::export!(process::Keyed<Visits>);
//! ```
//!
//! The vertex names the key: `key: {json: user}`. State and timers are those of the key of the
//! record in hand, ABI.md §5.2. What a call wrote is forgotten if one of its records fails.
#![allow(dead_code)]

use crate::wasmill::{headers, Output, Plugin, Record};
use std::time::Duration;

/// What a plugin of kind process is.
pub trait Process: Sized {
    /// The JSON of ABI.md §1.
    const DESCRIPTION: &'static str;

    /// Makes the plugin from its parameters, a JSON object, or says what is wrong with them.
    fn new(params: &str) -> Result<Self, String>;

    /// Handles one record, as Plugin::map does.
    fn record<'a>(&mut self, r: Record<'a>, state: &mut State, out: &mut Output<'a>) -> Result<(), String>;

    /// Handles one timer that fires.
    fn timer<'a>(&mut self, _: Timer<'a>, _: &mut State, _: &mut Output<'a>) -> Result<(), String> {
        Ok(())
    }
}

/// Says that no record will follow: a plugin that sets a timer each time one fires stops then.
pub fn ended(out: &Output) -> bool {
    out.watermark == i64::MAX
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Clock {
    Event = 0, // the watermark
    Wall = 1,
}

/// A timer that fires.
pub struct Timer<'a> {
    pub clock: Clock,
    pub name: &'a [u8],
    pub record: Record<'a>, // to make results of: its key, and as time when it was to fire
}

/// A value of the state. Small ones are read and written without an allocation.
pub trait Value: Sized {
    fn encode<T>(&self, then: impl FnOnce(&[u8]) -> T) -> T;

    /// None, if these bytes are none: get panics then.
    fn decode(bytes: &[u8]) -> Option<Self>;
}

macro_rules! number {
    ($($t:ty)*) => {$(
        impl Value for $t {
            fn encode<T>(&self, then: impl FnOnce(&[u8]) -> T) -> T {
                then(&self.to_le_bytes())
            }
            fn decode(bytes: &[u8]) -> Option<Self> {
                Some(<$t>::from_le_bytes(bytes.try_into().ok()?))
            }
        }
    )*};
}
number!(i64 u64 i32 u32 f64);

impl Value for Vec<u8> {
    fn encode<T>(&self, then: impl FnOnce(&[u8]) -> T) -> T {
        then(self)
    }
    fn decode(bytes: &[u8]) -> Option<Self> {
        Some(bytes.to_vec())
    }
}

impl Value for String {
    fn encode<T>(&self, then: impl FnOnce(&[u8]) -> T) -> T {
        then(self.as_bytes())
    }
    fn decode(bytes: &[u8]) -> Option<Self> {
        String::from_utf8(bytes.to_vec()).ok()
    }
}

/// The state of the key of the record in hand.
pub struct State {
    record: u32,
}

const SMALL: usize = 128; // bytes of a value that is read without an allocation

impl State {
    pub fn get<V: Value>(&self, name: impl AsRef<[u8]>) -> Option<V> {
        let (name, mut small) = (name.as_ref(), [0; SMALL]);
        let size = unsafe { host::state_get(self.record, name.as_ptr(), name.len(), small.as_mut_ptr(), SMALL) };
        let read = match usize::try_from(size).ok()? {
            n if n <= SMALL => V::decode(&small[..n]),
            n => {
                let mut large = vec![0; n];
                unsafe { host::state_get(self.record, name.as_ptr(), name.len(), large.as_mut_ptr(), n) };
                V::decode(&large)
            }
        };
        Some(read.expect("the state has another type"))
    }

    pub fn put<V: Value>(&mut self, name: impl AsRef<[u8]>, value: &V) {
        self.put_for(name, value, Duration::ZERO)
    }

    /// Sets a value for so long in event time from the record on; zero is until it is deleted.
    pub fn put_for<V: Value>(&mut self, name: impl AsRef<[u8]>, value: &V, ttl: Duration) {
        let (name, ttl) = (name.as_ref(), ttl.as_nanos().min(i64::MAX as u128) as i64);
        value.encode(|v| unsafe { host::state_put(self.record, name.as_ptr(), name.len(), v.as_ptr(), v.len(), ttl) })
    }

    pub fn delete(&mut self, name: impl AsRef<[u8]>) {
        let name = name.as_ref();
        unsafe { host::state_delete(self.record, name.as_ptr(), name.len()) }
    }

    /// All names that begin with a prefix, with their values, in the order of their bytes.
    pub fn list(&self, prefix: impl AsRef<[u8]>) -> List {
        let prefix = prefix.as_ref();
        let mut block = Vec::new();
        loop {
            let room = block.len();
            let n = unsafe { host::state_list(self.record, prefix.as_ptr(), prefix.len(), block.as_mut_ptr(), room) };
            block.resize(n, 0);
            if n <= room {
                return List(block);
            }
        }
    }

    /// Sets the timer of a name, or moves it: to when the clock has come to `at`, ns since 1970.
    pub fn set_timer(&mut self, clock: Clock, name: impl AsRef<[u8]>, at: i64) {
        let name = name.as_ref();
        unsafe { host::timer_set(self.record, clock as u32, name.as_ptr(), name.len(), at) }
    }

    pub fn delete_timer(&mut self, clock: Clock, name: impl AsRef<[u8]>) {
        let name = name.as_ref();
        unsafe { host::timer_delete(self.record, clock as u32, name.as_ptr(), name.len()) }
    }
}

/// Names and values as they were when they were listed.
pub struct List(Vec<u8>);

impl List {
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        headers(&self.0)
    }
}

/// Makes a Process a Plugin, for wasmill::export.
pub struct Keyed<P>(P);

impl<P: Process> Plugin for Keyed<P> {
    const DESCRIPTION: &'static str = P::DESCRIPTION;
    const KINDS: u32 = 2;

    fn new(params: &str) -> Result<Self, String> {
        P::new(params).map(Keyed)
    }

    fn map<'a>(&mut self, record: Record<'a>, out: &mut Output<'a>) -> Result<(), String> {
        let mut state = State { record: out.input };
        let clock = match out.kind {
            0 => return self.0.record(record, &mut state, out),
            1 => Clock::Event,
            _ => Clock::Wall,
        };
        self.0.timer(Timer { clock, name: record.value, record }, &mut state, out)
    }
}

mod host {
    #[link(wasm_import_module = "wasmill")]
    extern "C" {
        pub fn state_get(record: u32, name: *const u8, length: usize, to: *mut u8, room: usize) -> i32;
        pub fn state_put(record: u32, name: *const u8, length: usize, value: *const u8, size: usize, ttl: i64);
        pub fn state_delete(record: u32, name: *const u8, length: usize);
        pub fn state_list(record: u32, prefix: *const u8, length: usize, to: *mut u8, room: usize) -> usize;
        pub fn timer_set(record: u32, clock: u32, name: *const u8, length: usize, at: i64);
        pub fn timer_delete(record: u32, clock: u32, name: *const u8, length: usize);
    }
}
