use tracing::Level;
use vdb::Database;

use super::*;
use crate::logged::{Line, logged};
use crate::service::ServiceOptions;
use crate::service::access::Access;

/// A call of this path that ends with this code, with the id that its caller gives; the line that is logged, and the id that is
/// answered.
fn call(path: &str, code: Code, id: Option<&str>) -> (Line, String) {
    let database = Database::builder().open_in_memory().unwrap();
    let journal = Journal::new(&Service::new(database, ServiceOptions::new("unused")));
    let given = id.map(|id| (REQUEST_ID, HeaderValue::from_str(id).unwrap()));
    let caller = Caller::with(Access::nothing());
    let status = Status::new(code, "");
    let told = Told {
        path,
        failed: Some(&status).filter(|status| status.code() != Code::Ok),
        collection: Some("c"),
        caller: Some(&caller),
    };
    let (answered, mut lines) = logged(|| {
        let mut answered = HeaderMap::new();
        let begun = journal.begin(&HeaderMap::from_iter(given));
        journal.end(begun, &told, &mut answered);
        answered
    });
    let counted = journal.tallies.all();
    assert_eq!(counted[path].values().map(|tally| tally.count).sum::<u64>(), 1);
    assert_eq!(
        journal.tallies.by_collection().contains_key("c"),
        code == Code::Ok
    );
    let answered = answered[REQUEST_ID].to_str().unwrap().to_owned();
    assert_eq!(lines.len(), 1, "{lines:?}");
    (lines.remove(0), answered)
}

#[test]
fn calls_are_logged_by_what_became_of_them() {
    for (code, level) in [
        (Code::Ok, Level::DEBUG),
        (Code::NotFound, Level::INFO),
        (Code::Unauthenticated, Level::INFO),
        (Code::Internal, Level::ERROR),
    ] {
        let ((found, fields), id) = call("/qdrant.Points/Get", code, None);
        assert_eq!(found, level, "{code:?}");
        assert_eq!(fields["method"], "\"/qdrant.Points/Get\"");
        let told = fields.get("code").map(String::as_str);
        assert_eq!(told, (code != Code::Ok).then(|| format!("{code:?}")).as_deref());
        assert_eq!(fields["id"], format!("{id:?}"));
        assert!(fields.contains_key("ms"), "{fields:?}");
    }
}

#[test]
fn a_caller_finds_his_call_by_the_id_that_he_gave_it() {
    let ((_, fields), answered) = call("/qdrant.Points/Get", Code::Ok, Some("mine"));
    assert_eq!((answered.as_str(), fields["id"].as_str()), ("mine", "\"mine\""));
}
