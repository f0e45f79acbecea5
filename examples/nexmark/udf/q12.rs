//! How many bids each bidder made in each ten seconds of the clock. Records are keyed by bidder.

use crate::date::{time, SECOND};
use crate::{process::*, wasmill::*};
use crate::{quoted, Numbers, Query};

const SIZE: i64 = 10 * SECOND;
const WINDOW: &str = "window"; // when it ends, and its bids

pub struct ByClock;

impl Query for ByClock {
    fn record<'a>(&mut self, r: Record<'a>, state: &mut State, out: &mut Output<'a>) -> Result<(), String> {
        let next = (out.now.div_euclid(SIZE) + 1) * SIZE;
        let Numbers([mut end, mut count]) = state.get(WINDOW).unwrap_or(Numbers([next, 0]));
        if end <= out.now {
            emit(r, end, count, out); // its timer is due, and on its way
            (end, count) = (next, 0);
        }
        if count == 0 {
            state.set_timer(Clock::Wall, "", end);
        }
        state.put(WINDOW, &Numbers([end, count + 1]));
        Ok(())
    }

    /// The window has ended, or the stream.
    fn timer<'a>(&mut self, t: Timer<'a>, state: &mut State, out: &mut Output<'a>) -> Result<(), String> {
        let Numbers([end, count]) = state.get(WINDOW).ok_or("a timer without its window")?;
        emit(t.record, end, count, out);
        state.delete(WINDOW);
        Ok(())
    }
}

fn emit<'a>(r: Record<'a>, end: i64, count: i64, out: &mut Output<'a>) {
    let (start, end) = (time(end - SIZE), time(end));
    let line = format!(r#"{{"bidder":{},"start":"{}","end":"{}","count":{}}}"#, quoted(r.key), start, end, count);
    let value = out.keep(line.as_bytes());
    out.emit(Record { value, headers: &[], ..r });
}
