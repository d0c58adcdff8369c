mod agreement;
mod area;
mod deep;
mod objects;
mod required;

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};
use vdb_index::RowSet;
use vdb_index::postings::{Estimate, Kind, PostingsFile};
use vdb_storage::{PointId, payload::ObjectRef};
use vdb_vfs::MemDisk;

use super::{Candidates, IndexLookup, candidates, estimate};
use crate::{
    filter::{
        CompiledFilter, Condition, Filter, Limits, PayloadPath, Predicate, Slice,
        fixture::{Doc, NoTexts},
    },
    filter::{TextAnalysis, TextFields},
    payload::{IndexBuilder, PayloadIndexParams},
};

/// Points in memory with indexes over them. The id of a point is its row plus 100.
struct Segment {
    docs: Vec<Doc>,
    indexes: HashMap<String, PostingsFile>,
    analyses: HashMap<String, Arc<TextAnalysis>>,
}

impl Segment {
    fn new(payloads: &[Value], indexes: &[(&str, Kind)]) -> Self {
        let indexes: Vec<_> = indexes
            .iter()
            .map(|(path, kind)| (*path, (*kind).into()))
            .collect();
        Self::with(payloads, &indexes)
    }

    fn with(payloads: &[Value], indexes: &[(&str, PayloadIndexParams)]) -> Self {
        let numbered = payloads.iter().zip(100..);
        let docs: Vec<Doc> = numbered
            .map(|(payload, id)| {
                let vectors = if id % 3 == 0 { vec!["image"] } else { vec![] };
                Doc {
                    id: PointId::Num(id),
                    vectors,
                    ..Doc::new(payload)
                }
            })
            .collect();
        let mut analyses = HashMap::new();
        let mut index = |(path, params): &(&str, PayloadIndexParams)| {
            let path: PayloadPath = path.parse().unwrap();
            let analysis = params.analysis().unwrap().map(Arc::new);
            let mut builder = IndexBuilder::new(params.kind, analysis.as_ref(), &path);
            for (row, doc) in (0..).zip(&docs) {
                let payload = ObjectRef::from_payload(&doc.payload).unwrap();
                builder.row(row, payload, &path).unwrap();
            }
            analyses.extend(analysis.map(|analysis| (path.to_string(), analysis)));
            let disk = MemDisk::new();
            builder.finish(&disk, "index", docs.len() as u32).unwrap();
            (
                path.to_string(),
                PostingsFile::open(&disk, "index", docs.len() as u32).unwrap(),
            )
        };
        let indexes = indexes.iter().map(&mut index).collect();
        Self {
            docs,
            indexes,
            analyses,
        }
    }

    fn matching(&self, filter: &CompiledFilter) -> RowSet {
        (0..)
            .zip(&self.docs)
            .filter(|(_, doc)| filter.matches(*doc).unwrap())
            .map(|(row, _)| row)
            .collect()
    }
}

impl TextFields for Segment {
    fn text_analysis(&self, path: &str) -> Option<&Arc<TextAnalysis>> {
        self.analyses.get(path)
    }

    fn has_uuids(&self, path: &str) -> bool {
        self.indexes
            .get(path)
            .is_some_and(|index| index.kind() == Kind::Uuid)
    }
}

impl IndexLookup for Segment {
    fn rows(&self) -> u32 {
        self.docs.len() as u32
    }

    fn postings(&self, path: &str) -> Option<&PostingsFile> {
        self.indexes.get(path)
    }

    fn row_of(&self, id: &PointId) -> Option<u32> {
        self.docs
            .iter()
            .position(|doc| doc.id == *id)
            .map(|row| row as u32)
    }

    fn rows_in_slice(&self, slice: Slice) -> Option<RowSet> {
        let ids = self.docs.iter().map(|doc| doc.id);
        let numbers: Vec<u64> = ids
            .filter_map(|id| match id {
                PointId::Num(number) => Some(number),
                PointId::Uuid(_) => None,
            })
            .collect();
        Some(slice.rows_among(&numbers, &[]))
    }

    fn count_with_vector(&self, name: &str) -> Option<u64> {
        self.rows_with_vector(name).map(|rows| rows.len())
    }

    fn rows_with_vector(&self, name: &str) -> Option<RowSet> {
        // What is known of one vector is left unknown of the others.
        let has = |doc: &Doc| doc.vectors.contains(&name);
        (name == "image").then(|| {
            (0..)
                .zip(&self.docs)
                .filter(|(_, doc)| has(doc))
                .map(|(row, _)| row)
                .collect()
        })
    }
}

fn compiled(filter: &Value) -> CompiledFilter {
    CompiledFilter::new(&Filter::from_json(filter).unwrap(), &NoTexts).unwrap()
}

fn plan(segment: &Segment, filter: &Value) -> Candidates {
    candidates(&compiled(filter), segment).unwrap()
}

fn exact(rows: impl IntoIterator<Item = u32>) -> Candidates {
    Candidates::Exact(rows.into_iter().collect())
}

fn superset(rows: impl IntoIterator<Item = u32>) -> Candidates {
    between([], rows)
}

fn between(certain: impl IntoIterator<Item = u32>, possible: impl IntoIterator<Item = u32>) -> Candidates {
    Candidates::Between {
        certain: certain.into_iter().collect(),
        possible: possible.into_iter().collect(),
    }
}

/// Rows 0 to 5: keyword `k`, integer `n`, float `f`, bool `b`, datetime `t`; `u` has no index.
fn segment() -> Segment {
    let payloads = [
        json!({"k": "x", "n": 1, "f": 0.5, "b": true, "t": "2024-01-01", "u": 1}),
        json!({"k": ["x", "y"], "n": 2, "f": 1, "b": false, "t": "2024-02-01", "u": 2}),
        json!({"k": "z", "n": [3, 30], "f": 1.5, "b": true, "t": "2024-03-01"}),
        json!({"k": null, "n": null}),
        json!({}),
        json!({"k": [], "n": []}),
    ];
    let kinds = [
        ("k", Kind::Keyword),
        ("n", Kind::Integer),
        ("f", Kind::Float),
        ("b", Kind::Bool),
        ("t", Kind::Datetime),
    ];
    Segment::new(&payloads, &kinds)
}

fn of(key: &str, predicate: Value) -> Value {
    let mut predicate = predicate;
    predicate["key"] = json!(key);
    predicate
}

#[test]
fn a_condition_of_the_kind_of_the_index_is_answered_exactly() {
    let segment = segment();
    for (condition, rows) in [
        (of("k", json!({"match": {"value": "x"}})), vec![0, 1]),
        (of("k", json!({"match": {"any": ["y", "z", "w"]}})), vec![1, 2]),
        (of("k", json!({"match": {"prefix": "x"}})), vec![0, 1]),
        (of("k", json!({"match": {"except": ["z"]}})), vec![0, 1]),
        (of("n", json!({"match": {"value": 30}})), vec![2]),
        (of("n", json!({"match": {"any": [1, 2]}})), vec![0, 1]),
        (of("n", json!({"match": {"except": [1]}})), vec![1, 2]),
        (of("n", json!({"range": {"gt": 1, "lte": 3.5}})), vec![1, 2]),
        (of("f", json!({"range": {"gt": 0.5, "lt": 2}})), vec![1, 2]),
        (of("b", json!({"match": {"value": true}})), vec![0, 2]),
        (of("t", json!({"range": {"gte": "2024-02-01"}})), vec![1, 2]),
        (json!({"is_empty": {"key": "k"}}), vec![3, 4, 5]),
        (json!({"is_null": {"key": "k"}}), vec![3]),
        (of("k", json!({"is_empty": false})), vec![0, 1, 2]),
        (of("k", json!({"is_null": false})), vec![0, 1, 2, 4, 5]),
        (json!({"has_id": [105, 100, 7]}), vec![0, 5]),
        (json!({"has_vector": "image"}), vec![2, 5]),
    ] {
        assert_eq!(
            plan(&segment, &json!({"must": [condition]})),
            exact(rows.clone()),
            "{condition}"
        );
        let others = (0..6).filter(|row| !rows.contains(row));
        assert_eq!(
            plan(&segment, &json!({"must_not": [condition]})),
            exact(others),
            "not {condition}"
        );
    }
}

#[test]
fn a_condition_of_another_kind_than_a_pure_index_matches_nothing_exactly() {
    let segment = segment();
    for (key, predicate) in [
        ("k", json!({"match": {"value": 1}})),
        ("n", json!({"match": {"value": "1"}})),
        ("n", json!({"match": {"value": true}})),
        ("n", json!({"range": {"gte": "2024-01-01"}})),
        ("b", json!({"range": {"gte": 0}})),
        ("f", json!({"match": {"text": "x"}})),
        ("k", json!({"match": {"text_any": ""}})),
    ] {
        assert_eq!(plan(&segment, &json!({"must": [of(key, predicate)]})), exact([]));
    }
}

#[test]
fn values_that_an_index_does_not_hold_make_it_a_superset() {
    let payloads = [
        json!({"n": 1}),
        json!({"n": 1.5}),
        json!({"n": "x"}),
        json!({"n": null}),
        json!({}),
    ];
    let segment = Segment::new(&payloads, &[("n", Kind::Integer)]);
    assert_eq!(
        plan(
            &segment,
            &json!({"must": [of("n", json!({"range": {"gte": 1}}))]})
        ),
        between([0], [0, 1, 2])
    );
    assert_eq!(
        plan(
            &segment,
            &json!({"must": [of("n", json!({"range": {"gte": 2}}))]})
        ),
        superset([1, 2])
    );
    // Equality with an integer is never met by what is not one.
    assert_eq!(
        plan(
            &segment,
            &json!({"must": [of("n", json!({"match": {"value": 1}}))]})
        ),
        exact([0])
    );
    assert_eq!(
        plan(
            &segment,
            &json!({"must": [of("n", json!({"match": {"value": "x"}}))]})
        ),
        superset([1, 2])
    );
    assert_eq!(
        plan(
            &segment,
            &json!({"must": [of("n", json!({"match": {"except": [1]}}))]})
        ),
        exact([1, 2])
    );
}

#[test]
fn a_limit_that_is_not_a_number_leaves_no_rows() {
    let segment = segment();
    for path in ["n", "f", "k"] {
        for limits in [
            Limits::of(f64::NAN..),
            Limits::of(..f64::NAN),
            Limits {
                gt: Some(0.0),
                ..Limits::of(f64::NAN..)
            },
        ] {
            let condition = Condition::Field {
                path: path.into(),
                predicate: Predicate::Range(limits),
            };
            let filter = CompiledFilter::new(&condition.into(), &NoTexts).unwrap();
            assert_eq!(candidates(&filter, &segment).unwrap(), exact([]));
        }
    }
}

#[test]
fn an_integer_is_among_the_rows_with_an_equal_float() {
    let payloads = [json!({"f": 1}), json!({"f": 1.0}), json!({"f": 2})];
    let segment = Segment::new(&payloads, &[("f", Kind::Float)]);
    assert_eq!(
        plan(
            &segment,
            &json!({"must": [of("f", json!({"match": {"value": 1}}))]})
        ),
        superset([0, 1])
    );
    assert_eq!(
        plan(
            &segment,
            &json!({"must": [of("f", json!({"match": {"value": 3}}))]})
        ),
        exact([])
    );
}

#[test]
fn rows_with_several_values_are_checked_for_exceptions() {
    let segment = segment();
    let except = |list: Value| json!({"must": [of("k", json!({"match": {"except": list}}))]});
    assert_eq!(plan(&segment, &except(json!(["x"]))), exact([1, 2]));
    assert_eq!(plan(&segment, &except(json!(["x", "y"]))), between([2], [1, 2]));
    assert_eq!(plan(&segment, &except(json!([]))), exact([0, 1, 2]));
}

#[test]
fn conditions_without_an_index_leave_what_the_others_know() {
    let segment = segment();
    let (x, unknown) = (
        of("k", json!({"match": {"value": "x"}})),
        of("u", json!({"match": {"value": 1}})),
    );
    assert_eq!(plan(&segment, &json!({"must": [unknown]})), Candidates::Unknown);
    assert_eq!(plan(&segment, &json!({"must": [unknown, x]})), superset([0, 1]));
    assert_eq!(
        plan(&segment, &json!({"should": [unknown, x]})),
        Candidates::Unknown
    );
    assert_eq!(
        plan(&segment, &json!({"must_not": [unknown]})),
        Candidates::Unknown
    );
    assert_eq!(
        plan(&segment, &json!({"must_not": [{"should": [unknown, x]}]})),
        superset([2, 3, 4, 5])
    );
    assert_eq!(
        plan(
            &segment,
            &json!({"must_not": [{"must": [unknown, x]}], "must": [x]})
        ),
        superset([0, 1])
    );
    assert_eq!(
        plan(&segment, &json!({"must": [unknown, {"has_id": []}]})),
        exact([])
    );
    assert_eq!(
        plan(&segment, &json!({"must": [{"has_vector": "text"}]})),
        Candidates::Unknown
    );
    let least = |count: u64| json!({"min_should": {"conditions": [unknown, x, {"has_id": [100, 102]}], "min_count": count}});
    assert_eq!(plan(&segment, &least(1)), Candidates::Unknown);
    assert_eq!(plan(&segment, &least(2)), between([0], [0, 1, 2]));
    assert_eq!(plan(&segment, &least(3)), superset([0]));
    assert_eq!(plan(&segment, &least(4)), exact([]));
}

#[test]
fn filters_that_do_not_constrain_leave_every_row() {
    let segment = segment();
    for filter in [
        json!({}),
        json!({"must": [], "should": []}),
        json!({"must": [{}]}),
    ] {
        assert_eq!(plan(&segment, &filter), exact(0..6), "{filter}");
    }
}

#[test]
fn text_is_sought_among_the_rows_that_have_strings() {
    let segment = segment();
    for kind in ["text", "phrase", "text_any"] {
        assert_eq!(
            plan(
                &segment,
                &json!({"must": [of("k", json!({"match": {kind: "x"}}))]})
            ),
            superset([0, 1, 2])
        );
    }
}

#[test]
fn an_index_of_datetimes_does_not_know_how_they_are_spelled() {
    let segment = segment();
    for predicate in [
        json!({"value": "2024-01-01"}),
        json!({"any": ["x"]}),
        json!({"prefix": "2024"}),
        json!({"text": "01"}),
        json!({"except": ["2024-01-01"]}),
    ] {
        assert_eq!(
            plan(&segment, &json!({"must": [of("t", json!({"match": predicate}))]})),
            superset([0, 1, 2])
        );
    }
}

#[test]
fn counts_of_values_are_known() {
    let segment = segment();
    let count = |limits: Value| json!({"must": [of("k", json!({"values_count": limits}))]});
    assert_eq!(plan(&segment, &count(json!({"gte": 2}))), exact([1]));
    assert_eq!(plan(&segment, &count(json!({"lt": 2}))), exact([0, 2, 3, 4, 5]));
    assert_eq!(
        plan(&segment, &count(json!({"gte": 1, "lt": 3}))),
        exact([0, 1, 2])
    );
    assert_eq!(
        plan(
            &segment,
            &json!({"must_not": [of("k", json!({"values_count": {"lt": 2}}))]})
        ),
        exact([1])
    );
}

#[test]
fn a_nested_condition_uses_the_index_of_the_joined_path() {
    let payloads = [
        json!({"a": [{"b": 1, "c": 1}, {"b": 2}]}),
        json!({"a": [{"b": 1}, {"b": 2, "c": 1}]}),
        json!({"a": {"b": 1}}),
        json!({"a": [{"b": null}]}),
        json!({"a": [{"b": 3}]}),
    ];
    let segment = Segment::new(&payloads, &[("a[].b", Kind::Integer), ("a[].c", Kind::Integer)]);
    let nested = |filter: Value| json!({"must": [{"nested": {"key": "a", "filter": filter}}]});
    let (b1, c1) = (
        of("b", json!({"match": {"value": 1}})),
        of("c", json!({"match": {"value": 1}})),
    );
    assert_eq!(plan(&segment, &nested(json!({"must": [b1]}))), exact([0, 1]));
    assert_eq!(
        plan(&segment, &nested(json!({"must": [b1, c1]}))),
        superset([0, 1])
    );
    assert_eq!(
        plan(
            &segment,
            &nested(json!({"should": [b1, of("b", json!({"match": {"value": 3}}))]}))
        ),
        superset([0, 1, 4])
    );
    assert_eq!(
        plan(&segment, &nested(json!({"must_not": [b1]}))),
        Candidates::Unknown
    );
    assert_eq!(
        plan(&segment, &nested(json!({"must": [{"is_empty": {"key": "b"}}]}))),
        Candidates::Unknown
    );
    assert_eq!(
        plan(&segment, &nested(json!({"must": [{"is_null": {"key": "b"}}]}))),
        exact([3])
    );
    assert_eq!(
        plan(&segment, &nested(json!({"must": [{"has_id": [100]}]}))),
        exact([])
    );
    assert_eq!(plan(&segment, &nested(json!({"should": []}))), exact([]));
}

#[test]
fn a_condition_that_would_read_far_more_than_is_left_is_left_out() {
    let payloads: Vec<Value> = (0..5000)
        .map(|number| json!({"k": format!("w{number}"), "n": number}))
        .collect();
    let segment = Segment::new(&payloads, &[("k", Kind::Keyword), ("n", Kind::Integer)]);
    let rare = of("k", json!({"match": {"value": "w77"}}));
    assert_eq!(
        plan(
            &segment,
            &json!({"must": [of("n", json!({"range": {"gte": 0}})), rare]})
        ),
        superset([77])
    );
    assert_eq!(
        plan(
            &segment,
            &json!({"must": [of("n", json!({"range": {"lt": 50}})), rare]})
        ),
        exact([])
    );
}

#[test]
fn estimates_are_exact_where_every_row_has_one_value_and_multiply_otherwise() {
    let payloads: Vec<Value> = (0..1000)
        .map(|number| json!({"k": format!("w{}", number % 10), "n": number}))
        .collect();
    let segment = Segment::new(&payloads, &[("k", Kind::Keyword), ("n", Kind::Integer)]);
    let about = |filter: Value| estimate(&compiled(&filter), &segment).unwrap();
    let (k, n) = (
        of("k", json!({"match": {"value": "w3"}})),
        of("n", json!({"range": {"lt": 200}})),
    );
    assert_eq!(about(json!({})), Estimate::exactly(1000));
    assert_eq!(about(json!({"must": [k]})), Estimate::exactly(100));
    assert_eq!(about(json!({"must_not": [n]})), Estimate::exactly(800));
    assert_eq!(
        about(json!({"must": [k, n]})),
        Estimate {
            min: 0,
            expected: 20,
            max: 100
        }
    );
    assert_eq!(
        about(json!({"should": [k, n]})),
        Estimate {
            min: 200,
            expected: 280,
            max: 300
        }
    );
    assert_eq!(
        about(json!({"min_should": {"conditions": [k, n], "min_count": 2}})),
        Estimate {
            min: 0,
            expected: 20,
            max: 150
        }
    );
    let unknown = of("u", json!({"match": {"value": 1}}));
    assert_eq!(
        about(json!({"must": [unknown]})),
        Estimate {
            min: 0,
            expected: 500,
            max: 1000
        }
    );
    assert_eq!(
        about(json!({"must": [{"has_id": [1, 2]}]})),
        Estimate {
            min: 0,
            expected: 2,
            max: 2
        }
    );
    assert_eq!(
        about(json!({"min_should": {"conditions": [k], "min_count": 2}})),
        Estimate::exactly(0)
    );
}
