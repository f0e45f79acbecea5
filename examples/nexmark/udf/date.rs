//! Dates of the Gregorian calendar in UTC. Years begin in March here, so that the leap day is their
//! last one (Hinnant, chrono-Compatible Low-Level Date Algorithms).

const MILLISECOND: i64 = 1_000_000;
pub const SECOND: i64 = 1_000 * MILLISECOND;
pub const DAY: i64 = 86_400 * SECOND;

/// Reads a time such as 2015-07-15T00:00:00.000Z into ns since 1970.
pub fn parse(written: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(written).ok()?;
    let part = |from, to| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
    let (hour, minute, second, milli) = (part(11, 13)?, part(14, 16)?, part(17, 19)?, part(20, 23)?);
    if text.len() != 24 || !text.ends_with('Z') {
        return None;
    }
    let year = year - (month <= 2) as i64;
    let (era, month) = (year.div_euclid(400), (month + 9) % 12);
    let year = year.rem_euclid(400);
    let days = era * 146_097 + year * 365 + year / 4 - year / 100 + (153 * month + 2) / 5 + day - 1 - 719_468;
    Some(days * DAY + ((hour * 60 + minute) * 60 + second) * SECOND + milli * MILLISECOND)
}

/// Writes the date of a day, counted from 1970, such as 2015-07-15.
pub fn date(day: i64) -> String {
    let (era, day) = ((day + 719_468).div_euclid(146_097), (day + 719_468).rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (date, month) = (day - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    format!("{:04}-{:02}-{:02}", year + era * 400 + (month <= 2) as i64, month, date)
}

/// Writes ns since 1970 to the second, such as 2015-07-15T00:00:00Z.
pub fn time(ns: i64) -> String {
    let second = ns.rem_euclid(DAY) / SECOND;
    format!("{}T{:02}:{:02}:{:02}Z", date(ns.div_euclid(DAY)), second / 3600, second / 60 % 60, second % 60)
}
