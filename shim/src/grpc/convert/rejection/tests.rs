use tonic::{Code, Status};

use super::*;

#[test]
fn a_rejection_tells_the_way_to_the_field() {
    let inner: Result<()> = each("ids", [1u64, 0], |one| at_least("num", one, 1)).map(drop);
    let status = Status::from(inner.within("points").unwrap_err());
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(
        status.message(),
        "Validation error in body: [points.ids[1].num: value 0 invalid, must be 1 or larger]"
    );
}

#[test]
fn what_there_is_not_is_told_apart_from_what_is_wrong() {
    let status = Status::from(Rejection::unimplemented("query.text", "use bm25").within("prefetch[0]"));
    assert_eq!(status.code(), Code::Unimplemented);
    assert_eq!(status.message(), "prefetch[0].query.text: use bm25");
}

#[test]
fn a_rejection_of_a_whole_message_takes_the_name_of_its_field() {
    let rejection = Rejection::invalid("", "no").within("filter");
    assert_eq!(rejection, Rejection::invalid("filter", "no"));
}

#[test]
fn unknown_codes_name_the_field() {
    let unknown: Result<qdrant_client::qdrant::Fusion> = variant("fusion", 9);
    assert_eq!(unknown, Err(Rejection::invalid("fusion", "unknown value 9")));
}

#[test]
fn what_is_no_number_is_not_large_enough() {
    assert!(at_least("oversampling", f64::NAN, 1.0).is_err());
    assert_eq!(at_least("oversampling", 1.0, 1.0), Ok(1.0));
}

#[test]
fn a_call_whose_time_is_over_says_so_whatever_its_message_says() {
    let status = Status::from(Rejection::late("too slow").within("query"));
    assert_eq!(
        (status.code(), status.message()),
        (Code::DeadlineExceeded, "Timeout: too slow")
    );
}

#[test]
fn long_names_are_not_told_in_full() {
    let long = "\u{e9}".repeat(100_000);
    let status = Status::from(Rejection::invalid("x", "is wrong").within(format_args!("payload[{long:?}]")));
    assert!(status.message().len() < 2_000, "{}", status.message().len());
    assert!(
        status
            .message()
            .starts_with("Validation error in body: [payload[")
    );
    assert!(status.message().ends_with(".x: is wrong]"));
}
