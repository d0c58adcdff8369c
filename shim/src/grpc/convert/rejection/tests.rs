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
