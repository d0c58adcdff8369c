//! Filters.
//!
//! The engine reads them, strictly. Qdrant is laxer in three places, which are mended before: it ignores keys that it does not
//! know everywhere but in a filter itself, takes several predicates on one field, of which one must hold, and tells values out of
//! range from shapes that it does not know.

use serde::Deserialize;
use serde::de::{self, Deserializer};
use serde_json::{Map, Value, json};
use vdb::{Filter, FilterError, MAX_FILTER_DEPTH};

use crate::service::{Problems, ServiceError};

/// Predicates of a condition on a field.
const PREDICATES: [&str; 8] = [
    "match",
    "range",
    "geo_bounding_box",
    "geo_radius",
    "geo_polygon",
    "values_count",
    "is_empty",
    "is_null",
];

/// Conditions that are not on a field, by the key that they are known by.
const ALONE: [&str; 6] = ["is_empty", "is_null", "has_id", "has_vector", "slice", "nested"];

/// What a value can be matched with; of several the first counts.
const MATCHES: [&str; 8] = [
    "value",
    "text",
    "text_any",
    "phrase",
    "prefix",
    "substring",
    "any",
    "except",
];

/// Ends of a range.
const ENDS: [&str; 4] = ["lt", "gt", "gte", "lte"];

/// Parts of a place.
const PLACE: [&str; 2] = ["lon", "lat"];

/// Lists of conditions in a filter.
const CLAUSES: [&str; 3] = ["must", "should", "must_not"];

/// A filter of a request, and what is wrong with its values.
#[derive(Clone, Debug)]
pub(in crate::rest) struct WireFilter {
    filter: Filter,
    /// By their places within it.
    problems: Problems,
}

impl WireFilter {
    /// The engine's filter. `place` is where it stands in the body, for what is said of it.
    pub(in crate::rest) fn filter(self, place: &str) -> Result<Filter, ServiceError> {
        self.problems.at(place).finish()?;
        Ok(self.filter)
    }

    /// Reads a filter.
    pub(in crate::rest) fn from_value(mut value: Value) -> Result<Self, FilterError> {
        let mut mender = Mender {
            problems: Problems::new(),
        };
        mender.filter(&mut value, "", 0);
        WireFilter::mended(&value, mender)
    }

    /// Reads a condition that stands alone, as a filter of it; its place is that of the filter.
    pub(in crate::rest) fn from_condition(mut value: Value) -> Result<Self, FilterError> {
        let mut mender = Mender {
            problems: Problems::new(),
        };
        mender.condition(&mut value, "", 0);
        WireFilter::mended(&json!({ "must": [value] }), mender)
    }

    fn mended(value: &Value, mender: Mender) -> Result<Self, FilterError> {
        // What is out of range is left to be told: the engine would call it a shape that it does not know.
        let problems = mender.problems;
        let filter = match Filter::from_json(value) {
            Err(_) if !problems.is_empty() => Filter::default(),
            read => read?,
        };
        Ok(WireFilter { filter, problems })
    }
}

impl<'de> Deserialize<'de> for WireFilter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        WireFilter::from_value(value).map_err(de::Error::custom)
    }
}

/// The filter of a request that may have none; `place` as for [`WireFilter::filter`].
pub(in crate::rest) fn optional(
    filter: Option<WireFilter>,
    place: &str,
) -> Result<Option<Filter>, ServiceError> {
    filter.map(|filter| filter.filter(place)).transpose()
}

struct Mender {
    problems: Problems,
}

impl Mender {
    fn filter(&mut self, value: &mut Value, place: &str, depth: usize) {
        let Value::Object(map) = value else { return };
        // The engine refuses what is deeper.
        if depth > MAX_FILTER_DEPTH {
            return;
        }
        for clause in CLAUSES {
            if let Some(conditions) = map.get_mut(clause) {
                self.conditions(conditions, &format!("{place}.{clause}"), depth);
            }
        }
        if let Some(Value::Object(min_should)) = map.get_mut("min_should") {
            min_should.retain(|key, _| ["conditions", "min_count"].contains(&key.as_str()));
            let place = format!("{place}.min_should");
            let count = min_should.get("min_count").and_then(Value::as_u64);
            self.problems
                .at_least(format_args!("{place}.min_count"), count, 1);
            if let Some(conditions) = min_should.get_mut("conditions") {
                self.conditions(conditions, &format!("{place}.conditions"), depth);
            }
        }
    }

    fn conditions(&mut self, value: &mut Value, place: &str, depth: usize) {
        match value {
            Value::Array(list) => {
                for (number, condition) in list.iter_mut().enumerate() {
                    self.condition(condition, &format!("{place}[{number}]"), depth);
                }
            }
            Value::Object(_) => self.condition(value, place, depth),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn condition(&mut self, value: &mut Value, place: &str, depth: usize) {
        let Value::Object(map) = value else { return };
        if map.contains_key("key") {
            if let Some(mended) = self.field(map, place) {
                *value = mended;
            }
        } else if let Some(name) = ALONE.into_iter().find(|name| map.contains_key(*name)) {
            map.retain(|key, _| key == name);
            if let Some(of) = map.get_mut(name) {
                self.alone(name, of, &format!("{place}.{name}"), depth);
            }
        } else {
            self.filter(value, place, depth + 1);
        }
    }

    /// A condition that is not on a field, without what is not known of it.
    fn alone(&mut self, name: &str, of: &mut Value, place: &str, depth: usize) {
        match name {
            "is_empty" | "is_null" => keep(of, &["key"]),
            "nested" => {
                keep(of, &["key", "filter"]);
                if let Some(inner) = of.get_mut("filter") {
                    self.filter(inner, &format!("{place}.filter"), depth + 1);
                }
            }
            "slice" => {
                keep(of, &["total", "index"]);
                let number = |key| of.get(key).and_then(Value::as_u64);
                if let (Some(total), Some(index)) = (number("total"), number("index"))
                    && total > 0
                    && index >= total
                {
                    self.problems.add(
                        format_args!("{place}.index"),
                        format_args!("value {index} invalid, must be smaller than total"),
                    );
                }
            }
            _ => {}
        }
    }

    /// A condition on a field without what is not known of it; one for each predicate, if there are several.
    fn field(&mut self, map: &mut Map<String, Value>, place: &str) -> Option<Value> {
        map.retain(|key, value| key == "key" || (PREDICATES.contains(&key.as_str()) && !value.is_null()));
        map.iter_mut().for_each(|(name, of)| predicate(name, of));
        let predicates: Vec<&String> = map.keys().filter(|key| *key != "key").collect();
        match predicates.len() {
            0 => {
                self.problems
                    .add(place, "At least one field condition must be specified");
                None
            }
            1 => None,
            _ => {
                let key = map.get("key")?;
                let each = predicates
                    .iter()
                    .map(|name| json!({ "key": key, name.as_str(): map.get(*name) }));
                Some(json!({ "should": each.collect::<Vec<_>>() }))
            }
        }
    }
}

/// Takes away what is not known.
fn keep(value: &mut Value, known: &[&str]) {
    if let Value::Object(map) = value {
        map.retain(|key, _| known.contains(&key.as_str()));
    }
}

/// A predicate of a field without what is not known of it.
fn predicate(name: &str, of: &mut Value) {
    match name {
        "match" => {
            let given = |kind: &&str| of.get(*kind).is_some_and(|value| !value.is_null());
            if let Some(kind) = MATCHES.into_iter().find(given) {
                keep(of, &[kind]);
            }
        }
        "range" | "values_count" => keep(of, &ENDS),
        "geo_bounding_box" => {
            keep(of, &["top_left", "bottom_right"]);
            corners(of, &["top_left", "bottom_right"]);
        }
        "geo_radius" => {
            keep(of, &["center", "radius"]);
            corners(of, &["center"]);
        }
        "geo_polygon" => {
            keep(of, &["exterior", "interiors"]);
            if let Some(exterior) = of.get_mut("exterior") {
                ring(exterior);
            }
            if let Some(Value::Array(interiors)) = of.get_mut("interiors") {
                interiors.iter_mut().for_each(ring);
            }
        }
        _ => {}
    }
}

fn corners(of: &mut Value, names: &[&str]) {
    for name in names {
        if let Some(place) = of.get_mut(*name) {
            keep(place, &PLACE);
        }
    }
}

fn ring(of: &mut Value) {
    keep(of, &["points"]);
    if let Some(Value::Array(points)) = of.get_mut("points") {
        points.iter_mut().for_each(|place| keep(place, &PLACE));
    }
}

#[cfg(test)]
mod tests;
