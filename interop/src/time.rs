//! Days and moments as text.

use std::fmt::Write;

const DAY: i64 = 86_400;
const NANOS: i64 = 1_000_000_000;

/// Days from 1970-01-01 as `2024-05-01`; `None` beyond the years that text is made of.
pub(crate) fn date(days: i64) -> Option<String> {
    // Years of up to six digits.
    const MOST: i64 = 95_000_000;
    if !(-MOST..=MOST).contains(&days) {
        return None;
    }
    let (year, month, day) = civil(days);
    Some(if (0..=9999).contains(&year) {
        format!("{year:04}-{month:02}-{day:02}")
    } else {
        // As ISO 8601 writes years that have more than four digits.
        format!("{year:+07}-{month:02}-{day:02}")
    })
}

/// As [`date`], from milliseconds; with the time of day where there is one, against the format.
#[cfg(feature = "parquet")]
pub(crate) fn date_of_millis(millis: i64) -> Option<String> {
    if millis.rem_euclid(DAY * 1000) > 0 {
        return timestamp(millis, 1000, false);
    }
    date(millis.div_euclid(DAY * 1000))
}

/// Nanoseconds from midnight as `12:30:00.25`.
pub(crate) fn of_day(nanos: i64) -> Option<String> {
    if !(0..DAY * NANOS).contains(&nanos) {
        return None;
    }
    let seconds = nanos / NANOS;
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let mut text = format!("{hour:02}:{minute:02}:{second:02}");
    let fraction = nanos % NANOS;
    if fraction > 0 {
        // Writing to a string does not fail.
        let _ = write!(text, ".{fraction:09}");
        text.truncate(text.trim_end_matches('0').len());
    }
    Some(text)
}

/// `count` parts of a second from 1970-01-01T00:00:00, in UTC where it `has_zone`.
pub(crate) fn timestamp(count: i64, per_second: i64, has_zone: bool) -> Option<String> {
    let (seconds, part) = (count.div_euclid(per_second), count.rem_euclid(per_second));
    let nanos = seconds.rem_euclid(DAY) * NANOS + part * (NANOS / per_second);
    let (date, time) = (date(seconds.div_euclid(DAY))?, of_day(nanos)?);
    Some(format!("{date}T{time}{}", if has_zone { "Z" } else { "" }))
}

/// Year, month and day, for days from 1970-01-01. From Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
fn civil(days: i64) -> (i64, i64, i64) {
    // Eras are 400 years that begin on the 1st of March, so that leap days come last.
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests;
