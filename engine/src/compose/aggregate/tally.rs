//! What is known of the values that have been seen.

use std::collections::{BTreeMap, BTreeSet};

use super::sum::ExactSum;
use super::{Aggregates, Bucket, Histogram, Sum};
use crate::compose::value::Scalar;
use crate::error::Result;
use crate::query::allowance::Allowance;

/// What an entry of a set or a map takes beside its key, about.
const ENTRY: usize = 64;
const MICROS: f64 = 1e6;

/// What is asked of the values.
pub(super) struct Plan<'a> {
    pub(super) distinct: bool,
    pub(super) histogram: Option<&'a Histogram>,
}

/// The values of all points, or of a group.
pub(super) struct Tally {
    points: u64,
    values: u64,
    numbers: u64,
    integers: i128,
    /// The sum of the numbers that are no integers, once there is one.
    floats: Option<Box<ExactSum>>,
    min: Option<Scalar>,
    max: Option<Scalar>,
    distinct: BTreeSet<Scalar>,
    /// Values by the number of their bucket.
    buckets: BTreeMap<Scalar, u64>,
}

impl Tally {
    pub(super) fn new() -> Self {
        Tally {
            points: 0,
            values: 0,
            numbers: 0,
            integers: 0,
            floats: None,
            min: None,
            max: None,
            distinct: BTreeSet::new(),
            buckets: BTreeMap::new(),
        }
    }

    pub(super) fn points(&self) -> u64 {
        self.points
    }

    /// Counts the values of a point, of which there is one at least.
    pub(super) fn point(
        &mut self,
        values: &[Scalar<&str>],
        plan: &Plan<'_>,
        allowance: &Allowance<'_>,
    ) -> Result<()> {
        self.points += 1;
        values.iter().try_for_each(|value| {
            allowance.beat()?;
            self.value(value, plan, allowance)
        })
    }

    fn value(&mut self, value: &Scalar<&str>, plan: &Plan<'_>, allowance: &Allowance<'_>) -> Result<()> {
        self.values += 1;
        match value {
            Scalar::Integer(integer) => {
                self.numbers += 1;
                // Fewer than 2^63 values, each below 2^64.
                self.integers += integer;
            }
            Scalar::Float(float) => {
                self.numbers += 1;
                if self.floats.is_none() {
                    allowance.take(size_of::<ExactSum>())?;
                }
                self.floats
                    .get_or_insert_with(|| Box::new(ExactSum::new()))
                    .add(*float);
            }
            Scalar::Bool(_) | Scalar::Datetime(_) | Scalar::String(_) => {}
        }
        replace(&mut self.min, value, allowance, |new, old| {
            new.compare(old).is_lt()
        })?;
        replace(&mut self.max, value, allowance, |new, old| {
            new.compare(old).is_gt()
        })?;
        if plan.distinct {
            let owned = value.to_owned();
            if !self.distinct.contains(&owned) {
                allowance.take(size_of::<Scalar>() + ENTRY + owned.heap())?;
                self.distinct.insert(owned);
            }
        }
        if let Some(bucket) = plan.histogram.and_then(|histogram| histogram.bucket(value)) {
            match self.buckets.get_mut(&bucket) {
                Some(count) => *count += 1,
                None => {
                    allowance.take(size_of::<Scalar>() + ENTRY)?;
                    self.buckets.insert(bucket, 1);
                }
            }
        }
        Ok(())
    }

    pub(super) fn finish(self, plan: &Plan<'_>) -> Aggregates {
        let sum = match self.floats {
            _ if self.numbers == 0 => None,
            None => Some(Sum::Integer(self.integers)),
            Some(mut floats) => {
                floats.add_integer(self.integers);
                Some(Sum::Float(floats.rounded()))
            }
        };
        Aggregates {
            points: self.points,
            values: self.values,
            min: self.min.as_ref().map(Scalar::to_json),
            max: self.max.as_ref().map(Scalar::to_json),
            sum,
            avg: sum.map(|sum| sum.to_f64() / self.numbers as f64),
            distinct: plan.distinct.then_some(self.distinct.len() as u64),
            histogram: plan.histogram.map(|histogram| histogram.buckets(&self.buckets)),
        }
    }
}

/// Puts a value in the place of another that it `beats`.
fn replace(
    kept: &mut Option<Scalar>,
    value: &Scalar<&str>,
    allowance: &Allowance<'_>,
    beats: impl Fn(&Scalar<&str>, &Scalar) -> bool,
) -> Result<()> {
    if kept.as_ref().is_none_or(|kept| beats(value, kept)) {
        allowance.give(kept.as_ref().map_or(0, Scalar::heap));
        allowance.take(value.heap())?;
        *kept = Some(value.to_owned());
    }
    Ok(())
}

impl Histogram {
    /// The number of the bucket of a value: whole, and for datetimes counted in whole microseconds.
    fn bucket(&self, value: &Scalar<&str>) -> Option<Scalar> {
        match value {
            Scalar::Integer(integer) => self.bucket_of(*integer as f64),
            Scalar::Float(float) => self.bucket_of(*float),
            Scalar::Datetime(at) => self.bucket_of_micros(at.micros()),
            Scalar::Bool(_) | Scalar::String(_) => None,
        }
    }

    fn bucket_of(&self, x: f64) -> Option<Scalar> {
        match self {
            Histogram::Width { width, offset } => {
                let mut number = ((x - offset) / width).floor();
                // Where the quotient was rounded across an edge.
                if x < edge(number, *width, *offset) {
                    number -= 1.0;
                } else if x >= edge(number + 1.0, *width, *offset) {
                    number += 1.0;
                }
                number.is_finite().then_some(Scalar::Float(number))
            }
            Histogram::Edges(edges) => {
                let after = edges.partition_point(|edge| *edge <= x);
                (1..edges.len())
                    .contains(&after)
                    .then_some(Scalar::Integer(after as i128 - 1))
            }
        }
    }

    fn bucket_of_micros(&self, at: i64) -> Option<Scalar> {
        match self {
            Histogram::Width { width, offset } => {
                // Checked to be within what there are datetimes for.
                let (width, offset) = (micros(*width).max(1), micros(*offset));
                Some(Scalar::Float((i128::from(at) - offset).div_euclid(width) as f64))
            }
            Histogram::Edges(edges) => {
                let after = edges.partition_point(|edge| micros(*edge) <= i128::from(at));
                (1..edges.len())
                    .contains(&after)
                    .then_some(Scalar::Integer(after as i128 - 1))
            }
        }
    }

    fn buckets(&self, counts: &BTreeMap<Scalar, u64>) -> Vec<Bucket> {
        match self {
            Histogram::Width { width, offset } => {
                let bucket = |(number, &count): (&Scalar, &u64)| {
                    let number = match number {
                        Scalar::Float(number) => *number,
                        Scalar::Integer(_) | Scalar::Bool(_) | Scalar::Datetime(_) | Scalar::String(_) => {
                            return None;
                        }
                    };
                    let (from, to) = (edge(number, *width, *offset), edge(number + 1.0, *width, *offset));
                    Some(Bucket { from, to, count })
                };
                counts.iter().filter_map(bucket).collect()
            }
            Histogram::Edges(edges) => {
                let pairs = edges.iter().zip(edges.iter().skip(1)).enumerate();
                let bucket = |(number, (&from, &to)): (usize, (&f64, &f64))| {
                    let count = counts.get(&Scalar::Integer(number as i128)).copied().unwrap_or(0);
                    Bucket { from, to, count }
                };
                pairs.map(bucket).collect()
            }
        }
    }
}

fn edge(number: f64, width: f64, offset: f64) -> f64 {
    offset + number * width
}

fn micros(seconds: f64) -> i128 {
    (seconds * MICROS).round() as i128
}
