//! Points in the order of several payload values, page by page, forward and backward.
//!
//! | file | what |
//! |---|---|
//! | `request.rs` | an order as it is asked for, and a page of it |
//! | `mod.rs` | which points are on it |

mod request;

use std::cmp::Ordering;

use serde_json::Value;
use vdb_storage::PointId;
use vdb_storage::payload::ObjectRef;

use super::narrow::narrow;
use super::value::{Scalar, ValueKind, each_value};
use crate::error::{Error, Result, within};
use crate::filter::{Filter, PayloadPath};
use crate::limits::{MAX_LIMIT, MAX_SORT_KEYS};
use crate::query::allowance::Allowance;
use crate::query::fetch;
use crate::query::matching::{self, Horizon};
use crate::tables::{Located, View};
pub use request::{SortCursor, SortFrom, SortKey, SortPage, SortRequest, SortedPoint};

/// A key that has been read.
struct Key {
    path: PayloadPath,
    descending: bool,
    kind: ValueKind,
}

impl Key {
    /// A value comes before none.
    fn compare<S: AsRef<str>, T: AsRef<str>>(
        &self,
        a: &Option<Scalar<S>>,
        b: &Option<Scalar<T>>,
    ) -> Ordering {
        match (a, b) {
            (Some(a), Some(b)) if self.descending => b.compare(a),
            (Some(a), Some(b)) => a.compare(b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        }
    }

    /// The value of a point that its place is by.
    fn read<'a>(&self, payload: ObjectRef<'a>, allowance: &Allowance<'_>) -> Result<Option<Scalar<&'a str>>> {
        let mut first = None;
        each_value(payload, &self.path, allowance, |value| {
            let read = self.kind.read(value);
            if read.is_some() && self.compare(&read, &first).is_lt() {
                first = read;
            }
            Ok(())
        })?;
        Ok(first)
    }
}

/// A place in the order.
struct Place<S> {
    values: Vec<Option<Scalar<S>>>,
    id: PointId,
}

/// A point that may be on the page.
struct Candidate {
    place: Place<Box<str>>,
    at: Located,
}

impl Candidate {
    fn bytes(&self) -> usize {
        let values = self.place.values.iter();
        let heap: usize = values.map(|value| value.as_ref().map_or(0, Scalar::heap)).sum();
        size_of::<Candidate>() + self.place.values.len() * size_of::<Option<Scalar>>() + heap
    }
}

struct Order {
    keys: Vec<Key>,
}

impl Order {
    fn new(request: &SortRequest) -> Result<Self> {
        if request.keys.is_empty() {
            return Err(Error::InvalidRequest("an order needs at least one key".into()));
        }
        within("keys of an order", MAX_SORT_KEYS, request.keys.len())?;
        let key = |key: &SortKey| {
            Ok(Key {
                path: PayloadPath::parse(&key.path)?,
                descending: key.descending,
                kind: key.kind,
            })
        };
        Ok(Order {
            keys: request.keys.iter().map(key).collect::<Result<_>>()?,
        })
    }

    fn compare<S: AsRef<str>, T: AsRef<str>>(&self, a: &Place<S>, b: &Place<T>) -> Ordering {
        let values = self.keys.iter().zip(a.values.iter().zip(&b.values));
        values
            .map(|(key, (a, b))| key.compare(a, b))
            .find(|order| order.is_ne())
            .unwrap_or_else(|| a.id.cmp(&b.id))
    }

    /// The place of a point; `None` for one that is not in the order.
    fn place<'a>(
        &self,
        id: PointId,
        payload: &'a [u8],
        allowance: &Allowance<'_>,
    ) -> Result<Option<Place<&'a str>>> {
        let payload = ObjectRef::from_payload(payload)?;
        let mut values = Vec::with_capacity(self.keys.len());
        for (number, key) in self.keys.iter().enumerate() {
            let value = key.read(payload, allowance)?;
            if number == 0 && value.is_none() {
                return Ok(None);
            }
            values.push(value);
        }
        Ok(Some(Place { values, id }))
    }

    /// The place that a cursor names.
    fn cursor<'a>(&self, cursor: &'a SortCursor) -> Result<Place<&'a str>> {
        if cursor.values.len() != self.keys.len() {
            return Err(Error::InvalidRequest(format!(
                "the cursor has {} values, and the order {} keys: it is of another order",
                cursor.values.len(),
                self.keys.len()
            )));
        }
        let mut values = Vec::with_capacity(self.keys.len());
        for (number, (key, given)) in self.keys.iter().zip(&cursor.values).enumerate() {
            let value = key.kind.read_json(given);
            if value.is_none() && (number == 0 || !given.is_null()) {
                return Err(Error::InvalidRequest(format!(
                    "the cursor has no place by {:?}: {given} is no value of that key",
                    key.path.to_string()
                )));
            }
            values.push(value);
        }
        Ok(Place {
            values,
            id: cursor.id,
        })
    }
}

/// The points of a page, as far as they have been seen: those nearest to where it begins, or ends.
struct Page<'a> {
    order: &'a Order,
    bound: Option<Place<&'a str>>,
    backward: bool,
    want: usize,
    found: Vec<Candidate>,
    /// A point lies on the other side of the bound, or at it.
    behind: bool,
    allowance: &'a Allowance<'a>,
}

impl Page<'_> {
    /// Candidates that are kept beyond those wanted, so that not each one that comes is put in its place.
    const SLACK: usize = 1024;

    /// The order in which the page fills.
    fn toward<S: AsRef<str>, T: AsRef<str>>(&self, a: &Place<S>, b: &Place<T>) -> Ordering {
        let order = self.order.compare(a, b);
        if self.backward { order.reverse() } else { order }
    }

    fn show(&mut self, id: PointId, at: &Located) -> Result<()> {
        let Some(place) = self.order.place(id, at.payload()?, self.allowance)? else {
            return Ok(());
        };
        if let Some(bound) = &self.bound
            && self.toward(&place, bound).is_le()
        {
            self.behind = true;
            return Ok(());
        }
        let values = place
            .values
            .iter()
            .map(|value| value.as_ref().map(Scalar::to_owned));
        let candidate = Candidate {
            place: Place {
                values: values.collect(),
                id,
            },
            at: at.clone(),
        };
        self.allowance.take(candidate.bytes())?;
        self.found.push(candidate);
        if self.found.len() >= self.want.saturating_mul(2).max(Self::SLACK) {
            self.cut();
        }
        Ok(())
    }

    fn cut(&mut self) {
        let mut found = std::mem::take(&mut self.found);
        found.sort_unstable_by(|a, b| self.toward(&a.place, &b.place));
        let more = found.split_off(self.want.min(found.len()));
        self.allowance.give(more.iter().map(Candidate::bytes).sum());
        self.found = found;
    }
}

pub(crate) fn sort(view: &View, request: &SortRequest, allowance: &Allowance<'_>) -> Result<SortPage> {
    if request.limit == 0 {
        return Err(Error::InvalidRequest(
            "the limit of a page must be at least 1".into(),
        ));
    }
    within("limit of a page", MAX_LIMIT, request.limit)?;
    let schema = &view.tables.schema;
    fetch::check(schema, &request.select)?;
    let order = Order::new(request)?;
    let (bound, backward) = match &request.page {
        SortFrom::Start => (None, false),
        SortFrom::After(cursor) => (Some(order.cursor(cursor)?), false),
        SortFrom::Before(cursor) => (Some(order.cursor(cursor)?), true),
        SortFrom::End => (None, true),
    };
    let first = order.keys.first();
    let own = first.and_then(|key| key.kind.condition(schema, &key.path));
    let filters: Vec<&Filter> = request.filter.iter().chain(&own).collect();
    let filter = narrow(&filters, &[], &*view.tables.schema)?;
    let mut page = Page {
        order: &order,
        bound,
        backward,
        // One more than asked for says whether there are more.
        want: request.limit + 1,
        found: Vec::new(),
        behind: false,
        allowance,
    };
    let horizon = Horizon::At(view.lsn);
    matching::each(&view.tables, horizon, filter.as_ref(), allowance, |id, at| {
        page.show(id, &at)
    })?;
    page.cut();
    let (behind, mut found) = (page.behind, page.found);
    let ahead = found.len() > request.limit;
    found.truncate(request.limit);
    if backward {
        found.reverse();
    }
    let mut points = Vec::with_capacity(found.len());
    for Candidate { place, at } in &found {
        let record = fetch::record(schema, &request.select, (place.id, at), allowance)?;
        let value = |value: &Option<Scalar>| value.as_ref().map_or(Value::Null, Scalar::to_json);
        let values = place.values.iter().map(value).collect();
        points.push(SortedPoint { record, values });
    }
    let (before, after) = if backward {
        (ahead, behind)
    } else {
        (behind, ahead)
    };
    let (first, last) = (points.first(), points.last());
    Ok(SortPage {
        previous: first.filter(|_| before).map(SortedPoint::cursor),
        next: last.filter(|_| after).map(SortedPoint::cursor),
        points,
    })
}

#[cfg(test)]
mod tests;
