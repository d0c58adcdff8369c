//! Filters and their conditions.

use qdrant_client::qdrant as proto;
use qdrant_client::qdrant::condition::ConditionOneOf;
use qdrant_client::qdrant::r#match::MatchValue as Sought;
use vdb::{
    Condition, Datetime, Filter, GeoBoundingBox, GeoPoint, GeoPolygon, GeoRadius, Limits, MAX_FILTER_DEPTH,
    MatchValue, MinShould, Predicate, Slice, ValueList,
};

use super::ids;
use super::rejection::{Rejection, Result, Within, count, each, required};

/// The filter of a message. An empty list of `should` is no clause: messages cannot tell one from the other.
pub(crate) fn filter(message: proto::Filter) -> Result<Filter> {
    nested(message, 0)
}

/// The filter of a field that need not be there.
pub(crate) fn optional(field: &str, message: Option<proto::Filter>) -> Result<Option<Filter>> {
    message.map(filter).transpose().within(field)
}

/// One condition.
pub(crate) fn condition(message: proto::Condition) -> Result<Condition> {
    one(message, 0)
}

fn nested(message: proto::Filter, depth: usize) -> Result<Filter> {
    if depth > MAX_FILTER_DEPTH {
        let problem = format_args!("filters are nested more than {MAX_FILTER_DEPTH} deep");
        return Err(Rejection::invalid("", problem));
    }
    let proto::Filter {
        should,
        must,
        must_not,
        min_should,
    } = message;
    let clause = |field: &str, conditions| each(field, conditions, |message| one(message, depth));
    let min_should = min_should.map(|clause_of| {
        Ok(MinShould {
            conditions: clause("min_should.conditions", clause_of.conditions)?,
            min_count: count(clause_of.min_count),
        })
    });
    Ok(Filter {
        must: clause("must", must)?,
        should: Some(clause("should", should)?).filter(|conditions| !conditions.is_empty()),
        must_not: clause("must_not", must_not)?,
        min_should: min_should.transpose()?,
    })
}

fn one(message: proto::Condition, depth: usize) -> Result<Condition> {
    Ok(match required("condition_one_of", message.condition_one_of)? {
        ConditionOneOf::Field(field) => self::field(field).within("field")?,
        ConditionOneOf::IsEmpty(at) => Condition::is_empty(at.key),
        ConditionOneOf::IsNull(at) => Condition::is_null(at.key),
        ConditionOneOf::HasId(list) => Condition::HasId(ids::point_ids("has_id", list.has_id)?),
        ConditionOneOf::HasVector(of) => Condition::HasVector(of.has_vector),
        ConditionOneOf::Slice(proto::SliceCondition { total, index }) => {
            Condition::Slice(Slice { total, index })
        }
        ConditionOneOf::Filter(filter) => {
            Condition::Filter(Box::new(nested(filter, depth + 1).within("filter")?))
        }
        ConditionOneOf::Nested(proto::NestedCondition { key, filter }) => {
            let filter = required("nested.filter", filter)?;
            Condition::Nested {
                path: key,
                filter: Box::new(nested(filter, depth + 1).within("nested.filter")?),
            }
        }
    })
}

/// The condition on a field. One predicate is what a condition has; of several any may hold, as the payload check of a
/// server has it.
fn field(message: proto::FieldCondition) -> Result<Condition> {
    let proto::FieldCondition {
        key,
        r#match,
        range,
        geo_bounding_box,
        geo_radius,
        values_count,
        geo_polygon,
        datetime_range,
        is_empty,
        is_null,
    } = message;
    let predicates = [
        r#match.map(|sought| self::sought(sought).within("match")),
        range.map(|of| {
            Ok(Predicate::Range(Limits {
                gt: of.gt,
                gte: of.gte,
                lt: of.lt,
                lte: of.lte,
            }))
        }),
        datetime_range.map(|of| datetimes(of).within("datetime_range")),
        geo_bounding_box.map(|area| bounding_box(area).within("geo_bounding_box")),
        geo_radius.map(|area| circle(area).within("geo_radius")),
        geo_polygon.map(|area| polygon(area).within("geo_polygon")),
        values_count.map(|of| {
            Ok(Predicate::ValuesCount(Limits {
                gt: of.gt,
                gte: of.gte,
                lt: of.lt,
                lte: of.lte,
            }))
        }),
        is_empty.map(|holds| Ok(Predicate::IsEmpty(holds))),
        is_null.map(|holds| Ok(Predicate::IsNull(holds))),
    ];
    let predicates: Vec<Predicate> = predicates.into_iter().flatten().collect::<Result<_>>()?;
    let mut conditions = predicates.into_iter().map(|predicate| Condition::Field {
        path: key.clone(),
        predicate,
    });
    let first = conditions
        .next()
        .ok_or_else(|| Rejection::invalid("", "At least one field condition must be specified"))?;
    let others: Vec<Condition> = conditions.collect();
    if others.is_empty() {
        return Ok(first);
    }
    let any = Filter::should([first]).and_should(others);
    Ok(Condition::Filter(Box::new(any)))
}

fn sought(message: proto::Match) -> Result<Predicate> {
    Ok(match required("match_value", message.match_value)? {
        Sought::Keyword(text) => Predicate::Value(MatchValue::String(text)),
        Sought::Integer(number) => Predicate::Value(MatchValue::Integer(number)),
        Sought::Boolean(truth) => Predicate::Value(MatchValue::Bool(truth)),
        Sought::Text(text) => Predicate::Text(text),
        Sought::Phrase(text) => Predicate::Phrase(text),
        Sought::TextAny(text) => Predicate::TextAny(text),
        Sought::Prefix(text) => Predicate::Prefix(text),
        Sought::Substring(text) => Predicate::Substring(text),
        Sought::Keywords(list) => Predicate::Any(ValueList::Strings(list.strings)),
        Sought::Integers(list) => Predicate::Any(ValueList::Integers(list.integers)),
        Sought::ExceptKeywords(list) => Predicate::Except(ValueList::Strings(list.strings)),
        Sought::ExceptIntegers(list) => Predicate::Except(ValueList::Integers(list.integers)),
    })
}

fn datetimes(range: proto::DatetimeRange) -> Result<Predicate> {
    let limit = |field, at: Option<prost_types::Timestamp>| at.map(datetime).transpose().within(field);
    Ok(Predicate::Datetime(Limits {
        gt: limit("gt", range.gt)?,
        gte: limit("gte", range.gte)?,
        lt: limit("lt", range.lt)?,
        lte: limit("lte", range.lte)?,
    }))
}

/// The moment of a message, cut to microseconds.
pub(crate) fn datetime(at: prost_types::Timestamp) -> Result<Datetime> {
    let nanos = u32::try_from(at.nanos)
        .ok()
        .filter(|&nanos| nanos < 1_000_000_000);
    let micros = nanos.and_then(|nanos| {
        let whole = at.seconds.checked_mul(1_000_000)?;
        whole.checked_add(i64::from(nanos / 1_000))
    });
    micros
        .and_then(Datetime::from_micros)
        .ok_or_else(|| Rejection::invalid("", "is not a moment of the years 0000 to 9999"))
}

/// A position that must be there.
pub(crate) fn position(field: &str, point: Option<proto::GeoPoint>) -> Result<GeoPoint> {
    let proto::GeoPoint { lon, lat } = required(field, point)?;
    GeoPoint::new(lon, lat).ok_or_else(|| {
        Rejection::invalid(
            field,
            format_args!("lon {lon}, lat {lat}: must be -180 to 180 and -90 to 90"),
        )
    })
}

fn bounding_box(area: proto::GeoBoundingBox) -> Result<Predicate> {
    Ok(Predicate::GeoBoundingBox(GeoBoundingBox {
        top_left: position("top_left", area.top_left)?,
        bottom_right: position("bottom_right", area.bottom_right)?,
    }))
}

fn circle(area: proto::GeoRadius) -> Result<Predicate> {
    Ok(Predicate::GeoRadius(GeoRadius {
        center: position("center", area.center)?,
        radius: f64::from(area.radius),
    }))
}

fn polygon(area: proto::GeoPolygon) -> Result<Predicate> {
    let ring = |line: proto::GeoLineString| each("points", line.points, |point| position("", Some(point)));
    Ok(Predicate::GeoPolygon(GeoPolygon {
        exterior: ring(required("exterior", area.exterior)?).within("exterior")?,
        interiors: each("interiors", area.interiors, ring)?,
    }))
}

#[cfg(test)]
mod tests;
