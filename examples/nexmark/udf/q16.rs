//! Bids, bidders and auctions of each channel and day, in total and by how high the prices are. The
//! distinct ones are counted exactly: each has a name in the state. Records are keyed by channel.

use crate::date::{date, DAY};
use crate::{quoted, scan::Field, Numbers, Query};
use crate::{process::*, wasmill::*};
use std::time::Duration;

/// Of bids, bidders and auctions, each: total, and those of the ranks.
type Counts = Numbers<12>;

const BIDDER: u8 = 1;
const AUCTION: u8 = 2;

/// Prices below 10,000, below 1,000,000, and the others have the ranks 1, 2 and 3.
fn rank(price: i64) -> usize {
    1 + (price >= 10_000) as usize + (price >= 1_000_000) as usize
}

pub struct Channel {
    auction: Field,
    bidder: Field,
    price: Field,
}

impl Channel {
    pub fn new() -> Self {
        Channel { auction: Field::new("auction"), bidder: Field::new("bidder"), price: Field::new("price") }
    }
}

impl Query for Channel {
    fn record<'a>(&mut self, r: Record<'a>, state: &mut State, _: &mut Output<'a>) -> Result<(), String> {
        let ids = [(BIDDER, self.bidder.integer(r.value)?), (AUCTION, self.auction.integer(r.value)?)];
        let rank = rank(self.price.integer(r.value)?);
        let day = r.time.div_euclid(DAY).to_le_bytes();
        let end = (r.time.div_euclid(DAY) + 1).saturating_mul(DAY);
        let rest = Duration::from_nanos(end.saturating_sub(r.time) as u64);
        let Numbers(mut counts) = state.get(day).unwrap_or_else(|| {
            state.set_timer(Clock::Event, day, end);
            Numbers([0; 12])
        });
        counts[0] += 1;
        counts[rank] += 1;
        for (what, id) in ids {
            let mut name = [what; 17];
            name[1..9].copy_from_slice(&day);
            name[9..].copy_from_slice(&id.to_le_bytes());
            let known: u32 = state.get(name).unwrap_or(0); // a bit for the total, and for each rank
            let now = known | 1 | 1 << rank;
            if now != known {
                state.put_for(name, &now, rest);
            }
            for bit in [0, rank] {
                counts[4 * what as usize + bit] += (known >> bit & 1 == 0) as i64;
            }
        }
        state.put(day, &Numbers(counts));
        Ok(())
    }

    /// The day has ended.
    fn timer<'a>(&mut self, t: Timer<'a>, state: &mut State, out: &mut Output<'a>) -> Result<(), String> {
        let Numbers(counts): Counts = state.get(t.name).ok_or("a timer without its day")?;
        let day = i64::from_le_bytes(t.name.try_into().map_err(|_| "the name of a timer is not a day")?);
        let mut line = format!(r#"{{"channel":{},"day":"{}""#, quoted(t.record.key), date(day));
        for (i, n) in counts.iter().enumerate() {
            let (rank, what) = (["total", "rank1", "rank2", "rank3"][i % 4], ["bids", "bidders", "auctions"][i / 4]);
            line += &format!(r#","{}_{}":{}"#, rank, what, n);
        }
        line.push('}');
        let value = out.keep(line.as_bytes());
        out.emit(Record { value, ..t.record });
        state.delete(t.name);
        Ok(())
    }
}
