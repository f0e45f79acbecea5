//! Times as text, to copy beside wasmill.rs when a plugin writes them.

/// RFC 3339 in UTC, of ns since 1970: 2026-05-04T10:00:00.5Z, without zeros at the end.
pub fn rfc3339(ns: i64) -> String {
    let (seconds, ns) = (ns.div_euclid(1_000_000_000), ns.rem_euclid(1_000_000_000));
    let (days, time) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Of years that begin in March: Hinnant, chrono-Compatible Low-Level Date Algorithms.
    let (era, day) = ((days + 719_468).div_euclid(146_097), (days + 719_468).rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (date, month) = (day - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    let year = year + era * 400 + (month <= 2) as i64;
    let text = format!("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", year, month, date, time / 3600, time / 60 % 60, time % 60);
    match ns {
        0 => text + "Z",
        _ => format!("{}.{:09}", text, ns).trim_end_matches('0').to_string() + "Z",
    }
}
