use super::*;

#[test]
fn days_and_moments_are_written_as_rfc_3339_does() {
    assert_eq!(date(0).unwrap(), "1970-01-01");
    assert_eq!(date(-1).unwrap(), "1969-12-31");
    assert_eq!(date(19_782).unwrap(), "2024-02-29");
    assert_eq!(date(-719_528).unwrap(), "0000-01-01");
    assert_eq!(date(2_932_896).unwrap(), "9999-12-31");
    assert_eq!(date(2_932_897).unwrap(), "+010000-01-01");
    assert_eq!(date(i64::MAX), None);
    #[cfg(feature = "parquet")]
    assert_eq!(date_of_millis(-1).unwrap(), "1969-12-31T23:59:59.999");
    assert_eq!(of_day(0).unwrap(), "00:00:00");
    assert_eq!(of_day(86_399_999_999_999).unwrap(), "23:59:59.999999999");
    assert_eq!(of_day(86_400_000_000_000), None);
    assert_eq!(timestamp(0, 1, true).unwrap(), "1970-01-01T00:00:00Z");
    assert_eq!(timestamp(-1, 1000, true).unwrap(), "1969-12-31T23:59:59.999Z");
    assert_eq!(
        timestamp(1_714_566_600_250_000, 1_000_000, false).unwrap(),
        "2024-05-01T12:30:00.25"
    );
    assert_eq!(
        timestamp(i64::MIN, NANOS, true).unwrap(),
        "1677-09-21T00:12:43.145224192Z"
    );
    assert_eq!(timestamp(i64::MAX, 1, true), None);
}
