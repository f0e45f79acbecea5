//! Rusthttp asks for the URL that its record is, with the key as body, and answers with
//! what it got.
#[path = "../../../../abi/sdk/rust/http.rs"]
mod http;
#[path = "../../../../abi/sdk/rust/wasmill.rs"]
mod wasmill;

use std::time::Duration;
use wasmill::{Output, Plugin, Record};

struct Ask;

impl Plugin for Ask {
    const DESCRIPTION: &'static str = r#"{"name": "rusthttp", "kind": "map"}"#;

    fn new(_params: &str) -> Result<Self, String> {
        Ok(Ask)
    }

    fn map<'a>(&mut self, r: Record<'a>, out: &mut Output<'a>) -> Result<(), String> {
        wasmill::sleep(Duration::from_micros(1));
        let request = http::Request {
            method: "POST",
            url: std::str::from_utf8(r.value).map_err(|e| e.to_string())?,
            headers: b"\x07\0\0\0\x03\0\0\0x-guestyes",
            body: r.key,
            timeout: Duration::from_secs(5),
        };
        let answer = request.send().map_err(|e| format!("{}: {}", e.reason, e.message))?;
        let mut text = format!("{} ", answer.status).into_bytes();
        text.extend_from_slice(answer.body());
        let (value, headers) = (out.keep(&text), out.keep(answer.headers()));
        out.emit(Record { value, headers, ..r });
        Ok(())
    }
}

wasmill::export!(Ask);
