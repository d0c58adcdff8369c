//! How many rows match a filter, from the sizes that indexes know without reading rows.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::ptr;

use vdb_index::{
    Result,
    postings::{Class, Estimate, PostingsFile},
};

use super::{
    IndexLookup,
    leaf::{Leaf, Part, asks_for_some_value, lone_condition},
};
use crate::filter::compile::{Clauses, Field, Node};

/// `min_should` is estimated with independent conditions up to this many of them times its count.
const MOST_COUNTED: usize = 4096;

/// Estimates of the conditions of a filter, each made once: a filter within others is asked about by each of these.
pub(super) struct Estimates<'a> {
    pub(super) indexes: &'a dyn IndexLookup,
    made: RefCell<HashMap<Place<'a>, Estimate>>,
}

/// A condition by where it is: which of them are equal does not matter.
struct Place<'a>(&'a Node);

impl PartialEq for Place<'_> {
    fn eq(&self, other: &Self) -> bool {
        ptr::eq(self.0, other.0)
    }
}

impl Eq for Place<'_> {}

impl Hash for Place<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        ptr::hash(self.0, state);
    }
}

impl<'a> Estimates<'a> {
    pub(super) fn new(indexes: &'a dyn IndexLookup) -> Self {
        Self {
            indexes,
            made: RefCell::default(),
        }
    }

    pub(super) fn clauses(&self, clauses: &'a Clauses) -> Result<Estimate> {
        let Clauses {
            must,
            should,
            must_not,
            min_should,
        } = clauses;
        let rows = u64::from(self.indexes.rows());
        let mut estimate = Estimate::exactly(rows);
        for node in must {
            estimate = and(estimate, self.node(node)?, rows);
        }
        for node in must_not {
            estimate = and(estimate, not(self.node(node)?, rows), rows);
        }
        if let Some(nodes) = should {
            estimate = and(estimate, self.at_least(1, nodes)?, rows);
        }
        if let Some((nodes, count)) = min_should {
            estimate = and(estimate, self.at_least(*count, nodes)?, rows);
        }
        Ok(estimate)
    }

    pub(super) fn node(&self, node: &'a Node) -> Result<Estimate> {
        if let Some(made) = self.made.borrow().get(&Place(node)) {
            return Ok(*made);
        }
        let estimate = self.make(node)?;
        self.made.borrow_mut().insert(Place(node), estimate);
        Ok(estimate)
    }

    fn make(&self, node: &'a Node) -> Result<Estimate> {
        let rows = u64::from(self.indexes.rows());
        match node {
            Node::Field(field) => self.field(field),
            // A segment has some of the ids, and which is not worth looking up.
            Node::HasId(ids) => {
                let max = rows.min(ids.len() as u64);
                Ok(Estimate {
                    min: 0,
                    expected: max,
                    max,
                })
            }
            Node::HasVector(name) => {
                let known = self.indexes.count_with_vector(name);
                Ok(known.map_or_else(|| unknown(rows), Estimate::exactly))
            }
            Node::Slice(slice) => Ok(Estimate {
                min: 0,
                expected: rows / u64::from(slice.total.max(1)),
                max: rows,
            }),
            Node::Nested { clauses, .. } => match lone_condition(clauses) {
                Some(field) => self.field(field),
                None => self.nested(clauses),
            },
            Node::Filter(clauses) => self.clauses(clauses),
        }
    }

    fn field(&self, field: &Field) -> Result<Estimate> {
        match self.indexes.postings(&field.full_path) {
            // What an area has to do with an index can take a millisecond, and there may be many of them.
            Some(_) if self.indexes.is_over() => Err(vdb_index::Error::Cancelled),
            Some(index) => leaf(&Leaf::new(&field.test, index)?, index),
            None => Ok(unknown(u64::from(self.indexes.rows()))),
        }
    }

    /// One object has to satisfy what several may satisfy together, so that only the maximum of a condition that some
    /// object satisfies carries over.
    fn nested(&self, clauses: &'a Clauses) -> Result<Estimate> {
        let together = self.clauses(clauses)?;
        let mut max = u64::from(self.indexes.rows());
        for node in &clauses.must {
            if let Node::Field(field) = node
                && asks_for_some_value(&field.test)
            {
                max = max.min(self.node(node)?.max);
            }
        }
        Ok(Estimate {
            min: 0,
            expected: together.expected.min(max),
            max,
        })
    }

    fn at_least(&self, count: usize, nodes: &'a [Node]) -> Result<Estimate> {
        let rows = u64::from(self.indexes.rows());
        if count > nodes.len() {
            return Ok(Estimate::exactly(0));
        }
        let estimates: Vec<_> = nodes.iter().map(|node| self.node(node)).collect::<Result<_>>()?;
        if count == 1 {
            return Ok(estimates
                .into_iter()
                .fold(Estimate::exactly(0), |sum, estimate| or(sum, estimate, rows)));
        }
        // Every row that matches takes `count` of all matches of the conditions.
        let matches = estimates
            .iter()
            .fold(0_u64, |sum, estimate| sum.saturating_add(estimate.max));
        let max = rows.min(matches / count as u64);
        if count.saturating_mul(nodes.len()) > MOST_COUNTED {
            return Ok(Estimate {
                min: 0,
                expected: max / 2,
                max,
            });
        }
        // chance[n] is the chance that n of the conditions so far hold, or `count` and more for the last one.
        let mut chance = vec![0.0; count];
        chance.insert(0, 1.0);
        for estimate in estimates {
            let holds = share(estimate, rows);
            let mut carried = 0.0;
            for (n, slot) in chance.iter_mut().enumerate() {
                let moves = if n == count { 0.0 } else { *slot * holds };
                *slot += carried - moves;
                carried = moves;
            }
        }
        let expected = chance.last().copied().unwrap_or_default() * rows as f64;
        Ok(Estimate {
            min: 0,
            expected: (expected.round() as u64).min(max),
            max,
        })
    }
}

fn unknown(rows: u64) -> Estimate {
    Estimate {
        min: 0,
        expected: rows / 2,
        max: rows,
    }
}

fn leaf(leaf: &Leaf<'_>, index: &PostingsFile) -> Result<Estimate> {
    let rows = u64::from(index.rows());
    let certain = union(&leaf.certain, index)?;
    let maybe = union(&leaf.maybe, index)?;
    let either = or(certain, maybe, rows);
    // Half of the rows that may match, for want of knowing.
    let expected = certain.expected.midpoint(either.expected);
    let estimate = Estimate {
        min: certain.min,
        expected,
        max: either.max,
    };
    Ok(if leaf.negated {
        not(estimate, rows)
    } else {
        estimate
    })
}

/// Whether no row of the index is left to be asked: values that it does not hold are often possible and not there.
pub(super) fn is_exact(leaf: &Leaf<'_>, index: &PostingsFile) -> Result<bool> {
    Ok(union(&leaf.maybe, index)?.max == 0)
}

fn union(parts: &[Part<'_>], index: &PostingsFile) -> Result<Estimate> {
    let rows = u64::from(index.rows());
    parts.iter().try_fold(Estimate::exactly(0), |sum, part| {
        Ok(or(sum, self::part(part, index)?, rows))
    })
}

fn part(part: &Part<'_>, index: &PostingsFile) -> Result<Estimate> {
    let len = |class| u64::from(index.class_len(class));
    match part {
        Part::Any(keys) => index.estimate_any_of(keys.iter().copied()),
        Part::OtherThan(keys) => {
            let any = index.estimate_any_of(keys.iter().copied())?;
            let (none, beside) = (not(any, len(Class::Present)), several(any, index));
            Ok(Estimate {
                min: none.min,
                expected: none.expected + beside.expected.min(any.expected),
                max: (none.max + beside.max).min(len(Class::Present)),
            })
        }
        Part::SeveralOf(keys) => Ok(several(index.estimate_any_of(keys.iter().copied())?, index)),
        Part::Range(start, end) => index.estimate_range(*start, *end),
        Part::Keys(keys) => index.estimate_rows_of(keys),
        Part::Prefix(prefix) => index.estimate_prefix(prefix),
        Part::AllOf(tokens) => index.estimate_all_of(tokens.iter().copied()),
        Part::Phrase(tokens) => index.estimate_phrase(tokens),
        Part::Values(limits, within) => {
            let found = index.estimate_with_values(&|values| limits.contains(values));
            Ok(if *within {
                found
            } else {
                not(found, len(Class::Filled))
            })
        }
        Part::Class(class) => Ok(Estimate::exactly(len(*class))),
    }
}

/// Of rows with one of some keys, those that have several keys.
fn several(any: Estimate, index: &PostingsFile) -> Estimate {
    let max = any.max.min(u64::from(index.class_len(Class::Multiple)));
    Estimate {
        min: 0,
        expected: any.expected.min(max),
        max,
    }
}

/// Of `rows`, those that are not estimated.
fn not(estimate: Estimate, rows: u64) -> Estimate {
    let Estimate { min, expected, max } = estimate;
    Estimate {
        min: rows.saturating_sub(max),
        expected: rows.saturating_sub(expected),
        max: rows.saturating_sub(min),
    }
}

fn and(a: Estimate, b: Estimate, rows: u64) -> Estimate {
    let min = (a.min + b.min).saturating_sub(rows);
    let max = a.max.min(b.max);
    let expected = share(a, rows) * share(b, rows) * rows as f64;
    Estimate {
        min,
        expected: (expected.round() as u64).clamp(min, max),
        max,
    }
}

fn or(a: Estimate, b: Estimate, rows: u64) -> Estimate {
    not(and(not(a, rows), not(b, rows), rows), rows)
}

/// The expected part of all rows.
fn share(estimate: Estimate, rows: u64) -> f64 {
    if rows == 0 {
        0.0
    } else {
        estimate.expected as f64 / rows as f64
    }
}
