//! Nexmark answers the queries of the Nexmark benchmark that look at one bid at a time: q0, q1, q2,
//! q14, q21 and q22. The parameter `query` says which. Other events than bids are dropped.
//!
//! Strings are copied as they are written. Prices in dollars become prices in euros exactly, with
//! three digits behind the point: nothing is rounded.

#[path = "../../../abi/sdk/rust/json.rs"]
mod json;
#[path = "../../../abi/sdk/rust/wasmill.rs"]
mod wasmill;

use std::io::Write;
use wasmill::{Output, Plugin, Record};

struct Nexmark {
    query: Query,
    line: Vec<u8>,
}

/// Appends the answer to a line. None = there is no answer to this bid.
type Query = fn(&Bid, &mut Vec<u8>) -> Option<()>;

/// The fields of a bid as they are written, the strings without their quotes.
#[derive(Default)]
struct Bid<'a> {
    auction: u64,
    bidder: u64,
    price: u64, // in dollars
    channel: &'a str,
    url: &'a str,
    date_time: &'a str,
    extra: &'a str,
}

impl Plugin for Nexmark {
    const DESCRIPTION: &'static str = r#"{
        "name": "nexmark", "version": "1.0.0", "kind": "map", "tags": [],
        "params": {"type": "object", "required": ["query"], "additionalProperties": false, "properties": {
            "query": {"enum": ["q0", "q1", "q2", "q14", "q21", "q22"]}}}
    }"#;

    fn new(params: &str) -> Result<Self, String> {
        let query: Query = match json::members(params.as_bytes()).next() {
            Some((b"query", b"\"q0\"")) => |_, _| Some(()),
            Some((b"query", b"\"q1\"")) => q1,
            Some((b"query", b"\"q2\"")) => q2,
            Some((b"query", b"\"q14\"")) => q14,
            Some((b"query", b"\"q21\"")) => q21,
            Some((b"query", b"\"q22\"")) => q22,
            _ => return Err("query is none of q0, q1, q2, q14, q21, q22".into()),
        };
        Ok(Nexmark { query, line: Vec::new() })
    }

    fn map<'a>(&mut self, r: Record<'a>, out: &mut Output<'a>) -> Result<(), String> {
        let bid = match Bid::parse(r.value)? {
            Some(bid) => bid,
            None => return Ok(()),
        };
        self.line.clear();
        if (self.query)(&bid, &mut self.line).is_some() {
            let value = if self.line.is_empty() { r.value } else { out.keep(&self.line) };
            out.emit(Record { value, ..r });
        }
        Ok(())
    }
}

wasmill::export!(Nexmark);

impl<'a> Bid<'a> {
    /// None = an event that is no bid.
    fn parse(event: &'a [u8]) -> Result<Option<Self>, String> {
        let mut bid = Bid::default();
        let mut seen = 0;
        for (name, value) in json::members(event) {
            let written = std::str::from_utf8(value).map_err(|e| e.to_string())?;
            let string = written.strip_prefix('"').and_then(|s| s.strip_suffix('"')).unwrap_or(written);
            match name {
                b"type" if string == "bid" => {}
                b"type" => return Ok(None),
                b"auction" => bid.auction = number(written)?,
                b"bidder" => bid.bidder = number(written)?,
                b"price" => bid.price = number(written)?,
                b"channel" => bid.channel = string,
                b"url" => bid.url = string,
                b"dateTime" => bid.date_time = string,
                b"extra" => bid.extra = string,
                _ => continue,
            }
            seen += 1;
        }
        match seen {
            8 => Ok(Some(bid)),
            _ => Err("event is not a complete bid".into()),
        }
    }

    /// The price in thousandths of a euro: dollars × 0.908.
    fn euros(&self) -> u64 {
        self.price * 908
    }
}

fn number(written: &str) -> Result<u64, String> {
    match written.parse() {
        Ok(n) if n < 1 << 50 => Ok(n),
        _ => Err(format!("{written} is not an unsigned number of 50 bits")),
    }
}

/// Currency conversion.
fn q1(b: &Bid, line: &mut Vec<u8>) -> Option<()> {
    let (whole, thousandths) = (b.euros() / 1000, b.euros() % 1000);
    write!(line, r#"{{"auction":{},"bidder":{},"price":{whole}.{thousandths:03}"#, b.auction, b.bidder).ok()?;
    write!(line, r#","dateTime":"{}","extra":"{}"}}"#, b.date_time, b.extra).ok()
}

/// Selection by auction.
fn q2(b: &Bid, line: &mut Vec<u8>) -> Option<()> {
    if b.auction % 123 != 0 {
        return None;
    }
    write!(line, r#"{{"auction":{},"price":{}}}"#, b.auction, b.price).ok()
}

/// Calculation: conversion, a condition on it, the time of day and a count of letters.
fn q14(b: &Bid, line: &mut Vec<u8>) -> Option<()> {
    if b.euros() <= 1_000_000_000 || b.euros() >= 50_000_000_000 {
        return None;
    }
    let time = match b.date_time.get(11..13)?.parse().ok()? {
        8..=18 => "dayTime",
        0..=6 | 20..=23 => "nightTime",
        _ => "otherTime",
    };
    let (whole, thousandths) = (b.euros() / 1000, b.euros() % 1000);
    let letters = b.extra.bytes().filter(|&c| c == b'c').count();
    write!(line, r#"{{"auction":{},"bidder":{},"price":{whole}.{thousandths:03}"#, b.auction, b.bidder).ok()?;
    write!(line, r#","bidTimeType":"{time}","dateTime":"{}","extra":"{}""#, b.date_time, b.extra).ok()?;
    write!(line, r#","c_counts":{letters}}}"#).ok()
}

/// The id of the channel, which is known or in the url.
fn q21(b: &Bid, line: &mut Vec<u8>) -> Option<()> {
    let id = match b.channel.to_ascii_lowercase().as_str() {
        "apple" => "0",
        "google" => "1",
        "facebook" => "2",
        "baidu" => "3",
        _ => b.url.split(&['?', '&']).find_map(|part| part.strip_prefix("channel_id="))?,
    };
    let (auction, bidder, price, channel) = (b.auction, b.bidder, b.price, b.channel);
    write!(line, r#"{{"auction":{auction},"bidder":{bidder},"price":{price},"channel":"{channel}""#).ok()?;
    write!(line, r#","channel_id":"{id}"}}"#).ok()
}

/// The directories of the url: "https:", "" and the host come before them.
fn q22(b: &Bid, line: &mut Vec<u8>) -> Option<()> {
    let (auction, bidder, price, channel) = (b.auction, b.bidder, b.price, b.channel);
    write!(line, r#"{{"auction":{auction},"bidder":{bidder},"price":{price},"channel":"{channel}""#).ok()?;
    let mut parts = b.url.split('/').skip(3);
    for dir in ["dir1", "dir2", "dir3"] {
        match parts.next() {
            Some(part) => write!(line, r#","{dir}":"{part}""#).ok()?,
            None => write!(line, r#","{dir}":null"#).ok()?,
        }
    }
    line.push(b'}');
    Some(())
}
