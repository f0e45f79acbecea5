//! The price of the winning bid of each auction, with the category: the highest price of the bids
//! from the auction's dateTime to its expires, both included. Records are keyed by auction.

use crate::{date, quoted, scan::Field, Numbers, Query};
use crate::{process::*, wasmill::*};
use std::time::Duration;

/// Bids that came before their auction wait for it. If they are to count it is no younger than
/// they are, so it comes before the watermark has passed them.
const WAITING: &str = "waiting";
const WAIT: Duration = Duration::from_secs(1);

/// For how long a closed auction is known, so that nobody waits for it.
const AUCTION: &str = "auction";
const CLOSED: Duration = Duration::from_secs(60);

const NO_BID: i64 = -1;

struct Auction {
    from: i64, // ns since 1970
    to: i64,
    category: i64,
    price: i64, // the highest yet
}

impl Auction {
    fn of(Numbers([from, to, category, price]): Numbers<4>) -> Self {
        Auction { from, to, category, price }
    }

    fn numbers(&self) -> Numbers<4> {
        Numbers([self.from, self.to, self.category, self.price])
    }

    /// Takes a bid, and says whether it is the highest yet.
    fn take(&mut self, time: i64, price: i64) -> bool {
        let better = self.from <= time && time <= self.to && price > self.price;
        if better {
            self.price = price;
        }
        better
    }
}

pub struct Winning {
    kind: Field,
    category: Field,
    expires: Field,
    price: Field,
}

impl Query for Winning {
    fn record<'a>(&mut self, r: Record<'a>, state: &mut State, _: &mut Output<'a>) -> Result<(), String> {
        match self.kind.text(r.value)? {
            b"auction" => self.auction(r, state),
            b"bid" => self.bid(r, state),
            _ => Err("the event is neither an auction nor a bid".into()),
        }
    }

    /// The watermark is past expires.
    fn timer<'a>(&mut self, t: Timer<'a>, state: &mut State, out: &mut Output<'a>) -> Result<(), String> {
        let a = Auction::of(state.get(AUCTION).ok_or("a timer without its auction")?);
        if a.price != NO_BID {
            let line = format!(r#"{{"auction":{},"category":{},"price":{}}}"#, quoted(t.record.key), a.category, a.price);
            let value = out.keep(line.as_bytes());
            out.emit(Record { value, ..t.record });
        }
        state.put_for(AUCTION, &a.numbers(), CLOSED);
        Ok(())
    }
}

impl Winning {
    pub fn new() -> Self {
        Winning { kind: Field::new("type"), category: Field::new("category"), expires: Field::new("expires"), price: Field::new("price") }
    }

    fn auction(&self, r: Record, state: &mut State) -> Result<(), String> {
        let to = date::parse(self.expires.text(r.value)?).ok_or("expires is not a time")?;
        let mut a = Auction { from: r.time, to, category: self.category.integer(r.value)?, price: NO_BID };
        if let Some(waiting) = state.get::<Vec<u8>>(WAITING) {
            for bid in waiting.chunks_exact(16) {
                let Numbers([time, price]) = Value::decode(bid).unwrap();
                a.take(time, price);
            }
            state.delete(WAITING);
        }
        state.put(AUCTION, &a.numbers());
        state.set_timer(Clock::Event, "", to.saturating_add(1)); // a bid at expires itself may come until then
        Ok(())
    }

    fn bid(&self, r: Record, state: &mut State) -> Result<(), String> {
        let price = self.price.integer(r.value)?;
        match state.get(AUCTION).map(Auction::of) {
            Some(mut a) => {
                if a.take(r.time, price) {
                    state.put(AUCTION, &a.numbers());
                }
            }
            None => {
                let mut waiting = state.get::<Vec<u8>>(WAITING).unwrap_or_default();
                Numbers([r.time, price]).encode(|bytes| waiting.extend_from_slice(bytes));
                state.put_for(WAITING, &waiting, WAIT);
            }
        }
        Ok(())
    }
}
