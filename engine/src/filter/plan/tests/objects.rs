//! What one object has to satisfy, over segments large enough that elements are marked.

use proptest::prelude::*;
use serde_json::{Value, json};
use vdb_index::postings::Kind;

use super::Segment;
use crate::filter::{Candidates, CompiledFilter, Condition, Filter, Predicate, ValueList, candidates};

/// Objects in a list, now and then a list of them or a value beside; numbers now and then among words.
fn payload() -> impl Strategy<Value = Value> {
    let word = prop_oneof![3 => "[a-c]".prop_map(Value::from), 1 => Just(Value::Null), 1 => (0_i64..3).prop_map(Value::from)];
    let number = prop_oneof![
        4 => (0_i64..4).prop_map(Value::from),
        1 => prop::collection::vec((0_i64..4).prop_map(Value::from), 0..3).prop_map(Value::from),
        1 => Just(json!(1.5)),
    ];
    let object = (prop::option::of(word), prop::option::of(number)).prop_map(|(word, number)| {
        let named = [("k", word), ("n", number)];
        Value::Object(
            named
                .into_iter()
                .filter_map(|(key, value)| Some((key.to_owned(), value?)))
                .collect(),
        )
    });
    let item = prop_oneof![8 => object, 1 => Just(json!("x")), 1 => Just(json!([{"k": "a", "n": 1}]))];
    let few = prop::collection::vec(item.clone(), 0..4);
    let many = prop::collection::vec(item, 60..70);
    prop_oneof![30 => few, 1 => many].prop_map(|list| json!({"list": list}))
}

fn condition() -> impl Strategy<Value = Condition> {
    let words = prop::collection::vec("[a-c]", 1..3).prop_map(ValueList::Strings);
    let numbers = prop::collection::vec(0_i64..4, 1..3).prop_map(ValueList::Integers);
    let field = |path: &str, predicate: Predicate| Condition::Field {
        path: path.to_owned(),
        predicate,
    };
    prop_oneof![
        3 => "[a-c]".prop_map(move |word| field("k", Predicate::Value(word.into()))),
        1 => words.clone().prop_map(move |words| field("k", Predicate::Except(words))),
        1 => words.prop_map(move |words| field("k", Predicate::Any(words))),
        1 => "[a-c]".prop_map(move |word| field("k", Predicate::Prefix(word))),
        3 => (0_i64..4).prop_map(move |number| field("n", Predicate::Value(number.into()))),
        1 => numbers.clone().prop_map(move |numbers| field("n", Predicate::Except(numbers))),
        3 => (0_i64..4, 0_i64..4).prop_map(|(a, b)| Condition::range("n", a as f64..=b as f64)),
        1 => any::<bool>().prop_map(move |empty| field("n", Predicate::IsEmpty(empty))),
    ]
}

fn nested() -> impl Strategy<Value = Filter> {
    let list = |len: std::ops::Range<usize>| prop::collection::vec(condition(), len);
    (
        list(0..3),
        prop::option::of(list(0..3)),
        prop_oneof![2 => list(0..1), 1 => list(1..3)],
    )
        .prop_map(|(must, should, must_not)| {
            let inner = Filter {
                must,
                should,
                must_not,
                ..Filter::default()
            };
            Filter::must([Condition::nested("list", inner)])
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn objects_are_told_apart(
        payloads in prop::collection::vec(payload(), 150..300),
        float: bool,
        filters in prop::collection::vec(nested(), 1..12),
    ) {
        let numbers = if float { Kind::Float } else { Kind::Integer };
        let segment = Segment::new(&payloads, &[("list[].k", Kind::Keyword), ("list[].n", numbers)]);
        for filter in &filters {
            let compiled = CompiledFilter::new(filter, &segment).unwrap();
            let matching = segment.matching(&compiled);
            match candidates(&compiled, &segment).unwrap() {
                Candidates::Exact(rows) => prop_assert_eq!(rows, matching, "{}", filter.to_json()),
                Candidates::Between { certain, possible: rows } => {
                    prop_assert!(certain.clone().minus(&matching).is_empty(), "{:?} {:?} {}", certain, matching, filter.to_json());
                    prop_assert!(matching.clone().minus(&rows).is_empty(), "{:?} {:?} {}", rows, matching, filter.to_json());
                }
                Candidates::Unknown => {}
            }
        }
    }
}

#[test]
fn two_conditions_on_one_object_need_no_payload() {
    let row = |number: i64| json!({"list": [{"k": "a", "n": number % 7}, {"k": "b", "n": number % 5}]});
    let payloads: Vec<Value> = (0..500).map(row).collect();
    let segment = Segment::new(
        &payloads,
        &[("list[].k", Kind::Keyword), ("list[].n", Kind::Integer)],
    );
    let exact = |filter: Value| {
        let filter = json!({"must": [{"nested": {"key": "list", "filter": filter}}]});
        let compiled = super::compiled(&filter);
        let expected = segment.matching(&compiled);
        assert!(!expected.is_empty() && expected.len() < 500, "{filter}");
        assert_eq!(
            candidates(&compiled, &segment).unwrap(),
            Candidates::Exact(expected),
            "{filter}"
        );
    };
    let a = json!({"key": "k", "match": {"value": "a"}});
    let n = |from: i64| json!({"key": "n", "range": {"gte": from}});
    exact(json!({"must": [a, n(4)]}));
    exact(json!({"must": [a], "must_not": [n(4)]}));
    exact(json!({"must": [n(3)], "should": [a, n(4)]}));
    exact(json!({"must": [n(3), {"key": "k", "match": {"except": ["a"]}}]}));
}
