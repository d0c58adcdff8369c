//! Points in time, counted day by day from 1970.

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn month_days(year: i64, month: i64) -> i64 {
    [
        31,
        if is_leap(year) { 29 } else { 28 },
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ][month as usize - 1]
}

/// Microseconds since 1970 of `YYYY-MM-DD`, or with `THH:MM`, `:SS`, a fraction, and `Z` or `+HH:MM` behind.
pub fn micros(text: &str) -> Option<i64> {
    let number = |range: std::ops::Range<usize>| -> Option<i64> {
        let digits = text.get(range)?;
        digits
            .bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| digits.parse().ok())?
    };
    let at = |i: usize| text.as_bytes().get(i).copied();
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    if at(4) != Some(b'-') || at(7) != Some(b'-') || !(1..=12).contains(&month) || day < 1 {
        return None;
    }
    if day > month_days(year, month) {
        return None;
    }
    let mut days: i64 = (1970..year).map(|y| if is_leap(y) { 366 } else { 365 }).sum();
    days -= (year..1970)
        .map(|y| if is_leap(y) { 366 } else { 365 })
        .sum::<i64>();
    days += (1..month).map(|m| month_days(year, m)).sum::<i64>() + day - 1;
    let mut seconds = days * 86_400;
    let mut fraction = 0;
    if text.len() > 10 {
        seconds += number(11..13)? * 3_600 + number(14..16)? * 60;
        let mut rest = text.get(16..)?;
        if let Some(after) = rest.strip_prefix(':') {
            seconds += number(17..19)?;
            rest = after.get(2..)?;
        }
        if let Some(after) = rest.strip_prefix('.') {
            let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
            fraction = format!("{digits:0<6}").get(..6)?.parse().ok()?;
            rest = after.get(digits.len()..)?;
        }
        match rest.as_bytes() {
            [] | [b'Z'] => {}
            [sign, h1, h2, b':', m1, m2] => {
                let digit = |b: &u8| i64::from(b - b'0');
                let offset = (digit(h1) * 10 + digit(h2)) * 3_600 + (digit(m1) * 10 + digit(m2)) * 60;
                seconds -= if *sign == b'-' { -offset } else { offset };
            }
            _ => return None,
        }
    }
    Some(seconds * 1_000_000 + fraction)
}
