//! One condition in terms of one index: the rows that are certain to match, and those that may.

use std::ops::{Bound, Range};

use uuid::Uuid;
use vdb_index::{
    Result,
    postings::{Class, Key, Kind, PostingsFile},
};

use super::area::keys_within;
use crate::filter::{
    ast::Limits,
    compile::{Clauses, Field, Node, Test, ValueTest},
    datetime::Datetime,
    text::{TextTest, Wanted},
    uuid::canonical_uuid,
};

/// What an index says of a test. Rows in a part of `certain` pass it, rows in a part of `maybe` may, others do not;
/// or the other way round, when it is `negated`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Leaf<'t> {
    pub(super) certain: Vec<Part<'t>>,
    pub(super) maybe: Vec<Part<'t>>,
    pub(super) negated: bool,
}

/// Rows that an index can name.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part<'t> {
    /// Rows with one of these keys.
    Any(Vec<Key<'t>>),
    /// Rows with a key that is none of these, but for those that have several of these: they may or may not.
    OtherThan(Vec<Key<'t>>),
    /// Rows with several of these keys, with others or without.
    SeveralOf(Vec<Key<'t>>),
    /// Rows with a key in the range.
    Range(Bound<Key<'t>>, Bound<Key<'t>>),
    /// Rows with a key of these numbers.
    Keys(Vec<Range<u32>>),
    /// Rows with a term that starts so.
    Prefix(&'t str),
    /// Rows with all of these tokens.
    AllOf(Vec<&'t str>),
    /// Rows with these tokens, each as far after a common place as its number says.
    Phrase(Vec<(&'t str, u64)>),
    /// Filled rows that have some node with a number of values within the limits, or else those that have none.
    Values(Limits<u64>, bool),
    /// Rows of a class.
    Class(Class),
}

const PRESENT: Part<'static> = Part::Class(Class::Present);
const FOREIGN: Part<'static> = Part::Class(Class::Foreign);

impl<'t> Leaf<'t> {
    fn exact(part: Part<'t>) -> Self {
        Self {
            certain: vec![part],
            maybe: Vec::new(),
            negated: false,
        }
    }

    fn none() -> Self {
        Self {
            certain: Vec::new(),
            maybe: Vec::new(),
            negated: false,
        }
    }

    fn at_most(maybe: impl Into<Vec<Part<'t>>>) -> Self {
        Self {
            certain: Vec::new(),
            maybe: maybe.into(),
            negated: false,
        }
    }

    /// Exact for the values in the index; any other value may pass too.
    fn or_foreign(part: Part<'t>) -> Self {
        Self {
            certain: vec![part],
            maybe: vec![FOREIGN],
            negated: false,
        }
    }

    fn negate_unless(mut self, wanted: bool) -> Self {
        self.negated ^= !wanted;
        self
    }

    /// What `index` says of `test`. The table in the module above is this function and the next in words.
    ///
    /// # Errors
    /// The index is damaged.
    pub(super) fn new(test: &'t Test, index: &PostingsFile) -> Result<Self> {
        Ok(match test {
            Test::Value(ValueTest::Within(area)) if index.kind() == Kind::Geo => {
                let keys = keys_within(area, index)?;
                Self {
                    certain: vec![Part::Keys(keys.inside)],
                    maybe: some(keys.crossed).map(Part::Keys).into_iter().collect(),
                    negated: false,
                }
            }
            Test::Value(test) => Self::of_value(test, index.kind()),
            Test::Text(test) => Self::of_text(test, index),
            Test::Empty(wanted) => Self::exact(Part::Class(Class::Filled)).negate_unless(!wanted),
            Test::Null(wanted) => Self::exact(Part::Class(Class::Null)).negate_unless(*wanted),
            // Of a row that is not filled every count is 0.
            Test::Count(limits) => {
                let none_too = limits.contains(0);
                Self::exact(Part::Values(*limits, !none_too)).negate_unless(!none_too)
            }
        })
    }

    fn of_text(test: &'t TextTest, index: &PostingsFile) -> Self {
        let fingerprint = index.text_info().map(|info| info.fingerprint);
        if fingerprint != Some(test.analysis.fingerprint()) {
            // Another index has come to this path since the test was made.
            return Self::at_most([Part::Class(Class::Filled)]);
        }
        match &test.wanted {
            Wanted::Nothing => Self::none(),
            Wanted::All(tokens) => Self::exact(Part::AllOf(tokens.iter().map(String::as_str).collect())),
            Wanted::Any(tokens) => Self::exact(Part::Any(terms(tokens))),
            Wanted::Phrase(tokens) => {
                let places = tokens.iter().flat_map(|(token, places)| {
                    let token = token.as_str();
                    places.iter().map(move |place| (token, *place))
                });
                Self::exact(Part::Phrase(places.collect()))
            }
        }
    }

    fn of_value(test: &'t ValueTest, kind: Kind) -> Self {
        match test {
            ValueTest::String(text) => any_string(kind, std::slice::from_ref(text)),
            ValueTest::AnyString(list) => any_string(kind, list),
            ValueTest::Prefix(prefix) => match kind {
                Kind::Keyword => Self::exact(Part::Prefix(prefix)),
                Kind::Datetime | Kind::Uuid | Kind::Text => Self::at_most([PRESENT, FOREIGN]),
                Kind::Integer | Kind::Float | Kind::Bool | Kind::Geo => Self::at_most([FOREIGN]),
            },
            ValueTest::Contains(pieces) if pieces.is_empty() => Self::none(),
            ValueTest::Contains(_) => match kind {
                Kind::Keyword => Self::at_most([PRESENT]),
                Kind::Datetime | Kind::Uuid | Kind::Text => Self::at_most([PRESENT, FOREIGN]),
                Kind::Integer | Kind::Float | Kind::Bool | Kind::Geo => Self::at_most([FOREIGN]),
            },
            ValueTest::Integer(number) => integers(kind, &[*number]),
            ValueTest::AnyInteger(list) => integers(kind, list),
            ValueTest::Bool(truth) => match kind {
                Kind::Bool => Self::exact(Part::Any(vec![Key::Bool(*truth)])),
                Kind::Keyword
                | Kind::Integer
                | Kind::Float
                | Kind::Datetime
                | Kind::Uuid
                | Kind::Geo
                | Kind::Text => Self::at_most([FOREIGN]),
            },
            ValueTest::ExceptString(list) => match kind {
                Kind::Keyword => except(terms(list)),
                Kind::Integer | Kind::Float | Kind::Bool | Kind::Geo => Self::or_foreign(PRESENT),
                Kind::Uuid => except_uuids(list),
                // Strings all, but under keys that do not tell which.
                Kind::Datetime | Kind::Text => Self::at_most([PRESENT, FOREIGN]),
            },
            ValueTest::AnyUuid(list) => match kind {
                // What is spelled otherwise than the index holds it is foreign.
                Kind::Uuid => Self::or_foreign(Part::Any(keys_of(list))),
                Kind::Keyword | Kind::Datetime | Kind::Text => Self::at_most([PRESENT, FOREIGN]),
                Kind::Integer | Kind::Float | Kind::Bool | Kind::Geo => Self::at_most([FOREIGN]),
            },
            ValueTest::ExceptUuid(list) => match kind {
                Kind::Uuid => except_with_foreign(keys_of(list)),
                Kind::Keyword | Kind::Datetime | Kind::Text => Self::at_most([PRESENT, FOREIGN]),
                Kind::Integer | Kind::Float | Kind::Bool | Kind::Geo => Self::or_foreign(PRESENT),
            },
            ValueTest::ExceptInteger(list) => match kind {
                Kind::Integer => except(list.iter().map(|number| Key::Integer(*number)).collect()),
                Kind::Keyword | Kind::Bool | Kind::Datetime | Kind::Uuid | Kind::Geo | Kind::Text => {
                    Self::or_foreign(PRESENT)
                }
                // Whatever is not a number passes; a float may or may not be one of the integers.
                Kind::Float => Self {
                    certain: vec![FOREIGN],
                    maybe: vec![PRESENT],
                    negated: false,
                },
            },
            ValueTest::Range(limits) if is_met_by_nothing(limits) => Self::none(),
            ValueTest::Range(limits) => match kind {
                Kind::Float => {
                    let (start, end) = limits.bounds();
                    Self::exact(Part::Range(start.map(Key::Float), end.map(Key::Float)))
                }
                Kind::Integer => match integers_within(limits) {
                    Some((start, end)) => {
                        Self::or_foreign(Part::Range(start.map(Key::Integer), end.map(Key::Integer)))
                    }
                    None => Self::at_most([FOREIGN]),
                },
                Kind::Keyword | Kind::Bool | Kind::Datetime | Kind::Uuid | Kind::Geo | Kind::Text => {
                    Self::at_most([FOREIGN])
                }
            },
            // Positions are objects, which no other index than one of them holds.
            ValueTest::Within(_) => Self::at_most([FOREIGN]),
            ValueTest::Datetime(limits) => match kind {
                Kind::Datetime => {
                    let (start, end) = limits.bounds();
                    let key = |at: Datetime| Key::Datetime(at.micros());
                    Self::exact(Part::Range(start.map(key), end.map(key)))
                }
                Kind::Keyword => Self::at_most([PRESENT]),
                Kind::Text => Self::at_most([PRESENT, FOREIGN]),
                Kind::Integer | Kind::Float | Kind::Bool | Kind::Uuid | Kind::Geo => Self::at_most([FOREIGN]),
            },
        }
    }
}

/// The condition of a nested filter that is nothing but one condition on some value: that one object has such a
/// value is then the same as that the row has, and the index's answer stands as it is.
pub(super) fn lone_condition(clauses: &Clauses) -> Option<&Field> {
    let Clauses {
        must,
        should,
        must_not,
        min_should,
    } = clauses;
    match must.as_slice() {
        [Node::Field(field)]
            if should.is_none()
                && must_not.is_empty()
                && min_should.is_none()
                && asks_for_some_value(&field.test)
                && asks_for_one_object(&field.test) =>
        {
            Some(field)
        }
        _ => None,
    }
}

/// Whether the test passes for a row whenever it does for some object on the way to its values. Tests that a
/// missing value passes do not.
pub(super) fn asks_for_some_value(test: &Test) -> bool {
    match test {
        Test::Empty(wanted) => !wanted,
        Test::Null(wanted) => *wanted,
        Test::Count(limits) => !limits.contains(0),
        Test::Value(_) | Test::Text(_) => true,
    }
}

/// Whether a test that some value passes then does so within one object: several tokens may be of several.
fn asks_for_one_object(test: &Test) -> bool {
    match test {
        Test::Text(text) => !matches!(&text.wanted, Wanted::All(tokens) if tokens.len() > 1),
        Test::Value(_) | Test::Empty(_) | Test::Null(_) | Test::Count(_) => true,
    }
}

/// A test that the strings in the list pass.
fn any_string(kind: Kind, list: &[String]) -> Leaf<'_> {
    match kind {
        Kind::Keyword => Leaf::exact(Part::Any(terms(list))),
        // Strings that spell datetimes are present, or those that have tokens; the others are foreign.
        Kind::Datetime | Kind::Text => Leaf::at_most([PRESENT, FOREIGN]),
        Kind::Uuid => {
            let uuids = uuids(list);
            let others = (uuids.len() < list.len()).then_some(FOREIGN);
            Leaf {
                certain: vec![Part::Any(uuids)],
                maybe: others.into_iter().collect(),
                negated: false,
            }
        }
        Kind::Integer | Kind::Float | Kind::Bool | Kind::Geo => Leaf::at_most([FOREIGN]),
    }
}

/// As [`except`] of the strings in the list that an index of UUIDs holds; the others are foreign.
fn except_uuids(list: &[String]) -> Leaf<'_> {
    let uuids = uuids(list);
    if uuids.len() < list.len() {
        except_with_foreign(uuids)
    } else {
        except(uuids)
    }
}

/// As [`except`], where a foreign value may be in the list.
fn except_with_foreign(list: Vec<Key<'_>>) -> Leaf<'_> {
    let mut leaf = except(list);
    leaf.certain.retain(|part| *part != FOREIGN);
    leaf.maybe.push(FOREIGN);
    leaf
}

fn keys_of<'t>(uuids: &[Uuid]) -> Vec<Key<'t>> {
    uuids.iter().map(|uuid| Key::Uuid(uuid.into_bytes())).collect()
}

fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

fn integers<'t>(kind: Kind, list: &[i64]) -> Leaf<'t> {
    match kind {
        Kind::Integer => Leaf::exact(Part::Any(
            list.iter().map(|number| Key::Integer(*number)).collect(),
        )),
        // Integers are there as floats, among floats that are not integers in the payload.
        Kind::Float => Leaf::at_most([Part::Any(
            list.iter().map(|number| Key::Float(*number as f64)).collect(),
        )]),
        Kind::Keyword | Kind::Bool | Kind::Datetime | Kind::Uuid | Kind::Geo | Kind::Text => {
            Leaf::at_most([FOREIGN])
        }
    }
}

/// Values of the index's kind that are not in the list. A foreign value is not in it by its type.
fn except(list: Vec<Key<'_>>) -> Leaf<'_> {
    let certain = vec![Part::OtherThan(list.clone()), FOREIGN];
    Leaf {
        certain,
        maybe: if list.len() > 1 {
            vec![Part::SeveralOf(list)]
        } else {
            Vec::new()
        },
        negated: false,
    }
}

fn uuids(list: &[String]) -> Vec<Key<'_>> {
    let uuids = list.iter().filter_map(|text| canonical_uuid(text));
    uuids.map(|uuid| Key::Uuid(uuid.into_bytes())).collect()
}

fn terms(list: &[String]) -> Vec<Key<'_>> {
    list.iter().map(|term| Key::Term(term)).collect()
}

/// Whether some limit is not a number.
fn is_met_by_nothing(limits: &Limits<f64>) -> bool {
    [limits.gt, limits.gte, limits.lt, limits.lte]
        .into_iter()
        .flatten()
        .any(f64::is_nan)
}

/// The integers whose nearest `f64` is within `limits`, none of which is NaN; `None` when there are none.
fn integers_within(limits: &Limits<f64>) -> Option<(Bound<i64>, Bound<i64>)> {
    let at_least = |limit: f64| first_integer(|number| number >= limit);
    let above = |limit: f64| first_integer(|number| number > limit);
    let mut start = i64::MIN;
    if let Some(gte) = limits.gte {
        start = start.max(at_least(gte)?);
    }
    if let Some(gt) = limits.gt {
        start = start.max(above(gt)?);
    }
    let end = [limits.lt.and_then(at_least), limits.lte.and_then(above)]
        .into_iter()
        .flatten()
        .min();
    Some((
        Bound::Included(start),
        end.map_or(Bound::Unbounded, Bound::Excluded),
    ))
}

/// The least integer whose nearest `f64` is `reached`, which holds for all numbers from some on. Found by halving
/// and not by rounding, because beyond 2^53 many integers share a float.
fn first_integer(reached: impl Fn(f64) -> bool) -> Option<i64> {
    if !reached(i64::MAX as f64) {
        return None;
    }
    let (mut start, mut end) = (i64::MIN, i64::MAX);
    while start < end {
        let middle = start.midpoint(end).min(end - 1);
        if reached(middle as f64) {
            end = middle;
        } else {
            start = middle + 1;
        }
    }
    Some(start)
}

#[cfg(test)]
mod tests {
    use std::ops::{Bound, RangeBounds};

    use proptest::prelude::*;

    use super::integers_within;
    use crate::filter::ast::Limits;

    fn within(limits: Limits<f64>, number: i64) -> bool {
        integers_within(&limits).is_some_and(|bounds| bounds.contains(&number))
    }

    #[test]
    fn integers_within_float_limits_are_those_whose_floats_are() {
        let at_least = |limit: f64| integers_within(&Limits::of(limit..)).map(|(start, _)| start);
        assert_eq!(at_least(1.5), Some(Bound::Included(2)));
        assert_eq!(at_least(-1.5), Some(Bound::Included(-1)));
        assert_eq!(at_least(f64::NEG_INFINITY), Some(Bound::Included(i64::MIN)));
        // The last integers round up to 2^63.
        assert_eq!(
            at_least(9_223_372_036_854_775_808.0),
            Some(Bound::Included(i64::MAX - 511))
        );
        assert_eq!(at_least(1e19), None);
    }

    proptest! {
        #[test]
        fn integer_bounds_agree_with_comparison_as_floats(
            number in any::<i64>(),
            near in -3_i64..3,
            limit in prop_oneof![any::<f64>(), (any::<i64>()).prop_map(|number| number as f64), -4.0..4.0_f64],
        ) {
            for number in [number, near, (limit as i64).saturating_add(near)] {
                for limits in [
                    Limits { gt: Some(limit), ..Limits::default() },
                    Limits { gte: Some(limit), ..Limits::default() },
                    Limits { lt: Some(limit), ..Limits::default() },
                    Limits { lte: Some(limit), ..Limits::default() },
                    Limits { gte: Some(limit - 2.0), gt: Some(limit - 1.0), lt: Some(limit + 2.0), lte: Some(limit + 1.0) },
                ] {
                    prop_assert_eq!(within(limits, number), limits.contains(number as f64), "{} in {:?}", number, limits);
                }
            }
        }
    }
}
