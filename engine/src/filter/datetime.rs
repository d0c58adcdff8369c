//! Points in time as payloads spell them: text in, microseconds since 1970 UTC out.
//!
//! ```text
//! datetime = date [ ("T" / "t" / " ") hour ":" minute [ ":" second [ "." 1*DIGIT ] ] [ zone ] ]
//! date     = 4DIGIT "-" 2DIGIT "-" 2DIGIT
//! zone     = "Z" / "z" / ("+" / "-") 2DIGIT [ [ ":" ] 2DIGIT ]
//! ```
//! That is RFC 3339 plus what people write: an offset without its colon, a space for the `T`, no seconds, no zone
//! (meant as UTC), a bare date (its midnight in UTC). Digits beyond the microsecond are cut. The grammar is spelled
//! out here, rather than left to a date library, because it decides which stored strings count as a datetime at
//! all: a lenient parser would turn serial numbers such as `20240601` into dates.

use std::{fmt, str::FromStr};

use super::{
    error::{FilterError, Place},
    path::shorten,
};

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// A point in time with microsecond precision, in the years 0000 to 9999 of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Datetime {
    micros: i64,
}

impl Datetime {
    /// The start of the year 0000.
    pub const MIN: Self = Self {
        micros: days_since_1970(0, 1, 1) * SECONDS_PER_DAY * MICROS_PER_SECOND,
    };
    /// The last microsecond of the year 9999.
    pub const MAX: Self = Self {
        micros: days_since_1970(10_000, 1, 1) * SECONDS_PER_DAY * MICROS_PER_SECOND - 1,
    };

    /// From microseconds since 1970-01-01T00:00:00Z; `None` outside [`Datetime::MIN`] to [`Datetime::MAX`].
    #[must_use]
    pub fn from_micros(micros: i64) -> Option<Self> {
        (Self::MIN.micros..=Self::MAX.micros)
            .contains(&micros)
            .then_some(Self { micros })
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn micros(self) -> i64 {
        self.micros
    }

    /// Parses `text` by the grammar of the module; `None` when it is not a datetime. Does not allocate.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut text = Cursor {
            rest: text.as_bytes(),
        };
        let year = text.digits(4)?;
        text.expect(b'-')?;
        let month = text.digits(2)?;
        text.expect(b'-')?;
        let day = text.digits(2)?;
        if !(1..=12).contains(&month) || !(1..=days_in_month(year, month)).contains(&day) {
            return None;
        }
        let midnight = days_since_1970(year, month, day) * SECONDS_PER_DAY;
        if text.rest.is_empty() {
            return Self::from_micros(midnight * MICROS_PER_SECOND);
        }

        text.one_of(b"Tt ")?;
        let hour = text.digits(2)?;
        text.expect(b':')?;
        let minute = text.digits(2)?;
        let (second, fraction) = if text.expect(b':').is_some() {
            let second = text.digits(2)?;
            let fraction = if text.expect(b'.').is_some() {
                text.fraction()?
            } else {
                0
            };
            (second, fraction)
        } else {
            (0, 0)
        };
        // Second 60 is a leap second; like every calendar without them, it is the second after.
        if hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let offset = text.zone()?;
        if !text.rest.is_empty() {
            return None;
        }
        let seconds = midnight + hour * 3600 + minute * 60 + second - offset;
        Self::from_micros(seconds * MICROS_PER_SECOND + fraction)
    }
}

impl FromStr for Datetime {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        Self::parse(text).ok_or_else(|| Place::ROOT.invalid(format!("{} is not a datetime", shorten(text))))
    }
}

/// RFC 3339 in UTC, with a fraction only where there is one.
impl fmt::Display for Datetime {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.micros.div_euclid(MICROS_PER_SECOND);
        let (year, month, day) = civil(seconds.div_euclid(SECONDS_PER_DAY));
        let second = seconds.rem_euclid(SECONDS_PER_DAY);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(
            out,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
        )?;
        let fraction = self.micros.rem_euclid(MICROS_PER_SECOND);
        if fraction != 0 {
            let digits = format!("{fraction:06}");
            write!(out, ".{}", digits.trim_end_matches('0'))?;
        }
        out.write_str("Z")
    }
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar (year >= 0). The year is taken to start in
/// March, so that the leap day is its last: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
const fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of [`days_since_1970`], from the same source.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

struct Cursor<'a> {
    rest: &'a [u8],
}

impl Cursor<'_> {
    fn one_of(&mut self, allowed: &[u8]) -> Option<u8> {
        let (&first, rest) = self.rest.split_first()?;
        if !allowed.contains(&first) {
            return None;
        }
        self.rest = rest;
        Some(first)
    }

    fn expect(&mut self, byte: u8) -> Option<u8> {
        self.one_of(&[byte])
    }

    /// Exactly `count` decimal digits.
    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.rest.split_at_checked(count)?;
        let mut value = 0;
        for &digit in digits {
            if !digit.is_ascii_digit() {
                return None;
            }
            value = value * 10 + i64::from(digit - b'0');
        }
        self.rest = rest;
        Some(value)
    }

    /// One or more digits of a decimal fraction of a second, in microseconds.
    fn fraction(&mut self) -> Option<i64> {
        let count = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if count == 0 {
            return None;
        }
        let mut micros = 0;
        for place in 0..6 {
            let digit = if place < count { self.digits(1)? } else { 0 };
            micros = micros * 10 + digit;
        }
        let (_, rest) = self.rest.split_at_checked(count.saturating_sub(6))?;
        self.rest = rest;
        Some(micros)
    }

    /// The zone's offset in seconds east of UTC; 0 when the text ends here.
    fn zone(&mut self) -> Option<i64> {
        if self.rest.is_empty() || self.one_of(b"Zz").is_some() {
            return Some(0);
        }
        let sign = if self.one_of(b"+-")? == b'-' { -1 } else { 1 };
        let hours = self.digits(2)?;
        let minutes = if self.rest.is_empty() {
            0
        } else {
            self.expect(b':');
            self.digits(2)?
        };
        (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
    }
}

#[cfg(test)]
mod tests;
