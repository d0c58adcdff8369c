//! Filters as values: what a caller builds, sends as JSON, and hands to a search.
//!
//! Nothing is checked while a filter is built; whoever runs it checks all of it first and says what is wrong where.

use std::ops::{Bound, RangeBounds};

use vdb_storage::PointId;

use super::{
    datetime::Datetime,
    geo::{GeoBoundingBox, GeoPoint, GeoPolygon, GeoRadius},
    slice::Slice,
};

/// Which points are wanted. All clauses that are given must hold. The empty filter wants every point.
///
/// ```
/// use vdb::{Condition, Filter};
///
/// let filter = Filter::must([
///     Condition::matches("language", "la"),
///     Condition::range("year", 1500.0..1600.0),
/// ])
/// .and_must_not([Condition::is_empty("text")]);
/// assert_eq!(filter.must.len(), 2);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Filter {
    /// Each of these holds.
    pub must: Vec<Condition>,
    /// At least one of these holds. `None` does not constrain. Neither does an empty list, except below a
    /// [`Condition::Nested`], where it holds for no element (so does Qdrant).
    pub should: Option<Vec<Condition>>,
    /// None of these holds.
    pub must_not: Vec<Condition>,
    /// At least so many of these hold. Empty lists are treated like those of `should`.
    pub min_should: Option<MinShould>,
}

/// At least `min_count` of `conditions` hold.
#[derive(Debug, Clone, PartialEq)]
pub struct MinShould {
    /// The conditions that are counted, a repeated one as often as it is listed.
    pub conditions: Vec<Condition>,
    /// How many have to hold; at least 1.
    pub min_count: usize,
}

/// Something that holds for a point or does not.
///
/// ```
/// use vdb::{Condition, Filter};
///
/// let filter = Filter::must([
///     Condition::prefix("word", "ow"),
///     Condition::range("year", 1900.0..),
///     Condition::matches("tags[]", "bird"),
/// ]);
/// let same = serde_json::json!({"must": [
///     {"key": "word", "match": {"prefix": "ow"}},
///     {"key": "year", "range": {"gte": 1900.0}},
///     {"key": "tags[]", "match": {"value": "bird"}},
/// ]});
/// assert_eq!(Filter::from_json(&same)?, filter);
/// # Ok::<_, vdb::FilterError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// Some value at a payload path satisfies the predicate. An array that the path ends at stands for its elements.
    Field {
        /// The payload path: `a.b` for fields of objects, `a[]` and `a[0]` for elements of arrays, `"a key".b` for
        /// keys of other characters than letters, digits, `_` and `-`.
        path: String,
        /// What is asked of the values.
        predicate: Predicate,
    },
    /// The path leads to nothing, or only to nulls and empty arrays. `[null]` is not empty.
    IsEmpty {
        /// The payload path.
        path: String,
    },
    /// Some value at the path is null. A missing value is not.
    IsNull {
        /// The payload path.
        path: String,
    },
    /// The point's id is in the list.
    HasId(Vec<PointId>),
    /// The point has the vector of that name (`""` is the unnamed one).
    HasVector(String),
    /// The point's id is in this slice of the id space.
    Slice(Slice),
    /// One single object at the path satisfies the whole filter, whose paths start from that object. Conditions on
    /// ids, slices and vectors hold for no object.
    Nested {
        /// The path of an array of objects. `[]` is added at its end unless it is there.
        path: String,
        /// What one object has to satisfy.
        filter: Box<Filter>,
    },
    /// A filter in the place of a condition.
    Filter(Box<Filter>),
}

/// What [`Condition::Field`] asks of the values at its path.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicate {
    /// Equal, type included: `1.0` is not `1`, `"1"` is not `1`. Where there is an index of UUIDs on the path, a UUID is equal to
    /// itself in any spelling; so it is for lists of which all are UUIDs.
    Value(MatchValue),
    /// Equal to one of the list; of an empty list nothing is.
    Any(ValueList),
    /// Some value other than null is not in the list. Values of other types than the list's are not in it.
    Except(ValueList),
    /// Where there is a text index on the path: strings that have all tokens of this text, some in one and some in another if
    /// there are several. Without one: a string that contains this text, by case-sensitive comparison. A text without tokens
    /// finds nothing with an index, and every string without.
    Text(String),
    /// With a text index: a string that has one of the tokens of this text. Without: one that contains one of its
    /// whitespace-separated pieces.
    TextAny(String),
    /// With a text index: a string that has the tokens of this text one after another. Without: one that contains the text.
    Phrase(String),
    /// A string that starts with these bytes.
    Prefix(String),
    /// A string that contains this text, by case-sensitive comparison, whether or not there is a text index.
    Substring(String),
    /// A number (integers compare as their nearest `f64`).
    Range(Limits<f64>),
    /// A string that spells a datetime.
    Datetime(Limits<Datetime>),
    /// A position within the box.
    GeoBoundingBox(GeoBoundingBox),
    /// A position within the circle.
    GeoRadius(GeoRadius),
    /// A position within the polygon.
    GeoPolygon(GeoPolygon),
    /// The number of values: 0 for missing and null, the length of an array, 1 for anything else.
    ValuesCount(Limits<u64>),
    /// As [`Condition::IsEmpty`], or its negation.
    IsEmpty(bool),
    /// As [`Condition::IsNull`], or its negation.
    IsNull(bool),
}

/// A value to be equal to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MatchValue {
    /// A string.
    String(String),
    /// An integer.
    Integer(i64),
    /// A boolean.
    Bool(bool),
}

/// A list of values of one type. Empty lists are equal whatever type they are of: JSON has one for both.
#[derive(Debug, Clone)]
pub enum ValueList {
    /// Strings.
    Strings(Vec<String>),
    /// Integers.
    Integers(Vec<i64>),
}

impl PartialEq for ValueList {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Strings(a), Self::Strings(b)) => a == b,
            (Self::Integers(a), Self::Integers(b)) => a == b,
            (Self::Strings(strings), Self::Integers(integers))
            | (Self::Integers(integers), Self::Strings(strings)) => strings.is_empty() && integers.is_empty(),
        }
    }
}

impl Eq for ValueList {}

/// Limits of a range. Those that are given must all hold; without any, every comparable value is inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits<T> {
    /// Greater than.
    pub gt: Option<T>,
    /// Greater than or equal.
    pub gte: Option<T>,
    /// Less than.
    pub lt: Option<T>,
    /// Less than or equal.
    pub lte: Option<T>,
}

impl<T> Default for Limits<T> {
    fn default() -> Self {
        Self {
            gt: None,
            gte: None,
            lt: None,
            lte: None,
        }
    }
}

impl<T: PartialOrd + Copy> Limits<T> {
    /// The limits of a Rust range.
    pub fn of(range: impl RangeBounds<T>) -> Self {
        let mut limits = Self::default();
        match range.start_bound() {
            Bound::Included(&start) => limits.gte = Some(start),
            Bound::Excluded(&start) => limits.gt = Some(start),
            Bound::Unbounded => {}
        }
        match range.end_bound() {
            Bound::Included(&end) => limits.lte = Some(end),
            Bound::Excluded(&end) => limits.lt = Some(end),
            Bound::Unbounded => {}
        }
        limits
    }

    /// Whether `value` is within all limits that are given.
    #[must_use]
    pub fn contains(&self, value: T) -> bool {
        self.gt.is_none_or(|limit| value > limit)
            && self.gte.is_none_or(|limit| value >= limit)
            && self.lt.is_none_or(|limit| value < limit)
            && self.lte.is_none_or(|limit| value <= limit)
    }

    /// The bounds that say the same: of two limits on one side, the stricter.
    pub(crate) fn bounds(&self) -> (Bound<T>, Bound<T>) {
        let start = match (self.gt, self.gte) {
            (Some(gt), Some(gte)) if gte > gt => Bound::Included(gte),
            (Some(gt), _) => Bound::Excluded(gt),
            (None, Some(gte)) => Bound::Included(gte),
            (None, None) => Bound::Unbounded,
        };
        let end = match (self.lt, self.lte) {
            (Some(lt), Some(lte)) if lte < lt => Bound::Included(lte),
            (Some(lt), _) => Bound::Excluded(lt),
            (None, Some(lte)) => Bound::Included(lte),
            (None, None) => Bound::Unbounded,
        };
        (start, end)
    }
}

impl Filter {
    /// A filter of which each condition holds.
    pub fn must(conditions: impl IntoIterator<Item = Condition>) -> Self {
        Self::default().and_must(conditions)
    }

    /// A filter of which at least one condition holds.
    pub fn should(conditions: impl IntoIterator<Item = Condition>) -> Self {
        Self::default().and_should(conditions)
    }

    /// A filter of which no condition holds.
    pub fn must_not(conditions: impl IntoIterator<Item = Condition>) -> Self {
        Self::default().and_must_not(conditions)
    }

    /// A filter of which at least `min_count` conditions hold.
    pub fn min_should(min_count: usize, conditions: impl IntoIterator<Item = Condition>) -> Self {
        Self {
            min_should: Some(MinShould {
                conditions: conditions.into_iter().collect(),
                min_count,
            }),
            ..Self::default()
        }
    }

    /// This filter with more conditions that must hold.
    #[must_use]
    pub fn and_must(mut self, conditions: impl IntoIterator<Item = Condition>) -> Self {
        self.must.extend(conditions);
        self
    }

    /// This filter with more conditions in its `should` clause, of which one must hold.
    #[must_use]
    pub fn and_should(mut self, conditions: impl IntoIterator<Item = Condition>) -> Self {
        self.should.get_or_insert_default().extend(conditions);
        self
    }

    /// This filter with more conditions that must not hold.
    #[must_use]
    pub fn and_must_not(mut self, conditions: impl IntoIterator<Item = Condition>) -> Self {
        self.must_not.extend(conditions);
        self
    }

    /// The filter for what satisfies both.
    ///
    /// ```
    /// use vdb::{Condition, Filter};
    ///
    /// let latin = Filter::must([Condition::matches("language", "la")]);
    /// let early = Filter::should([Condition::range("year", ..500.0), Condition::is_empty("year")]);
    /// assert_eq!(latin.clone().and(Filter::default()), latin);
    /// assert_eq!(latin.and(early).must.len(), 2);
    /// ```
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if self == Self::default() {
            return other;
        }
        if other == Self::default() {
            return self;
        }
        Self::must([self.into(), other.into()])
    }
}

impl Condition {
    fn field(path: impl Into<String>, predicate: Predicate) -> Self {
        Self::Field {
            path: path.into(),
            predicate,
        }
    }

    /// Some value at `path` equals `value`, type included.
    pub fn matches(path: impl Into<String>, value: impl Into<MatchValue>) -> Self {
        Self::field(path, Predicate::Value(value.into()))
    }

    /// Some value at `path` is in the list.
    ///
    /// ```
    /// use vdb::Condition;
    ///
    /// let words = Condition::matches_any("pos", ["noun", "verb"]);
    /// let years = Condition::matches_any("year", vec![1492, 1517]);
    /// ```
    pub fn matches_any(path: impl Into<String>, values: impl Into<ValueList>) -> Self {
        Self::field(path, Predicate::Any(values.into()))
    }

    /// Some value at `path`, other than null, is not in the list.
    pub fn matches_except(path: impl Into<String>, values: impl Into<ValueList>) -> Self {
        Self::field(path, Predicate::Except(values.into()))
    }

    /// The strings at `path` have all tokens of `text`; without a text index, some string contains it
    /// ([`Predicate::Text`]).
    pub fn text(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self::field(path, Predicate::Text(text.into()))
    }

    /// Some string at `path` has one of the tokens of `text`; without a text index, contains one of its pieces
    /// ([`Predicate::TextAny`]).
    pub fn text_any(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self::field(path, Predicate::TextAny(text.into()))
    }

    /// Some string at `path` has the tokens of `phrase` one after another; without a text index, contains it
    /// ([`Predicate::Phrase`]).
    pub fn phrase(path: impl Into<String>, phrase: impl Into<String>) -> Self {
        Self::field(path, Predicate::Phrase(phrase.into()))
    }

    /// Some string at `path` starts with `prefix`.
    pub fn prefix(path: impl Into<String>, prefix: impl Into<String>) -> Self {
        Self::field(path, Predicate::Prefix(prefix.into()))
    }

    /// Some string at `path` contains `text`.
    pub fn substring(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self::field(path, Predicate::Substring(text.into()))
    }

    /// Some number at `path` is in the range.
    pub fn range(path: impl Into<String>, range: impl RangeBounds<f64>) -> Self {
        Self::field(path, Predicate::Range(Limits::of(range)))
    }

    /// Some string at `path` spells a datetime in the range.
    ///
    /// ```
    /// use vdb::{Condition, Datetime};
    ///
    /// let start: Datetime = "2024-01-01".parse()?;
    /// let recent = Condition::datetime_range("published", start..);
    /// # Ok::<(), vdb::FilterError>(())
    /// ```
    pub fn datetime_range(path: impl Into<String>, range: impl RangeBounds<Datetime>) -> Self {
        Self::field(path, Predicate::Datetime(Limits::of(range)))
    }

    /// Some position at `path` is strictly within the box of these corners.
    ///
    /// ```
    /// use vdb::{Condition, GeoPoint};
    ///
    /// let top_left = GeoPoint { lon: 11.3, lat: 48.3 };
    /// let bottom_right = GeoPoint { lon: 11.8, lat: 48.0 };
    /// let munich = Condition::geo_bounding_box("place", top_left, bottom_right);
    /// ```
    pub fn geo_bounding_box(path: impl Into<String>, top_left: GeoPoint, bottom_right: GeoPoint) -> Self {
        Self::field(
            path,
            Predicate::GeoBoundingBox(GeoBoundingBox {
                top_left,
                bottom_right,
            }),
        )
    }

    /// Some position at `path` is less than `radius` metres from `center`.
    pub fn geo_radius(path: impl Into<String>, center: GeoPoint, radius: f64) -> Self {
        Self::field(path, Predicate::GeoRadius(GeoRadius { center, radius }))
    }

    /// Some position at `path` is inside of the ring `exterior` and outside of the rings `interiors`. A ring has at least
    /// 4 points, the last equal to the first.
    pub fn geo_polygon(
        path: impl Into<String>,
        exterior: Vec<GeoPoint>,
        interiors: Vec<Vec<GeoPoint>>,
    ) -> Self {
        Self::field(path, Predicate::GeoPolygon(GeoPolygon { exterior, interiors }))
    }

    /// The number of values at `path` is in the range.
    pub fn values_count(path: impl Into<String>, range: impl RangeBounds<u64>) -> Self {
        Self::field(path, Predicate::ValuesCount(Limits::of(range)))
    }

    /// Nothing is at `path`, or only nulls and empty arrays.
    pub fn is_empty(path: impl Into<String>) -> Self {
        Self::IsEmpty { path: path.into() }
    }

    /// Some value at `path` is null.
    pub fn is_null(path: impl Into<String>) -> Self {
        Self::IsNull { path: path.into() }
    }

    /// The point's id is one of these.
    pub fn has_id(ids: impl IntoIterator<Item = impl Into<PointId>>) -> Self {
        Self::HasId(ids.into_iter().map(Into::into).collect())
    }

    /// The point has the vector `name`.
    pub fn has_vector(name: impl Into<String>) -> Self {
        Self::HasVector(name.into())
    }

    /// The point is in the slice `index` of `total`.
    pub fn slice(total: u32, index: u32) -> Self {
        Self::Slice(Slice { total, index })
    }

    /// One object at `path` satisfies all of `filter`.
    pub fn nested(path: impl Into<String>, filter: Filter) -> Self {
        Self::Nested {
            path: path.into(),
            filter: Box::new(filter),
        }
    }
}

impl From<Filter> for Condition {
    fn from(filter: Filter) -> Self {
        Self::Filter(Box::new(filter))
    }
}

impl From<Condition> for Filter {
    fn from(condition: Condition) -> Self {
        Self::must([condition])
    }
}

impl From<&str> for MatchValue {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}

impl From<String> for MatchValue {
    fn from(value: String) -> Self {
        Self::String(value)
    }
}

impl From<i64> for MatchValue {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<bool> for MatchValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<Vec<String>> for ValueList {
    fn from(values: Vec<String>) -> Self {
        Self::Strings(values)
    }
}

impl From<Vec<&str>> for ValueList {
    fn from(values: Vec<&str>) -> Self {
        Self::Strings(values.into_iter().map(str::to_owned).collect())
    }
}

impl<const N: usize> From<[&str; N]> for ValueList {
    fn from(values: [&str; N]) -> Self {
        Self::Strings(values.map(str::to_owned).into())
    }
}

impl From<Vec<i64>> for ValueList {
    fn from(values: Vec<i64>) -> Self {
        Self::Integers(values)
    }
}

impl<const N: usize> From<[i64; N]> for ValueList {
    fn from(values: [i64; N]) -> Self {
        Self::Integers(values.into())
    }
}
