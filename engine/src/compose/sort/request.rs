//! An order as it is asked for, and a page of it.

use std::time::Duration;

use serde_json::Value;
use vdb_storage::PointId;

use crate::compose::value::ValueKind;
use crate::filter::Filter;
use crate::point::{Record, Select};
use crate::setters::setters;

/// What points are ordered by where the keys before it are equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortKey {
    /// The payload path. A point with several values there has the place of the first of them: the least one, or in
    /// descending order the greatest.
    pub path: String,
    /// Largest first.
    pub descending: bool,
    /// Which values count.
    pub kind: ValueKind,
}

impl SortKey {
    /// Smallest first, by booleans, numbers and strings.
    pub fn new(path: impl Into<String>) -> Self {
        SortKey {
            path: path.into(),
            descending: false,
            kind: ValueKind::Any,
        }
    }

    /// Largest first.
    #[must_use]
    pub fn descending(mut self) -> Self {
        self.descending = true;
        self
    }

    /// Only values of this kind count.
    #[must_use]
    pub fn kind(mut self, kind: ValueKind) -> Self {
        self.kind = kind;
        self
    }
}

/// A place in an order: the values of a point and its id. The point need not exist any more.
#[derive(Clone, Debug, PartialEq)]
pub struct SortCursor {
    /// The value of each key, null where there is none.
    pub values: Vec<Value>,
    /// The point.
    pub id: PointId,
}

/// A page of points in the order of payload values.
///
/// Points without a value of the first key are left out; those without one of a later key come after all that have one, in
/// either direction. A null is no value. Points that are equal in all keys come in the order of their ids. Each point comes once.
/// Every payload that matches is read, except that with an index on the path of the first key, and a kind of numbers or
/// datetimes, only those with a value are.
///
/// ```
/// # use vdb::{CollectionConfig, Database, Distance, Point, VectorParams};
/// use vdb::{SortKey, SortRequest, ValueKind};
/// # let db = Database::builder().open_in_memory()?;
/// # let c = db.create_collection("c", CollectionConfig::new(VectorParams::new(1, Distance::Dot)))?;
/// # let book = |id: u64| Point::new(id, [1.0]).payload(serde_json::json!({"author": format!("a{}", id % 3), "year": 1900 + id}));
/// # c.upsert((0..9).map(book).collect::<Result<_, _>>()?)?;
/// // By author, and the newest of each first.
/// let keys = [SortKey::new("author"), SortKey::new("year").descending().kind(ValueKind::Numbers)];
/// let mut request = SortRequest::new(keys).limit(4);
/// let first = c.sort(&request)?;
/// assert_eq!(first.points[0].values, [serde_json::json!("a0"), serde_json::json!(1906)]);
/// // On, and back again.
/// request = request.after(first.next.clone().unwrap());
/// let second = c.sort(&request)?;
/// let back = c.sort(&request.before(second.previous.clone().unwrap()))?;
/// assert_eq!(back.points, first.points);
/// # Ok::<_, vdb::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SortRequest {
    /// What is ordered by, first by the first: 1 to [`MAX_SORT_KEYS`](crate::MAX_SORT_KEYS).
    pub keys: Vec<SortKey>,
    /// Which page.
    pub page: SortFrom,
    /// Most points of the page: 1 to [`MAX_LIMIT`](crate::MAX_LIMIT).
    pub limit: usize,
    /// Only points that match.
    pub filter: Option<Filter>,
    /// What comes back with each point.
    pub select: Select,
    /// How long it may take, else [`Error::Timeout`](crate::Error::Timeout); as the database says by default.
    pub timeout: Option<Duration>,
}

/// Which page of an order is asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum SortFrom {
    /// The first one.
    #[default]
    Start,
    /// The one that begins after a place.
    After(SortCursor),
    /// The one that ends before a place.
    Before(SortCursor),
    /// The last one.
    End,
}

impl SortRequest {
    /// The first ten points, with payloads.
    pub fn new(keys: impl IntoIterator<Item = SortKey>) -> Self {
        SortRequest {
            keys: keys.into_iter().collect(),
            page: SortFrom::Start,
            limit: 10,
            filter: None,
            select: Select::payload(),
            timeout: None,
        }
    }

    /// The page that begins after a place.
    #[must_use]
    pub fn after(mut self, cursor: SortCursor) -> Self {
        self.page = SortFrom::After(cursor);
        self
    }

    /// The page that ends before a place.
    #[must_use]
    pub fn before(mut self, cursor: SortCursor) -> Self {
        self.page = SortFrom::Before(cursor);
        self
    }

    setters! {
        /// Most points of the page.
        limit(usize);
        /// Only points that match.
        filter(some Filter);
        /// What comes back with each point.
        select(Select);
        /// How long it may take.
        timeout(some Duration);
    }
}

/// A point of an order.
#[derive(Clone, Debug, PartialEq)]
pub struct SortedPoint {
    /// The point.
    pub record: Record,
    /// What it was put in its place by: a value for each key, null where it has none. Datetimes are in UTC.
    pub values: Vec<Value>,
}

impl SortedPoint {
    /// The point's place in the order.
    pub fn cursor(&self) -> SortCursor {
        SortCursor {
            values: self.values.clone(),
            id: self.record.id,
        }
    }
}

/// A page of an order.
#[derive(Clone, Debug, PartialEq)]
pub struct SortPage {
    /// The points, always in the order that was asked for.
    pub points: Vec<SortedPoint>,
    /// What the page before this one ends before; none where nothing comes before it, and for a page without points.
    pub previous: Option<SortCursor>,
    /// What the next page begins after; none where nothing comes after it, and for a page without points.
    pub next: Option<SortCursor>,
}
