//! HTTP requests for Rust guests: this one file beside wasmill.rs, as `mod http;`. They need
//! `grant: [http]`, and that the vertex lists the host: `http: {allow: [api.example.org]}`.
#![allow(dead_code)]

use std::time::Duration;

/// What to ask: `Request { url: "http://api.example.org/", ..Default::default() }`.
#[derive(Clone, Copy, Default)]
pub struct Request<'a> {
    pub method: &'a str, // "" = GET
    pub url: &'a str,
    pub headers: &'a [u8], // a header block
    pub body: &'a [u8],
    pub timeout: Duration, // zero = what the vertex allows
}

/// The answer to a request, a redirect too.
pub struct Response {
    pub status: u32,
    bytes: Vec<u8>,
    body: usize, // where it begins
}

impl Response {
    /// A header block for wasmill::headers. Names are in lower case.
    pub fn headers(&self) -> &[u8] {
        &self.bytes[4..self.body]
    }

    pub fn body(&self) -> &[u8] {
        &self.bytes[self.body..]
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub struct Error {
    pub reason: i32, // one of those below
    pub message: String,
}

pub const INVALID: i32 = -1; // the request is malformed
pub const DENIED: i32 = -2; // the vertex does not list the host, or it is not public
pub const TIMEOUT: i32 = -3;
pub const TOO_LARGE: i32 = -4; // the answer
pub const FAILED: i32 = -5; // no connection, or it broke

impl Request<'_> {
    /// Sends the request and waits for the whole answer.
    pub fn send(&self) -> Result<Response, Error> {
        let span = |b: &[u8]| (b.as_ptr() as u64) | (b.len() as u64) << 32;
        let ns = self.timeout.as_nanos().min(i64::MAX as u128) as u64;
        let raw = [span(self.method.as_bytes()), span(self.url.as_bytes()), span(self.headers), span(self.body), ns];
        let result = unsafe { host::http_request(raw.as_ptr()) };
        let mut bytes = vec![0; result as u32 as usize];
        unsafe { host::http_response(bytes.as_mut_ptr(), bytes.len()) }
        let status = (result >> 32) as i32;
        if status < 0 {
            return Err(Error { reason: status, message: String::from_utf8_lossy(&bytes).into_owned() });
        }
        let body = 4 + u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize;
        Ok(Response { status: status as u32, bytes, body })
    }
}

mod host {
    #[link(wasm_import_module = "wasmill")]
    extern "C" {
        pub fn http_request(request: *const u64) -> i64;
        pub fn http_response(at: *mut u8, length: usize);
    }
}
