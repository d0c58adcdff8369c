use proptest::prelude::*;

use super::Datetime;

fn utc(text: &str) -> String {
    Datetime::parse(text).map_or_else(|| "none".to_owned(), |at| at.to_string())
}

#[test]
fn every_spelling_of_a_datetime_is_understood() {
    for (text, expected) in [
        ("2024-02-29T12:34:56Z", "2024-02-29T12:34:56Z"),
        ("2024-02-29t12:34:56z", "2024-02-29T12:34:56Z"),
        ("2024-02-29T12:34:56+02:00", "2024-02-29T10:34:56Z"),
        ("2024-02-29T12:34:56-0530", "2024-02-29T18:04:56Z"),
        ("2024-02-29T12:34:56+02", "2024-02-29T10:34:56Z"),
        ("2024-02-29 12:34:56", "2024-02-29T12:34:56Z"),
        ("2024-02-29 12:34:56.5+0100", "2024-02-29T11:34:56.5Z"),
        ("2024-02-29T12:34:56", "2024-02-29T12:34:56Z"),
        ("2024-02-29T12:34", "2024-02-29T12:34:00Z"),
        ("2024-02-29 12:34Z", "2024-02-29T12:34:00Z"),
        ("2024-02-29", "2024-02-29T00:00:00Z"),
        ("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"),
        ("2024-01-01T00:00:00.1234567899Z", "2024-01-01T00:00:00.123456Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
        ("0000-01-01", "0000-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
    ] {
        assert_eq!(utc(text), expected, "{text}");
    }
}

#[test]
fn what_only_looks_like_a_datetime_is_not_one() {
    for text in [
        "",
        "2024",
        "2024-02",
        "20240229",
        "20240229T123456Z",
        "2023-02-29",
        "2024-13-01",
        "2024-00-10",
        "2024-01-32",
        "2024-01-00",
        "24-01-01",
        "02024-01-01",
        "2024-01-01T",
        "2024-01-01T12",
        "2024-01-01T24:00",
        "2024-01-01T12:60",
        "2024-01-01T12:00:61Z",
        "2024-01-01T12:00:00.",
        "2024-01-01T12:00:00.Z",
        "2024-01-01T12:00:00+",
        "2024-01-01T12:00:00+2",
        "2024-01-01T12:00:00+24:00",
        "2024-01-01T12:00:00+02:60",
        "2024-01-01T12:00:00 Z",
        " 2024-01-01",
        "2024-01-01 ",
        "2024-01-01Z",
        "2024-01-01T12:00:00Z[UTC]",
        "2024-01-01T12:00:00+02:00:00",
        "+2024-01-01",
        "2024-1-1",
        "yesterday",
        "２０２４-01-01",
        "0000-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
    ] {
        assert_eq!(utc(text), "none", "{text}");
    }
}

#[test]
fn microseconds_outside_the_calendar_are_refused() {
    for inside in [Datetime::MIN, Datetime::MAX] {
        assert_eq!(Datetime::from_micros(inside.micros()), Some(inside));
        assert_eq!(Datetime::parse(&inside.to_string()), Some(inside));
    }
    assert_eq!(Datetime::from_micros(Datetime::MIN.micros() - 1), None);
    assert_eq!(Datetime::from_micros(Datetime::MAX.micros() + 1), None);
    assert_eq!(Datetime::from_micros(i64::MIN), None);
}

proptest! {
    #[test]
    fn the_text_of_a_datetime_parses_back_and_means_the_same_to_a_date_library(
        micros in Datetime::MIN.micros()..=253_402_207_200_999_999_i64,
    ) {
        let at = Datetime::from_micros(micros).unwrap();
        let text = at.to_string();
        prop_assert_eq!(Datetime::parse(&text), Some(at));
        let oracle: jiff::Timestamp = text.parse().unwrap();
        prop_assert_eq!(oracle.as_microsecond(), micros);
    }

    #[test]
    fn any_offset_means_the_same_to_a_date_library(
        (year, month, day) in (1_i64..9999, 1_i64..13, 1_i64..32),
        (hour, minute, second) in (0..24, 0..60, 0..60),
        (sign, hours, minutes) in ("[+-]", 0..24, 0..60),
        fraction in "(\\.[0-9]{1,9})?",
    ) {
        let text = format!(
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}{sign}{hours:02}:{minutes:02}"
        );
        let oracle = text.parse::<jiff::Timestamp>().ok().map(|at| at.as_nanosecond().div_euclid(1000));
        prop_assert_eq!(Datetime::parse(&text).map(|at| i128::from(at.micros())), oracle);
    }

    #[test]
    fn parsing_never_panics(text in "[0-9TtZz:.+ é-]{0,32}") {
        let _ = Datetime::parse(&text);
    }
}
