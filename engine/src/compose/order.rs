//! Points in the order of a payload value.

mod indexed;

use std::cmp::Ordering;

use vdb_storage::PointId;
use vdb_storage::payload::{ObjectRef, ValueRef};

use super::kind::OrderBy;
use super::narrow::narrow;
use super::run::Found;
use super::value::Gathered;
use crate::error::{Error, Result};
use crate::filter::{Condition, Datetime, Filter, PayloadPath};
use crate::payload::PayloadIndexKind;
use crate::point::OrderValue;
use crate::query::allowance::Allowance;
use crate::query::matching::{self, Horizon};
use crate::query::rows::SegmentRows;
use crate::schema::Schema;
use crate::tables::{Located, View};

/// The order of values: numbers, then datetimes.
pub(super) fn compare(a: OrderValue, b: OrderValue) -> Ordering {
    match (a, b) {
        (OrderValue::Integer(a), OrderValue::Integer(b)) => a.cmp(&b),
        (OrderValue::Float(a), OrderValue::Float(b)) => (a + 0.0).total_cmp(&(b + 0.0)),
        (OrderValue::Integer(a), OrderValue::Float(b)) => integer_with_float(a, b),
        (OrderValue::Float(a), OrderValue::Integer(b)) => integer_with_float(b, a).reverse(),
        (OrderValue::Datetime(a), OrderValue::Datetime(b)) => a.cmp(&b),
        (OrderValue::Integer(_) | OrderValue::Float(_), OrderValue::Datetime(_)) => Ordering::Less,
        (OrderValue::Datetime(_), OrderValue::Integer(_) | OrderValue::Float(_)) => Ordering::Greater,
    }
}

/// Without rounding the integer.
fn integer_with_float(integer: i64, float: f64) -> Ordering {
    let nearest = (integer as f64).total_cmp(&(float + 0.0));
    // Where the nearest float is equal, that is a whole number, perhaps just beyond the integers.
    nearest.then_with(|| i128::from(integer).cmp(&(float as i128)))
}

/// Which values count.
#[derive(Clone, Copy)]
enum Kinds {
    All,
    Integers,
    Numbers,
    Datetimes,
}

/// What is ordered by.
pub(super) struct Order<'a> {
    by: &'a OrderBy,
    path: PayloadPath,
    kinds: Kinds,
    /// The payload index that knows all values which count.
    index: Option<u16>,
}

impl<'a> Order<'a> {
    pub(super) fn new(schema: &Schema, by: &'a OrderBy) -> Result<Self> {
        let path = PayloadPath::parse(&by.path)?;
        let is_nan = |value: Option<OrderValue>| matches!(value, Some(OrderValue::Float(x)) if x.is_nan());
        if is_nan(by.start_from) || is_nan(by.after.map(|(value, _)| value)) {
            return Err(Error::InvalidRequest(
                "the value that an order starts from must be a number, got NaN".into(),
            ));
        }
        let text = path.to_string();
        let index = schema.payload_indexes.iter().find(|index| index.path == text);
        let kinds = match index.map(|index| index.params.kind) {
            Some(PayloadIndexKind::Integer) => Kinds::Integers,
            Some(PayloadIndexKind::Float) => Kinds::Numbers,
            Some(PayloadIndexKind::Datetime) => Kinds::Datetimes,
            Some(_) | None => Kinds::All,
        };
        let index = index.filter(|_| !matches!(kinds, Kinds::All));
        Ok(Order {
            by,
            path,
            kinds,
            index: index.map(|index| index.number),
        })
    }

    fn read(&self, value: ValueRef<'_>) -> Option<OrderValue> {
        let read = match value {
            ValueRef::I64(number) => OrderValue::Integer(number),
            ValueRef::U64(number) => OrderValue::Float(number as f64),
            ValueRef::F64(number) if !number.is_nan() => OrderValue::Float(number + 0.0),
            ValueRef::Str(text) => OrderValue::Datetime(Datetime::parse(text)?),
            ValueRef::F64(_)
            | ValueRef::Null
            | ValueRef::Bool(_)
            | ValueRef::Array(_)
            | ValueRef::Object(_) => return None,
        };
        let counts = match self.kinds {
            Kinds::All => true,
            Kinds::Integers => matches!(read, OrderValue::Integer(_)),
            Kinds::Numbers => !matches!(read, OrderValue::Datetime(_)),
            Kinds::Datetimes => matches!(read, OrderValue::Datetime(_)),
        };
        counts.then_some(read)
    }

    fn directed(&self, a: OrderValue, b: OrderValue) -> Ordering {
        let order = compare(a, b);
        if self.by.descending {
            order.reverse()
        } else {
            order
        }
    }

    fn has_started(&self, value: OrderValue, id: PointId) -> bool {
        let starts = |start| self.directed(value, start).is_ge();
        let is_after =
            |(last, point): (OrderValue, PointId)| self.directed(value, last).then(id.cmp(&point)).is_gt();
        self.by.start_from.is_none_or(starts) && self.by.after.is_none_or(is_after)
    }

    /// Calls `found` with every value of a point that is in the order, each once.
    fn each(
        &self,
        id: PointId,
        at: &Located,
        allowance: &Allowance<'_>,
        found: impl FnMut(OrderValue) -> Result<()>,
    ) -> Result<()> {
        let payload = ObjectRef::from_payload(at.payload()?)?;
        let mut gathered = Gathered::read(payload, &self.path, allowance, |value| {
            let value = self.read(value).filter(|&value| self.has_started(value, id))?;
            Some((value, 0))
        })?;
        let values = gathered.values();
        values.sort_unstable_by(|&a, &b| self.directed(a, b));
        values.dedup_by(|a, b| compare(*a, *b).is_eq());
        values.iter().copied().try_for_each(found)
    }

    /// What a point must match to be in the order, where an index knows.
    fn condition(&self) -> Option<Filter> {
        let path = self.path.to_string();
        let condition = match self.kinds {
            Kinds::All => return None,
            Kinds::Integers | Kinds::Numbers => Condition::range(path, ..),
            Kinds::Datetimes => Condition::datetime_range(path, ..),
        };
        Some(Filter::must([condition]))
    }
}

/// The first of an order, as far as they have been seen.
struct First<'a> {
    order: &'a Order<'a>,
    want: usize,
    found: Vec<Found>,
    allowance: &'a Allowance<'a>,
}

impl<'a> First<'a> {
    /// Entries that are kept beyond those wanted, so that not each one that comes is put in its place.
    const SLACK: usize = 1024;

    fn new(order: &'a Order<'a>, want: usize, allowance: &'a Allowance<'a>) -> Self {
        First {
            order,
            want,
            found: Vec::new(),
            allowance,
        }
    }

    fn show(&mut self, id: PointId, at: &Located) -> Result<()> {
        let order = self.order;
        order.each(id, at, self.allowance, |value| {
            self.allowance.beat()?;
            self.found.push(Found {
                id,
                at: at.clone(),
                score: 1.0,
                order: Some(value),
            });
            self.allowance.take(size_of::<Found>())?;
            if self.found.len() >= self.want.saturating_mul(2).max(Self::SLACK) {
                self.cut();
            }
            Ok(())
        })
    }

    fn cut(&mut self) {
        let order = self.order;
        self.found.sort_unstable_by(|a, b| order.entries(a, b));
        let more = self.found.len().saturating_sub(self.want);
        self.allowance.give(more * size_of::<Found>());
        self.found.truncate(self.want);
    }

    fn finish(mut self) -> Vec<Found> {
        self.cut();
        self.found
    }
}

impl Order<'_> {
    fn entries(&self, a: &Found, b: &Found) -> Ordering {
        let values = a.order.zip(b.order).map(|(a, b)| self.directed(a, b));
        values.unwrap_or(Ordering::Equal).then(a.id.cmp(&b.id))
    }
}

/// The first `want` of all points that match.
pub(super) fn of_all(
    view: &View,
    by: &OrderBy,
    (filters, without): (&[&Filter], &[PointId]),
    want: usize,
    allowance: &Allowance<'_>,
) -> Result<Vec<Found>> {
    let order = Order::new(&view.tables.schema, by)?;
    let own = order.condition();
    let filters: Vec<&Filter> = filters.iter().copied().chain(&own).collect();
    let filter = narrow(&filters, without, &*view.tables.schema)?;
    let mut first = First::new(&order, want, allowance);
    let (schema, horizon) = (&view.tables.schema, Horizon::At(view.lsn));
    matching::each_fresh(&view.tables, horizon, filter.as_ref(), allowance, |id, at| {
        first.show(id, &at)
    })?;
    for segment in &view.tables.segments {
        let rows = SegmentRows::new(schema, segment, horizon, filter.as_ref(), allowance)?;
        let mut show = |row: u32| match segment.points.id(row) {
            Some(id) => first.show(id, &Located::Segment(segment.clone(), row)),
            None => Ok(()),
        };
        match order.first_rows(segment, &rows, want, allowance)? {
            Some(some) => some.iter().try_for_each(show)?,
            None => rows.each(&mut show)?,
        }
    }
    Ok(first.finish())
}

/// The first `want` of these points.
pub(super) fn of(
    view: &View,
    by: &OrderBy,
    points: impl Iterator<Item = (PointId, Located)>,
    want: usize,
    allowance: &Allowance<'_>,
) -> Result<Vec<Found>> {
    let order = Order::new(&view.tables.schema, by)?;
    let mut first = First::new(&order, want, allowance);
    for (id, at) in points {
        allowance.beat()?;
        first.show(id, &at)?;
    }
    Ok(first.finish())
}

#[cfg(test)]
mod tests;
