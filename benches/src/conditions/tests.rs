use std::collections::BTreeSet;

use super::*;

#[test]
fn a_row_has_the_same_payload_in_every_run_and_rows_differ() {
    let own =
        json!({"words": ["owl"], "pos": "noun", "lexfile": 5, "lemmas": 1, "gloss": "a bird", "synset": 9});
    let own = own.as_object().unwrap();
    assert_eq!(payload(7, own), payload(7, own));
    let all: Vec<Map<String, Value>> = (0..2000).map(|row| payload(row, own)).collect();
    assert!(
        all.iter()
            .all(|payload| payload["definition"] == "a bird" && !payload.contains_key("synset"))
    );
    let prices: BTreeSet<String> = all.iter().map(|payload| payload["price"].to_string()).collect();
    assert!(prices.len() > 1900);
    let share =
        |holds: fn(&Map<String, Value>) -> bool| all.iter().filter(|payload| holds(payload)).count() / 20;
    assert!((20..30).contains(&share(|payload| payload["seen"] == true)));
    assert!((7..13).contains(&share(|payload| !payload.contains_key("maybe"))));
    assert!((7..13).contains(&share(|payload| payload.get("maybe") == Some(&Value::Null))));
    let whens = all.iter().filter_map(|payload| payload["when"].as_str());
    assert!(
        whens
            .clone()
            .all(|when| when.len() == "2000-01-01T00:00:00Z".len())
            && whens.count() == 2000
    );
}

#[test]
fn every_case_is_a_filter_of_ours_with_a_name_of_its_own() {
    let cases = cases(116_659);
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name).collect();
    assert_eq!(names.len(), cases.len());
    for case in &cases {
        vdb::Filter::from_json(&case.filter).unwrap_or_else(|error| panic!("{}: {error}", case.name));
    }
    for (path, index) in indexes() {
        vdb::PayloadIndexParams::from_json(&index).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
}
