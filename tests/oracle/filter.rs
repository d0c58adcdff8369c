//! Filters, evaluated on JSON as they are written, by looking at every value.

use std::collections::BTreeMap;
use std::hash::Hasher;

use serde_json::{Map, Value};
use uuid::Uuid;
use vdb::{Payload, PayloadIndexKind, PointId};

use super::collection::OraclePoint;
use super::datetime;
use super::geo;
use super::path::{nodes, values};

/// What conditions are asked of.
struct Subject<'a> {
    payload: &'a Payload,
    /// Kinds of the indexes by their paths: one of UUIDs says what strings are equal.
    indexes: &'a BTreeMap<String, PayloadIndexKind>,
    /// What paths from the root of the payload begin with.
    within: String,
    /// Absent below a nested condition.
    point: Option<(PointId, &'a OraclePoint)>,
}

/// Whether a point matches a filter.
pub fn matches(
    filter: &Value,
    id: PointId,
    point: &OraclePoint,
    indexes: &BTreeMap<String, PayloadIndexKind>,
) -> bool {
    Subject {
        payload: &point.payload,
        indexes,
        within: String::new(),
        point: Some((id, point)),
    }
    .filter(filter)
}

/// Conditions of a clause: a list, or a single one.
fn clause<'a>(filter: &'a Value, key: &str) -> Option<Vec<&'a Value>> {
    let clause = filter.get(key).filter(|clause| !clause.is_null())?;
    Some(
        clause
            .as_array()
            .map_or_else(|| vec![clause], |list| list.iter().collect()),
    )
}

impl Subject<'_> {
    fn filter(&self, filter: &Value) -> bool {
        let nested = self.point.is_none();
        let holds = |condition: &&Value| self.condition(condition);
        let must = clause(filter, "must").unwrap_or_default().iter().all(holds);
        let must_not = !clause(filter, "must_not").unwrap_or_default().iter().any(holds);
        let should = match clause(filter, "should") {
            None => true,
            Some(list) if list.is_empty() => !nested,
            Some(list) => list.iter().any(holds),
        };
        let enough = filter.get("min_should").is_none_or(|least| {
            let count = clause(least, "conditions")
                .unwrap()
                .into_iter()
                .filter(holds)
                .count() as u64;
            count >= least["min_count"].as_u64().unwrap()
        });
        must && must_not && should && enough
    }

    fn condition(&self, condition: &Value) -> bool {
        let map = condition.as_object().unwrap();
        if let Some(key) = map.get("key").and_then(Value::as_str) {
            return self.field(key, map);
        }
        let key_of = |value: &Value| value["key"].as_str().unwrap().to_owned();
        let Some((kind, value)) = map.iter().next() else {
            return true;
        };
        match kind.as_str() {
            "is_empty" => self.is_empty(&key_of(value)),
            "is_null" => self.is_null(&key_of(value)),
            "has_id" => {
                let wanted = value.as_array().unwrap();
                self.point.is_some_and(|(id, _)| wanted.contains(&id_json(id)))
            }
            "has_vector" => self
                .point
                .is_some_and(|(_, p)| p.vectors.contains_key(value.as_str().unwrap())),
            "slice" => self.point.is_some_and(|(id, _)| is_in_slice(id, value)),
            "nested" => {
                let mut key = key_of(value);
                if !key.ends_with("[]") {
                    key.push_str("[]");
                }
                let fits = |object: &Payload| {
                    Subject {
                        payload: object,
                        indexes: self.indexes,
                        within: format!("{}{key}.", self.within),
                        point: None,
                    }
                    .filter(&value["filter"])
                };
                nodes(self.payload, &key)
                    .into_iter()
                    .filter_map(Value::as_object)
                    .any(fits)
            }
            _ => self.filter(condition),
        }
    }

    fn is_empty(&self, key: &str) -> bool {
        let empty = |value: &&Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        nodes(self.payload, key).iter().all(empty)
    }

    fn is_null(&self, key: &str) -> bool {
        values(self.payload, key).iter().any(|value| value.is_null())
    }

    fn field(&self, key: &str, condition: &Map<String, Value>) -> bool {
        let (kind, wanted) = condition.iter().find(|(kind, _)| *kind != "key").unwrap();
        let any = |test: &dyn Fn(&Value) -> bool| values(self.payload, key).into_iter().any(test);
        match kind.as_str() {
            "is_empty" => self.is_empty(key) == wanted.as_bool().unwrap(),
            "is_null" => self.is_null(key) == wanted.as_bool().unwrap(),
            "values_count" => {
                let count = |value: &Value| {
                    let one = if value.is_null() { 0.0 } else { 1.0 };
                    value.as_array().map_or(one, |items| items.len() as f64)
                };
                let found = nodes(self.payload, key);
                let counts: Vec<f64> = if found.is_empty() {
                    vec![0.0]
                } else {
                    found.into_iter().map(count).collect()
                };
                counts.into_iter().any(|n| within(n, wanted, Value::as_f64))
            }
            "range" if wanted.as_object().unwrap().values().any(Value::is_string) => {
                let micros = |value: &Value| value.as_str().and_then(datetime::micros);
                any(&|value| micros(value).is_some_and(|at| within(at, wanted, micros)))
            }
            "geo_bounding_box" | "geo_radius" | "geo_polygon" => {
                any(&|value| geo::within(kind, wanted, value))
            }
            "range" => any(&|value| {
                value
                    .as_f64()
                    .is_some_and(|number| within(number, wanted, Value::as_f64))
            }),
            _ => {
                let (kind, wanted) = wanted.as_object().unwrap().iter().next().unwrap();
                let path = format!("{}{key}", self.within);
                let by_uuid = ["value", "any", "except"].contains(&kind.as_str())
                    && self.indexes.get(&path) == Some(&PayloadIndexKind::Uuid);
                match uuids(wanted).filter(|_| by_uuid) {
                    Some(uuids) => any(&|value| match_of_uuids(kind, &uuids, value)),
                    None => any(&|value| match_holds(kind, wanted, value)),
                }
            }
        }
    }
}

/// By SipHash-2-4 without a key, as the standard library once had it.
fn is_in_slice(id: PointId, slice: &Value) -> bool {
    #[expect(deprecated, reason = "what replaced it is another hash")]
    let mut hasher = std::hash::SipHasher::new();
    match id {
        PointId::Num(number) => hasher.write(&number.to_le_bytes()),
        PointId::Uuid(uuid) => hasher.write(uuid.as_bytes()),
    }
    let [total, index] = ["total", "index"].map(|key| slice[key].as_u64().unwrap());
    hasher.finish() % total == index
}

fn id_json(id: PointId) -> Value {
    match id {
        PointId::Num(number) => number.into(),
        PointId::Uuid(uuid) => uuid.hyphenated().to_string().into(),
    }
}

/// Equal, type included; of numbers only integers that fit 64 bits with a sign are equal to anything.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_i64().is_some() && a.as_i64() == b.as_i64(),
        _ => a == b,
    }
}

fn uuid(value: &Value) -> Option<Uuid> {
    value.as_str().and_then(|text| Uuid::try_parse(text).ok())
}

/// The UUIDs that a value or a list is of, if it is of nothing else.
fn uuids(wanted: &Value) -> Option<Vec<Uuid>> {
    let list = wanted
        .as_array()
        .map_or(std::slice::from_ref(wanted), Vec::as_slice);
    list.iter().map(uuid).collect()
}

/// As [`match_holds`], where there is an index of UUIDs.
fn match_of_uuids(kind: &str, wanted: &[Uuid], value: &Value) -> bool {
    let listed = uuid(value).is_some_and(|uuid| wanted.contains(&uuid));
    match kind {
        "value" | "any" => listed,
        "except" => !value.is_null() && !listed,
        other => panic!("no texts are UUIDs in {other}"),
    }
}

fn match_holds(kind: &str, wanted: &Value, value: &Value) -> bool {
    let listed = || wanted.as_array().unwrap().iter().any(|item| same(item, value));
    let text = value.as_str();
    let contains = |piece: &str| text.is_some_and(|text| text.contains(piece));
    match kind {
        "value" => same(wanted, value),
        "any" => listed(),
        "except" => !value.is_null() && !listed(),
        "text" | "phrase" | "substring" => contains(wanted.as_str().unwrap()),
        "text_any" => wanted.as_str().unwrap().split_whitespace().any(contains),
        "prefix" => text.is_some_and(|text| text.starts_with(wanted.as_str().unwrap())),
        other => panic!("unknown match {other}"),
    }
}

fn within<T: PartialOrd>(value: T, limits: &Value, read: impl Fn(&Value) -> Option<T>) -> bool {
    limits.as_object().unwrap().iter().all(|(kind, limit)| {
        let limit = read(limit).unwrap();
        match kind.as_str() {
            "gt" => value > limit,
            "gte" => value >= limit,
            "lt" => value < limit,
            "lte" => value <= limit,
            other => panic!("unknown limit {other}"),
        }
    })
}
