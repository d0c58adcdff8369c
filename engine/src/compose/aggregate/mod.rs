//! What the values at a payload path come to: how many, the least, the greatest, their sum, how many differ, how they are
//! spread; of all points that match, and of each value of another path.
//!
//! | file | what |
//! |---|---|
//! | `request.rs` | what is asked of values, and what they come to |
//! | `mod.rs` | the points that a request is about |
//! | `tally.rs` | what is known of the values that have been seen |
//! | `sum.rs` | sums that do not depend on the order of their terms |

mod request;
mod sum;
mod tally;

use std::collections::BTreeMap;

use vdb_storage::payload::ObjectRef;

use super::facet::FacetValue;
use super::narrow::narrow;
use super::value::{Gathered, ValueKind};
use crate::error::{Error, Result, within};
use crate::filter::{Filter, PayloadPath};
use crate::limits::{MAX_BUCKETS, MAX_LIMIT};
use crate::query::allowance::Allowance;
use crate::query::matching::{self, Horizon};
use crate::tables::View;
pub use request::{AggregateAnswer, AggregateGroup, AggregateRequest, Aggregates, Bucket, Histogram, Sum};
use tally::{Plan, Tally};

/// What an entry of the table of groups takes beside its tally and its text, about.
const ENTRY: usize = 96;

fn check(request: &AggregateRequest) -> Result<()> {
    let refuse = |what: String| Err(Error::InvalidRequest(what));
    if request.limit == 0 {
        return refuse("the limit of groups must be at least 1".into());
    }
    within("limit of groups", MAX_LIMIT, request.limit)?;
    // Seconds: no datetime is as far from 1970, and in microseconds they are far from where integers end.
    let most = 1e15;
    match &request.histogram {
        Some(_) if request.kind == ValueKind::Strings => {
            refuse("a histogram is of numbers or datetimes, not of strings".into())
        }
        Some(Histogram::Width { width, offset }) => {
            if !(*width > 0.0 && width.is_finite() && offset.is_finite()) {
                return refuse(format!(
                    "buckets need a finite width above 0 and a finite offset, got {width} and {offset}"
                ));
            }
            let datetimes = request.kind == ValueKind::Datetimes;
            if datetimes && (*width < 1e-6 || *width > most || offset.abs() > most) {
                return refuse(format!(
                    "buckets of datetimes are 1e-6 to {most:e} seconds wide and no further than that from 1970, got {width} and \
                     {offset}"
                ));
            }
            Ok(())
        }
        Some(Histogram::Edges(edges)) => {
            within(
                "buckets of a histogram",
                MAX_BUCKETS,
                edges.len().saturating_sub(1),
            )?;
            if edges.len() < 2
                || !edges.is_sorted_by(|a, b| a < b)
                || !edges.iter().all(|edge| edge.is_finite())
            {
                return refuse("the edges of a histogram are two or more finite numbers that ascend".into());
            }
            Ok(())
        }
        None => Ok(()),
    }
}

/// The tallies of all points and of each group.
struct Tallies<'a> {
    path: PayloadPath,
    kind: ValueKind,
    plan: Plan<'a>,
    by: Option<PayloadPath>,
    total: Tally,
    groups: BTreeMap<FacetValue, Tally>,
    allowance: &'a Allowance<'a>,
}

impl Tallies<'_> {
    fn point(&mut self, payload: &[u8]) -> Result<()> {
        let payload = ObjectRef::from_payload(payload)?;
        let mut gathered = Gathered::read(payload, &self.path, self.allowance, |value| {
            self.kind.read(value).map(|value| (value, 0))
        })?;
        let values = gathered.values();
        if values.is_empty() {
            return Ok(());
        }
        self.total.point(values, &self.plan, self.allowance)?;
        let Some(by) = &self.by else { return Ok(()) };
        let mut groups = Gathered::read(payload, by, self.allowance, |value| {
            FacetValue::read(value).map(FacetValue::with_heap)
        })?;
        let groups = groups.values();
        groups.sort_unstable();
        groups.dedup();
        for group in groups.drain(..) {
            let tally = match self.groups.get_mut(&group) {
                Some(tally) => tally,
                None => {
                    self.allowance.take(size_of::<Tally>() + ENTRY + group.heap())?;
                    self.groups.entry(group).or_insert_with(Tally::new)
                }
            };
            tally.point(values, &self.plan, self.allowance)?;
        }
        Ok(())
    }
}

pub(crate) fn aggregate(
    view: &View,
    request: &AggregateRequest,
    allowance: &Allowance<'_>,
) -> Result<AggregateAnswer> {
    check(request)?;
    let path = PayloadPath::parse(&request.path)?;
    let by = request.group_by.as_deref().map(PayloadPath::parse).transpose()?;
    let own = request.kind.condition(&view.tables.schema, &path);
    let filters: Vec<&Filter> = request.filter.iter().chain(&own).collect();
    let filter = narrow(&filters, &[], &*view.tables.schema)?;
    let mut tallies = Tallies {
        path,
        kind: request.kind,
        plan: Plan {
            distinct: request.distinct,
            histogram: request.histogram.as_ref(),
        },
        by,
        total: Tally::new(),
        groups: BTreeMap::new(),
        allowance,
    };
    let horizon = Horizon::At(view.lsn);
    matching::each(&view.tables, horizon, filter.as_ref(), allowance, |_, at| {
        tallies.point(at.payload()?)
    })?;
    let Tallies {
        plan, total, groups, ..
    } = tallies;
    let mut groups: Vec<(FacetValue, Tally)> = groups.into_iter().collect();
    // Values of one count stay in their order.
    groups.sort_by_key(|(_, tally)| std::cmp::Reverse(tally.points()));
    groups.truncate(request.limit);
    let group = |(value, tally): (FacetValue, Tally)| AggregateGroup {
        value,
        aggregates: tally.finish(&plan),
    };
    Ok(AggregateAnswer {
        groups: groups.into_iter().map(group).collect(),
        total: total.finish(&plan),
    })
}

#[cfg(test)]
mod tests;
