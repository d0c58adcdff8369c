//! Filters as JSON: Qdrant's REST shapes in both directions.
//!
//! Reading is strict: a key that is not known is refused by name and place, because a misspelt condition that is
//! ignored returns points that were to be left out (Qdrant is as strict with filters, and laxer inside conditions).
//! A key whose value is null counts as absent. A field condition has exactly one predicate: Qdrant takes several
//! and ORs them where most readers expect an AND.

use serde_json::{Map, Value};
use vdb_storage::PointId;

use crate::limits::{MAX_FILTER_CONDITIONS, MAX_FILTER_DEPTH, MAX_FILTER_VALUES};

use super::{
    ast::{Condition, Filter, Limits, MatchValue, MinShould, Predicate, ValueList},
    compile::{FILTER_CONDITIONS, FILTER_DEPTH, FILTER_VALUES},
    datetime::Datetime,
    error::{FilterError, Place},
    path::{PayloadPath, shorten},
    slice::Slice,
};

mod geo;
mod write;

type Result<T> = std::result::Result<T, FilterError>;

impl Filter {
    /// Reads a filter in Qdrant's JSON form.
    ///
    /// ```
    /// use serde_json::json;
    /// use vdb::{Condition, Filter};
    ///
    /// let filter = Filter::from_json(&json!({ "must": { "key": "pos", "match": { "value": "noun" } } }))?;
    /// assert_eq!(filter, Filter::must([Condition::matches("pos", "noun")]));
    ///
    /// let wrong = Filter::from_json(&json!({ "must": [{ "key": "year", "range": { "gte": "x" } }] }));
    /// assert_eq!(
    ///     wrong.unwrap_err().to_string(),
    ///     "must[0].range.gte: expected a number or a datetime, found \"x\"",
    /// );
    /// # Ok::<(), vdb::FilterError>(())
    /// ```
    ///
    /// # Errors
    /// [`FilterError::Invalid`] when `value` has another shape; [`FilterError::Limit`] when it is deeper than
    /// [`MAX_FILTER_DEPTH`], has more conditions than [`MAX_FILTER_CONDITIONS`] or a list of more than
    /// [`MAX_FILTER_VALUES`], or a polygon of more than [`MAX_POLYGON_POINTS`](crate::limits::MAX_POLYGON_POINTS) or
    /// [`MAX_POLYGON_RINGS`](crate::limits::MAX_POLYGON_RINGS).
    pub fn from_json(value: &Value) -> Result<Self> {
        Reader {
            depth: 0,
            conditions: 0,
        }
        .filter(value, &Place::ROOT)
    }
}

struct Reader {
    depth: usize,
    conditions: usize,
}

impl Reader {
    fn filter(&mut self, value: &Value, place: &Place<'_>) -> Result<Filter> {
        let map = object(value, place, "a filter object")?;
        self.depth += 1;
        place.within(FILTER_DEPTH, MAX_FILTER_DEPTH, self.depth)?;
        let mut filter = Filter::default();
        for (key, value) in map {
            let place = place.key(key);
            match key.as_str() {
                "must" => filter.must = self.clause(value, &place)?.unwrap_or_default(),
                "should" => filter.should = self.clause(value, &place)?,
                "must_not" => filter.must_not = self.clause(value, &place)?.unwrap_or_default(),
                "min_should" if value.is_null() => {}
                "min_should" => filter.min_should = Some(self.min_should(value, &place)?),
                _ => return Err(place.invalid("unknown key in a filter")),
            }
        }
        self.depth -= 1;
        Ok(filter)
    }

    /// A clause is a list of conditions, or one condition without the list.
    fn clause(&mut self, value: &Value, place: &Place<'_>) -> Result<Option<Vec<Condition>>> {
        if value.is_null() {
            return Ok(None);
        }
        if let Value::Array(list) = value {
            return self.conditions(list, place).map(Some);
        }
        Ok(Some(vec![self.condition(value, place)?]))
    }

    fn conditions(&mut self, list: &[Value], place: &Place<'_>) -> Result<Vec<Condition>> {
        list.iter()
            .enumerate()
            .map(|(number, item)| self.condition(item, &place.index(number)))
            .collect()
    }

    fn min_should(&mut self, value: &Value, place: &Place<'_>) -> Result<MinShould> {
        let map = object(value, place, "an object with `conditions` and `min_count`")?;
        known_keys(map, &["conditions", "min_count"], place, "min_should")?;
        let list_place = place.key("conditions");
        let conditions = self.conditions(
            array(required(map, "conditions", place)?, &list_place)?,
            &list_place,
        )?;
        let min_count = required(map, "min_count", place)?;
        let place = place.key("min_count");
        let min_count = min_count.as_u64().filter(|&count| count >= 1).ok_or_else(|| {
            place.invalid(format!("expected an integer of 1 or more, {}", found(min_count)))
        })?;
        // More than can be listed is as good as any other number that is never reached.
        Ok(MinShould {
            conditions,
            min_count: usize::try_from(min_count).unwrap_or(usize::MAX),
        })
    }

    fn condition(&mut self, value: &Value, place: &Place<'_>) -> Result<Condition> {
        let map = object(value, place, "a condition object")?;
        self.conditions += 1;
        place.within(FILTER_CONDITIONS, MAX_FILTER_CONDITIONS, self.conditions)?;
        if map.contains_key("key") {
            return field(map, place);
        }
        if map.is_empty()
            || ["must", "should", "must_not", "min_should"]
                .iter()
                .any(|key| map.contains_key(*key))
        {
            return Ok(self.filter(value, place)?.into());
        }
        let mut entries = map.iter();
        let (Some((key, value)), None) = (entries.next(), entries.next()) else {
            let keys: Vec<_> = map.keys().map(|key| shorten(key)).collect();
            return Err(place.invalid(format!(
                "expected one condition, found the keys {}",
                keys.join(", ")
            )));
        };
        let place = place.key(key);
        match key.as_str() {
            "is_empty" => Ok(Condition::IsEmpty {
                path: keyed(value, &place)?,
            }),
            "is_null" => Ok(Condition::IsNull {
                path: keyed(value, &place)?,
            }),
            "has_id" => list(value, &place, point_id).map(Condition::HasId),
            "has_vector" => string(value, &place).map(Condition::HasVector),
            "nested" => {
                let map = object(value, &place, "an object with `key` and `filter`")?;
                known_keys(map, &["key", "filter"], &place, "a nested condition")?;
                let path = path(required(map, "key", &place)?, &place.key("key"))?;
                let filter = self.filter(required(map, "filter", &place)?, &place.key("filter"))?;
                Ok(Condition::Nested {
                    path,
                    filter: Box::new(filter),
                })
            }
            "slice" => slice(value, &place).map(Condition::Slice),
            _ => Err(place.invalid("unknown condition")),
        }
    }
}

fn field(map: &Map<String, Value>, place: &Place<'_>) -> Result<Condition> {
    let path = path(required(map, "key", place)?, &place.key("key"))?;
    let mut predicate = None;
    for (key, value) in map {
        if key == "key" || value.is_null() {
            continue;
        }
        let here = place.key(key);
        let parsed = match key.as_str() {
            "match" => matcher(value, &here)?,
            "range" => range(value, &here)?,
            "values_count" => Predicate::ValuesCount(limits(value, &here, count)?),
            "is_empty" => Predicate::IsEmpty(boolean(value, &here)?),
            "is_null" => Predicate::IsNull(boolean(value, &here)?),
            "geo_bounding_box" => Predicate::GeoBoundingBox(geo::bounding_box(value, &here)?),
            "geo_radius" => Predicate::GeoRadius(geo::radius(value, &here)?),
            "geo_polygon" => Predicate::GeoPolygon(geo::polygon(value, &here)?),
            _ => return Err(place.invalid(format!("unknown key {} in a field condition", shorten(key)))),
        };
        if predicate.replace(parsed).is_some() {
            return Err(place.invalid("more than one predicate: write a condition for each"));
        }
    }
    let predicate = predicate.ok_or_else(|| {
        place.invalid("a field condition needs one of match, range, values_count, is_empty, is_null")
    })?;
    Ok(Condition::Field { path, predicate })
}

fn matcher(value: &Value, place: &Place<'_>) -> Result<Predicate> {
    const KINDS: &str = "an object with one of value, any, except, text, text_any, phrase, prefix, substring";
    let map = object(value, place, KINDS)?;
    let mut entries = map.iter().filter(|(_, value)| !value.is_null());
    let (Some((key, value)), None) = (entries.next(), entries.next()) else {
        return Err(place.invalid(format!("expected {KINDS}")));
    };
    let place = place.key(key);
    match key.as_str() {
        "value" => match_value(value, &place).map(Predicate::Value),
        "any" => value_list(value, &place).map(Predicate::Any),
        "except" => value_list(value, &place).map(Predicate::Except),
        "text" => string(value, &place).map(Predicate::Text),
        "text_any" => string(value, &place).map(Predicate::TextAny),
        "phrase" => string(value, &place).map(Predicate::Phrase),
        "prefix" => string(value, &place).map(Predicate::Prefix),
        "substring" => string(value, &place).map(Predicate::Substring),
        _ => Err(place.invalid(format!("unknown kind of match, expected {KINDS}"))),
    }
}

fn match_value(value: &Value, place: &Place<'_>) -> Result<MatchValue> {
    match value {
        Value::String(text) => Some(MatchValue::String(text.clone())),
        Value::Bool(truth) => Some(MatchValue::Bool(*truth)),
        Value::Number(number) => number.as_i64().map(MatchValue::Integer),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
    .ok_or_else(|| {
        place.invalid(format!(
            "expected a string, a 64-bit integer or a boolean, {}",
            found(value)
        ))
    })
}

/// A list of strings or a list of integers, as its first item says.
fn value_list(value: &Value, place: &Place<'_>) -> Result<ValueList> {
    if array(value, place)?
        .first()
        .is_some_and(|first| !first.is_string())
    {
        return list(value, place, |item, place| {
            item.as_i64().ok_or_else(|| {
                place.invalid(format!(
                    "expected a 64-bit integer like the rest of the list, {}",
                    found(item)
                ))
            })
        })
        .map(ValueList::Integers);
    }
    list(value, place, string).map(ValueList::Strings)
}

/// Numbers or datetimes, as the first limit says.
fn range(value: &Value, place: &Place<'_>) -> Result<Predicate> {
    let map = object(value, place, "an object with lt, gt, gte, lte")?;
    if map
        .values()
        .find(|limit| !limit.is_null())
        .is_some_and(Value::is_string)
    {
        return limits(value, place, datetime).map(Predicate::Datetime);
    }
    limits(value, place, number).map(Predicate::Range)
}

fn limits<T>(
    value: &Value,
    place: &Place<'_>,
    read: impl Fn(&Value, &Place<'_>) -> Result<T>,
) -> Result<Limits<T>> {
    let mut limits = Limits::default();
    for (key, value) in object(value, place, "an object with lt, gt, gte, lte")? {
        let here = place.key(key);
        let slot = match key.as_str() {
            "gt" => &mut limits.gt,
            "gte" => &mut limits.gte,
            "lt" => &mut limits.lt,
            "lte" => &mut limits.lte,
            _ => return Err(here.invalid("unknown key, expected lt, gt, gte, lte")),
        };
        if !value.is_null() {
            *slot = Some(read(value, &here)?);
        }
    }
    Ok(limits)
}

fn number(value: &Value, place: &Place<'_>) -> Result<f64> {
    value.as_f64().ok_or_else(|| {
        // A string that spells a datetime beside numbers deserves the better of two messages.
        let also = if value.as_str().and_then(Datetime::parse).is_some() {
            " like the other limits"
        } else {
            ""
        };
        place.invalid(format!("expected a number{also}, {}", found(value)))
    })
}

fn datetime(value: &Value, place: &Place<'_>) -> Result<Datetime> {
    let text = value.as_str().ok_or_else(|| {
        place.invalid(format!(
            "expected a datetime like the other limits, {}",
            found(value)
        ))
    })?;
    Datetime::parse(text)
        .ok_or_else(|| place.invalid(format!("expected a number or a datetime, {}", found(value))))
}

fn count(value: &Value, place: &Place<'_>) -> Result<u64> {
    value
        .as_u64()
        .ok_or_else(|| place.invalid(format!("expected an integer of 0 or more, {}", found(value))))
}

fn slice(value: &Value, place: &Place<'_>) -> Result<Slice> {
    let map = object(value, place, "an object with `total` and `index`")?;
    known_keys(map, &["total", "index"], place, "a slice")?;
    let number = |key: &str| {
        let value = required(map, key, place)?;
        value
            .as_u64()
            .and_then(|number| u32::try_from(number).ok())
            .ok_or_else(|| {
                let place = place.key(key);
                place.invalid(format!(
                    "expected an integer from 0 to {}, {}",
                    u32::MAX,
                    found(value)
                ))
            })
    };
    let slice = Slice {
        total: number("total")?,
        index: number("index")?,
    };
    slice.check(place)?;
    Ok(slice)
}

fn point_id(value: &Value, place: &Place<'_>) -> Result<PointId> {
    match value {
        Value::Number(number) => number.as_u64().map(PointId::Num),
        Value::String(text) => uuid::Uuid::try_parse(text).ok().map(PointId::Uuid),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
    .ok_or_else(|| {
        place.invalid(format!(
            "expected a point id (an unsigned integer or a UUID), {}",
            found(value)
        ))
    })
}

fn keyed(value: &Value, place: &Place<'_>) -> Result<String> {
    let map = object(value, place, "an object with `key`")?;
    known_keys(map, &["key"], place, "this condition")?;
    path(required(map, "key", place)?, &place.key("key"))
}

fn path(value: &Value, place: &Place<'_>) -> Result<String> {
    let text = string(value, place)?;
    match PayloadPath::parse(&text) {
        Ok(_) => Ok(text),
        Err(error) => Err(error.at(place)),
    }
}

fn list<T>(
    value: &Value,
    place: &Place<'_>,
    read: impl Fn(&Value, &Place<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let list = array(value, place)?;
    place.within(FILTER_VALUES, MAX_FILTER_VALUES, list.len())?;
    list.iter()
        .enumerate()
        .map(|(number, item)| read(item, &place.index(number)))
        .collect()
}

fn object<'a>(value: &'a Value, place: &Place<'_>, expected: &str) -> Result<&'a Map<String, Value>> {
    value
        .as_object()
        .ok_or_else(|| place.invalid(format!("expected {expected}, {}", found(value))))
}

fn array<'a>(value: &'a Value, place: &Place<'_>) -> Result<&'a [Value]> {
    match value.as_array() {
        Some(list) => Ok(list),
        None => Err(place.invalid(format!("expected a list, {}", found(value)))),
    }
}

fn string(value: &Value, place: &Place<'_>) -> Result<String> {
    match value.as_str() {
        Some(text) => Ok(text.to_owned()),
        None => Err(place.invalid(format!("expected a string, {}", found(value)))),
    }
}

fn boolean(value: &Value, place: &Place<'_>) -> Result<bool> {
    value
        .as_bool()
        .ok_or_else(|| place.invalid(format!("expected true or false, {}", found(value))))
}

fn required<'a>(map: &'a Map<String, Value>, key: &str, place: &Place<'_>) -> Result<&'a Value> {
    map.get(key)
        .ok_or_else(|| place.invalid(format!("`{key}` is missing")))
}

fn known_keys(map: &Map<String, Value>, known: &[&str], place: &Place<'_>, of: &str) -> Result<()> {
    match map.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => Err(place.invalid(format!("unknown key {} in {of}", shorten(key)))),
    }
}

/// The tail of an error message: what is there in place of what was expected.
fn found(value: &Value) -> String {
    match value {
        Value::Null => "found null".to_owned(),
        Value::Bool(truth) => format!("found {truth}"),
        Value::Number(number) => format!("found {number}"),
        Value::String(text) => format!("found {}", shorten(text)),
        Value::Array(_) => "found a list".to_owned(),
        Value::Object(_) => "found an object".to_owned(),
    }
}

#[cfg(test)]
mod tests;
