//! The last bid of each bidder for each auction, as it is: the one with the latest dateTime, of
//! equal ones that which came last. They leave when the stream ends. Records are keyed by auction.

use crate::{scan::Field, Query};
use crate::{process::*, wasmill::*};

/// A value of the state has the name of a bidder: the event time of a bid, in ns, and the bid.
const TIME: usize = 8;

fn time(value: &[u8]) -> i64 {
    i64::from_le_bytes(value[..TIME].try_into().unwrap())
}

pub struct Last {
    bidder: Field,
}

impl Last {
    pub fn new() -> Self {
        Last { bidder: Field::new("bidder") }
    }
}

impl Query for Last {
    fn record<'a>(&mut self, r: Record<'a>, state: &mut State, _: &mut Output<'a>) -> Result<(), String> {
        let bidder = self.bidder.integer(r.value)?.to_le_bytes();
        match state.get::<Vec<u8>>(bidder) {
            Some(last) if time(&last) > r.time => return Ok(()),
            Some(_) => {}
            None => state.set_timer(Clock::Event, "", i64::MAX),
        }
        state.put(bidder, &[&r.time.to_le_bytes(), r.value].concat());
        Ok(())
    }

    /// The stream has ended.
    fn timer<'a>(&mut self, t: Timer<'a>, state: &mut State, out: &mut Output<'a>) -> Result<(), String> {
        for (_, last) in state.list("").iter() {
            let value = out.keep(&last[TIME..]);
            out.emit(Record { time: time(last), value, ..t.record });
        }
        Ok(())
    }
}
