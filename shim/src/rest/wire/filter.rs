//! Filters.
//!
//! The engine reads them, strictly. Qdrant is laxer in three places, which are mended before: it ignores keys that it does not
//! know in a condition on a field, takes several predicates on one, of which one must hold, and tells values out of range from
//! shapes that it does not know.

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

/// Lists of conditions in a filter.
const CLAUSES: [&str; 3] = ["must", "should", "must_not"];

/// A filter of a request, and what is wrong with its values.
#[derive(Clone, Debug)]
pub(in crate::rest) struct WireFilter {
    filter: Filter,
    problem: Option<ServiceError>,
}

impl WireFilter {
    /// The engine's filter.
    pub(in crate::rest) fn filter(self) -> Result<Filter, ServiceError> {
        self.problem.map_or(Ok(self.filter), Err)
    }

    /// Reads a filter.
    pub(in crate::rest) fn from_value(mut value: Value) -> Result<Self, FilterError> {
        let mut mender = Mender {
            problems: Problems::new(),
        };
        mender.filter(&mut value, "filter", 0);
        // What is out of range is left to be told: the engine would call it a shape that it does not know.
        let problem = mender.problems.finish().err();
        let filter = match (Filter::from_json(&value), &problem) {
            (Err(_), Some(_)) => Filter::default(),
            (read, _) => read?,
        };
        Ok(WireFilter { filter, problem })
    }
}

impl<'de> Deserialize<'de> for WireFilter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        WireFilter::from_value(value).map_err(de::Error::custom)
    }
}

/// The filter of a request that may have none.
pub(in crate::rest) fn optional(filter: Option<WireFilter>) -> Result<Option<Filter>, ServiceError> {
    filter.map(WireFilter::filter).transpose()
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
        } else if let Some(Value::Object(nested)) = map.get_mut("nested") {
            if let Some(inner) = nested.get_mut("filter") {
                self.filter(inner, &format!("{place}.nested.filter"), depth + 1);
            }
        } else if let Some(Value::Object(slice)) = map.get("slice") {
            let number = |key| slice.get(key).and_then(Value::as_u64);
            if let (Some(total), Some(index)) = (number("total"), number("index"))
                && total > 0
                && index >= total
            {
                self.problems.add(
                    format_args!("{place}.slice.index"),
                    format_args!("value {index} invalid, must be smaller than total"),
                );
            }
        } else {
            self.filter(value, place, depth + 1);
        }
    }

    /// A condition on a field without what is not known of it; one for each predicate, if there are several.
    fn field(&mut self, map: &mut Map<String, Value>, place: &str) -> Option<Value> {
        map.retain(|key, value| key == "key" || (PREDICATES.contains(&key.as_str()) && !value.is_null()));
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

#[cfg(test)]
mod tests {
    use vdb::Condition;

    use super::*;
    use crate::service::ErrorKind;

    fn read(value: Value) -> Result<Filter, ServiceError> {
        WireFilter::from_value(value).unwrap().filter()
    }

    #[test]
    fn several_predicates_are_alternatives() {
        let two = json!({"must": [{"key": "a", "match": {"value": 1}, "range": {"gt": 5}, "other": 1}]});
        let either = Filter::should([
            Condition::matches("a", 1),
            Condition::range("a", (std::ops::Bound::Excluded(5.0), std::ops::Bound::Unbounded)),
        ]);
        assert_eq!(read(two), Ok(Filter::must([either.into()])));
    }

    #[test]
    fn values_out_of_range_are_told_from_shapes() {
        for value in [
            json!({"must": {"key": "a"}}),
            json!({"should": [{"must_not": [{"key": "a", "match": null}]}]}),
            json!({"must": [{"slice": {"total": 2, "index": 2}}]}),
            json!({"min_should": {"conditions": [], "min_count": 0}}),
        ] {
            assert_eq!(
                read(value.clone()).unwrap_err().kind,
                ErrorKind::Validation,
                "{value}"
            );
        }
        for value in [
            json!({"must": [{"unknown": 1}]}),
            json!({"mast": []}),
            json!({"must": [{"key": "a", "match": {"value": 1.5}}]}),
            json!(7),
        ] {
            assert!(WireFilter::from_value(value.clone()).is_err(), "{value}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let mut value = json!({});
        for _ in 0..200 {
            value = json!({ "must": [value] });
        }
        assert!(WireFilter::from_value(value).is_err());
    }
}
