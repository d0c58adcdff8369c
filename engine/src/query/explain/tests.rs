use serde_json::json;

use super::Access;
use crate::config::{CollectionConfig, Distance, VectorParams};
use crate::db::Database;
use crate::error::Error;
use crate::filter::{Condition, Filter, ServedBy};
use crate::payload::PayloadIndexKind;
use crate::point::{Point, Vectors};
use vdb_index::Control;

/// A segment of 100 points, of which 10 are deleted, and 5 points in memory. `n` and `word` are indexed, `text` is not.
fn collection() -> (Database, crate::Collection) {
    let db = Database::builder().background(false).open_in_memory().unwrap();
    let config = CollectionConfig::new(VectorParams::new(1, Distance::Dot));
    let c = db.create_collection("c", config).unwrap();
    let point = |id: u64| {
        let word = if id.is_multiple_of(2) { "owl" } else { "wren" };
        let payload = json!({"n": id, "word": word, "text": "t"});
        Point::new(id, [1.0]).payload(payload).unwrap()
    };
    c.upsert((0..100).map(point).collect()).unwrap();
    c.flush().unwrap();
    c.create_payload_index("n", PayloadIndexKind::Integer).unwrap();
    c.create_payload_index("word", PayloadIndexKind::Keyword).unwrap();
    c.delete((90..100).map(crate::PointId::from).collect::<Vec<_>>())
        .unwrap();
    c.upsert((200..205).map(point).collect()).unwrap();
    (db, c)
}

#[test]
fn the_plan_says_what_serves_each_condition() {
    let (_db, c) = collection();
    let filter = Filter::must([
        Condition::range("n", 80.0..),
        Condition::from(Filter::should([
            Condition::matches("word", "owl"),
            Condition::text("text", "t"),
        ])),
        Condition::slice(1, 0),
    ])
    .and_must_not([Condition::has_id([81_u64])]);
    let plan = c.explain(&filter).unwrap();
    assert_eq!((plan.in_memory, plan.count, plan.segments.len()), (5, None, 1));
    let segment = &plan.segments[0];
    assert_eq!((segment.rows, segment.deleted), (100, 10));
    assert_eq!(segment.access, Access::Candidates { rows: 19 });
    let told: Vec<_> = segment
        .conditions
        .iter()
        .map(|condition| {
            (
                condition.place.as_str(),
                condition.path.as_deref(),
                condition.served_by,
                condition.exact,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (
                "must[0]",
                Some("n"),
                ServedBy::Index(PayloadIndexKind::Integer),
                true
            ),
            (
                "must[1].should[0]",
                Some("word"),
                ServedBy::Index(PayloadIndexKind::Keyword),
                true
            ),
            ("must[1].should[1]", Some("text"), ServedBy::Nothing, false),
            ("must[2]", None, ServedBy::Ids, true),
            ("must_not[0]", None, ServedBy::Ids, true),
        ]
    );
    assert_eq!(segment.conditions[0].rows.expected, 20);
}

#[test]
fn access_is_as_good_as_the_indexes() {
    let (_db, c) = collection();
    let access = |filter: &Filter| c.explain(filter).unwrap().segments[0].access;
    assert_eq!(access(&Filter::default()), Access::All);
    assert_eq!(
        access(&Filter::must([Condition::range("n", ..10.0)])),
        Access::Indexes { rows: 10 }
    );
    assert_eq!(
        access(&Filter::must([Condition::text("text", "t")])),
        Access::Scan
    );
    let nested = Filter::must([Condition::nested(
        "n",
        Filter::must([Condition::is_null("a"), Condition::is_null("b")]),
    )]);
    assert!(
        c.explain(&nested).unwrap().segments[0]
            .conditions
            .iter()
            .all(|condition| !condition.exact)
    );
}

#[test]
fn the_count_is_told_where_it_was_asked_and_both_forms_tell_the_same() {
    let (_db, c) = collection();
    let filter = Filter::must([Condition::range("n", 80.0..)]);
    let plan = c.explain_counted(&filter, &Control::none()).unwrap();
    assert_eq!(plan.count, Some(15));
    assert_eq!(
        plan.to_string(),
        "points: about 23 (15 to 25), counted 15\n\
         in memory: 5 points, each asked\n\
         segment 1: 20 of 100 rows, 10 deleted; indexes name 20, none is asked\n  \
         must[0] on n: integer index, exact, 20 rows\n  \
         vector \"\": no index, scanned, 100 rows"
            .replace("segment 1", &format!("segment {}", plan.segments[0].id))
    );
    let json = plan.to_json();
    assert_eq!(json["count"], 15);
    assert_eq!(json["segments"][0]["access"], "indexes");
    assert_eq!(json["segments"][0]["candidates"], 20);
    assert_eq!(
        json["segments"][0]["conditions"],
        json!([{
            "place": "must[0]",
            "path": "n",
            "served_by": "integer",
            "exact": true,
            "rows": {"min": 20, "expected": 20, "max": 20},
        }])
    );
    assert_eq!(
        json["segments"][0]["vectors"],
        json!([{"name": "", "rows": 100, "searched_by": "scan"}])
    );
    assert!(c.explain(&Filter::must([Condition::slice(0, 0)])).is_err());
}

#[test]
fn a_plan_of_many_conditions_counts_with_the_memory_of_an_answer() {
    let builder = Database::builder().background(false).answer_bytes(100 << 10);
    let db = builder.open_in_memory().unwrap();
    let c = db.create_collection("c", CollectionConfig::default()).unwrap();
    c.upsert(vec![Point::new(1, Vectors::default())]).unwrap();
    c.flush().unwrap();
    let explain = |conditions: i64| {
        let all = (0..conditions).map(|n| Condition::matches("n", n));
        c.explain(&Filter::must(all)).map(drop)
    };
    explain(10).unwrap();
    let refused = explain(2_000);
    assert!(matches!(refused, Err(Error::Limit { .. })), "{refused:?}");
}
