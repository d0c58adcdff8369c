//! Orders of several keys, aggregates, pages backward, points that end, deletions on a condition.

use serde_json::{Value, json};

use crate::harness::Place;

/// Four sales and a visitor who bought nothing.
fn sales() -> Place {
    let place = Place::new();
    let rows = [
        json!({"id": 1, "vector": [1], "payload": {"shop": "a", "price": 3, "at": "2024-05-01T10:00:00Z"}}),
        json!({"id": 2, "vector": [1], "payload": {"shop": "b", "price": 1.5, "at": "2024-05-02"}}),
        json!({"id": 3, "vector": [1], "payload": {"shop": "a", "price": [2, 2], "at": "2024-05-01T23:00:00Z"}}),
        json!({"id": 4, "vector": [1], "payload": {"shop": "b", "at": "1999-01-01"}}),
        json!({"id": 5, "vector": [1], "payload": {"price": 1}}),
    ];
    let lines: String = rows.iter().map(|row| format!("{row}\n")).collect();
    let file = place.file("sales.jsonl", lines);
    place.vdb(&["load", "db", "sales", &file]).succeeded();
    place
}

fn ids(answer: &Value) -> Vec<u64> {
    let points = answer["points"].as_array().unwrap();
    points.iter().map(|point| point["id"].as_u64().unwrap()).collect()
}

#[test]
fn points_come_in_the_order_of_several_keys_page_by_page() {
    let place = sales();
    let sort = |more: &[&str]| {
        let mut all = vec![
            "sort",
            "db",
            "sales",
            "shop",
            "price:desc:numbers",
            "--limit",
            "2",
        ];
        all.extend(more);
        place.json(&all)
    };
    let first = sort(&[]);
    assert_eq!(ids(&first), [1, 3]);
    assert_eq!(first["points"][1]["values"], json!(["a", 2]));
    assert_eq!(first["previous"], Value::Null);
    let second = sort(&["--after", &first["next"].to_string()]);
    assert_eq!(ids(&second), [2, 4]);
    assert_eq!(second["next"], Value::Null);
    assert_eq!(
        sort(&["--before", &second["previous"].to_string()])["points"],
        first["points"]
    );
    assert_eq!(sort(&["--last"]), second);
    let text = place.vdb(&["sort", "db", "sales", "shop", "-k", "1"]).succeeded();
    assert!(text.stderr.contains("--after '{"), "{}", text.stderr);
    assert!(
        place
            .vdb(&["sort", "db", "sales", "shop:up"])
            .failed_with(2)
            .contains(":desc")
    );
    let other = [
        "sort",
        "db",
        "sales",
        "shop",
        "price",
        "--after",
        r#"{"values": ["a"], "id": 1}"#,
    ];
    assert!(place.vdb(&other).failed_with(1).contains("another order"));
}

#[test]
fn values_are_counted_summed_and_spread() {
    let place = sales();
    let answer = place.json(&[
        "aggregate",
        "db",
        "sales",
        "price",
        "--by",
        "shop",
        "--distinct",
        "--width",
        "2",
    ]);
    let total = json!({
        "points": 4, "values": 5, "min": 1, "max": 3, "sum": 9.5, "avg": 1.9, "distinct": 4,
        "histogram": [{"from": 0.0, "to": 2.0, "count": 2}, {"from": 2.0, "to": 4.0, "count": 3}],
    });
    assert_eq!(answer["total"], total);
    assert_eq!(answer["groups"][0]["value"], json!("a"));
    assert_eq!(answer["groups"][0]["sum"], json!(7));
    let daily = [
        "aggregate",
        "db",
        "sales",
        "at",
        "--kind",
        "datetimes",
        "--edges",
        "1714521600,1714608000,1714694400",
    ];
    let counts = |answer: Value| -> Vec<Value> {
        let buckets = answer["total"]["histogram"].as_array().unwrap().clone();
        buckets.iter().map(|bucket| bucket["count"].clone()).collect()
    };
    assert_eq!(counts(place.json(&daily)), [json!(2), json!(1)]);
    let text = place
        .vdb(&[
            "aggregate",
            "db",
            "sales",
            "price",
            "--by",
            "shop",
            "--width",
            "2",
        ])
        .succeeded();
    assert!(
        text.stdout.contains("(all)") && text.stdout.contains("1.9"),
        "{}",
        text.stdout
    );
    assert!(
        place
            .vdb(&["aggregate", "db", "sales", "price", "--width", "0"])
            .failed_with(1)
            .contains("width")
    );
}

#[test]
fn pages_go_backward_too() {
    let place = sales();
    let page = place.json(&["scroll", "db", "sales", "--before", "4", "--limit", "2"]);
    assert_eq!((ids(&page), &page["before"]), (vec![2, 3], &json!(2)));
    let first = place.json(&["scroll", "db", "sales", "--before", "2", "--limit", "2"]);
    assert_eq!((ids(&first), &first["before"]), (vec![1], &Value::Null));
    place
        .vdb(&["scroll", "db", "sales", "--before", "4", "--all"])
        .failed_with(2);
}

#[test]
fn points_end_by_a_field_that_can_be_set_and_taken_back() {
    let place = sales();
    assert_eq!(place.json(&["ttl", "db", "sales"]), json!({"field": null}));
    assert!(
        place
            .vdb(&["ttl", "db", "sales", "a..b"])
            .failed_with(1)
            .contains("a..b")
    );
    assert_eq!(place.json(&["ttl", "db", "sales", "at"]), json!({"field": "at"}));
    assert_eq!(place.json(&["info", "db", "sales"])["ttl"], json!("at"));
    assert_eq!(
        place.json(&["ttl", "db", "sales", "--sweep"]),
        json!({"field": "at", "deleted": 4})
    );
    assert_eq!(place.json(&["count", "db", "sales"]), json!({"count": 1}));
    assert_eq!(
        place.json(&["ttl", "db", "sales", "--off"]),
        json!({"field": null})
    );
    place
        .vdb(&["create", "db", "other", "--dim", "2", "--ttl", "until"])
        .succeeded();
    assert_eq!(place.json(&["ttl", "db", "other"]), json!({"field": "until"}));
}

#[test]
fn a_point_is_deleted_only_if_nobody_has_touched_it() {
    let place = sales();
    let version = place.json(&["get", "db", "sales", "2"])["points"][0]["version"].to_string();
    let stale = "999999";
    for more in [&[][..], &["--dry-run"]] {
        let mut delete = vec!["delete", "db", "sales", "2", "--if-version", stale];
        delete.extend(more);
        let message = place.vdb(&delete).failed_with(1);
        assert!(
            message.contains("point 2: expected version 999999, found version"),
            "{message}"
        );
    }
    assert_eq!(place.json(&["count", "db", "sales"]), json!({"count": 5}));
    let deleted = place.json(&["delete", "db", "sales", "2", "--if-version", &version]);
    assert_eq!(deleted, json!({"deleted": 1}));
    let gone = place
        .vdb(&["delete", "db", "sales", "2", "--if-version", &version])
        .failed_with(1);
    assert!(gone.contains("found no point"), "{gone}");
    place
        .vdb(&["delete", "db", "sales", "1", "3", "--if-version", "1"])
        .failed_with(2);
}
