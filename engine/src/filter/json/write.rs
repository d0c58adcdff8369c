//! The writing half of the JSON form.

use serde_json::{Map, Value, json};
use vdb_storage::PointId;

use crate::filter::{
    ast::{Condition, Filter, Limits, MatchValue, Predicate, ValueList},
    geo::GeoPoint,
    slice::Slice,
};

impl Filter {
    /// This filter in Qdrant's JSON form, which [`Filter::from_json`] reads back to an equal filter. Two things JSON
    /// cannot say: a limit that is NaN or infinite becomes null, which is no limit, and a range of datetimes without
    /// any limit reads back as one of numbers.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut map = Map::new();
        if !self.must.is_empty() {
            map.insert("must".to_owned(), conditions(&self.must));
        }
        if let Some(should) = &self.should {
            map.insert("should".to_owned(), conditions(should));
        }
        if !self.must_not.is_empty() {
            map.insert("must_not".to_owned(), conditions(&self.must_not));
        }
        if let Some(least) = &self.min_should {
            let list = conditions(&least.conditions);
            map.insert(
                "min_should".to_owned(),
                json!({ "conditions": list, "min_count": least.min_count }),
            );
        }
        Value::Object(map)
    }
}

fn conditions(list: &[Condition]) -> Value {
    list.iter().map(condition).collect()
}

fn condition(condition: &Condition) -> Value {
    match condition {
        Condition::Field { path, predicate } => {
            let (key, value) = self::predicate(predicate);
            json!({ "key": path, key: value })
        }
        Condition::IsEmpty { path } => json!({ "is_empty": { "key": path } }),
        Condition::IsNull { path } => json!({ "is_null": { "key": path } }),
        Condition::HasId(ids) => json!({ "has_id": ids.iter().map(point_id).collect::<Value>() }),
        Condition::HasVector(name) => json!({ "has_vector": name }),
        Condition::Slice(Slice { total, index }) => json!({ "slice": { "total": total, "index": index } }),
        Condition::Nested { path, filter } => {
            json!({ "nested": { "key": path, "filter": filter.to_json() } })
        }
        Condition::Filter(filter) => filter.to_json(),
    }
}

fn predicate(predicate: &Predicate) -> (&'static str, Value) {
    match predicate {
        Predicate::Value(MatchValue::String(text)) => ("match", json!({ "value": text })),
        Predicate::Value(MatchValue::Integer(number)) => ("match", json!({ "value": number })),
        Predicate::Value(MatchValue::Bool(truth)) => ("match", json!({ "value": truth })),
        Predicate::Any(list) => ("match", json!({ "any": values(list) })),
        Predicate::Except(list) => ("match", json!({ "except": values(list) })),
        Predicate::Text(text) => ("match", json!({ "text": text })),
        Predicate::TextAny(text) => ("match", json!({ "text_any": text })),
        Predicate::Phrase(text) => ("match", json!({ "phrase": text })),
        Predicate::Prefix(text) => ("match", json!({ "prefix": text })),
        Predicate::Substring(text) => ("match", json!({ "substring": text })),
        Predicate::Range(range) => ("range", limits(range, |number| json!(number))),
        Predicate::Datetime(range) => ("range", limits(range, |at| json!(at.to_string()))),
        Predicate::GeoBoundingBox(area) => {
            let corners =
                json!({ "top_left": point(&area.top_left), "bottom_right": point(&area.bottom_right) });
            ("geo_bounding_box", corners)
        }
        Predicate::GeoRadius(area) => {
            let circle = json!({ "center": point(&area.center), "radius": area.radius });
            ("geo_radius", circle)
        }
        Predicate::GeoPolygon(area) => {
            let mut rings = json!({ "exterior": ring(&area.exterior) });
            if let (Some(map), false) = (rings.as_object_mut(), area.interiors.is_empty()) {
                let interiors = area.interiors.iter().map(|points| ring(points)).collect();
                map.insert("interiors".to_owned(), interiors);
            }
            ("geo_polygon", rings)
        }
        Predicate::ValuesCount(range) => ("values_count", limits(range, |count| json!(count))),
        Predicate::IsEmpty(wanted) => ("is_empty", json!(wanted)),
        Predicate::IsNull(wanted) => ("is_null", json!(wanted)),
    }
}

fn point(point: &GeoPoint) -> Value {
    json!({ "lon": point.lon, "lat": point.lat })
}

fn ring(points: &[GeoPoint]) -> Value {
    json!({ "points": points.iter().map(point).collect::<Value>() })
}

fn values(list: &ValueList) -> Value {
    match list {
        ValueList::Strings(list) => json!(list),
        ValueList::Integers(list) => json!(list),
    }
}

fn limits<T>(limits: &Limits<T>, write: impl Fn(&T) -> Value) -> Value {
    let sides = [
        ("gt", &limits.gt),
        ("gte", &limits.gte),
        ("lt", &limits.lt),
        ("lte", &limits.lte),
    ];
    let given = sides
        .into_iter()
        .filter_map(|(key, limit)| Some((key.to_owned(), write(limit.as_ref()?))));
    Value::Object(given.collect())
}

fn point_id(id: &PointId) -> Value {
    match id {
        PointId::Num(number) => json!(number),
        PointId::Uuid(uuid) => json!(uuid.hyphenated().to_string()),
    }
}
