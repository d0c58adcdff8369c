//! How a filter would be answered, told and not done.

use std::fmt;
use std::sync::Arc;

use serde_json::{Value, json};
use vdb_index::postings::Estimate;

use crate::error::Result;
use crate::filter::{CompiledFilter, ConditionPlan, Filter, ServedBy, plan_of_conditions};
use crate::query::allowance::Allowance;
use crate::query::matching::{self, Horizon};
use crate::query::partition::Partition;
use crate::query::rows::{self, SegmentRows, WatchedLookup};
use crate::schema::{Schema, VectorSchema};
use crate::segment::Segment;
use crate::tables::View;

/// How a collection would find the points of a filter: what [`Collection::explain`](crate::Collection::explain) returns.
/// [`Display`](fmt::Display) writes it in lines for people, [`to_json`](Self::to_json) as an object.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Explanation {
    /// About how many points match.
    pub estimate: Estimate,
    /// How many do, where it was asked.
    pub count: Option<u64>,
    /// Points that are in no segment yet, each of which is asked.
    pub in_memory: u64,
    /// What each segment would do, in the order they were made.
    pub segments: Vec<SegmentPlan>,
}

/// How one segment would find its rows.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SegmentPlan {
    /// The segment, as [`SegmentInfo`](crate::SegmentInfo) names it.
    pub id: u64,
    /// Its rows, deleted ones included.
    pub rows: u64,
    /// How many of them are deleted.
    pub deleted: u64,
    /// About how many match, deleted ones included.
    pub estimate: Estimate,
    /// How rows are found.
    pub access: Access,
    /// The conditions, and what serves each. Empty for a filter without any, and where an index is damaged.
    pub conditions: Vec<ConditionPlan>,
    /// The named vectors that some of its rows have, and what a search for the nearest has of them.
    pub vectors: Vec<VectorPlan>,
    /// The graphs among rows of one value that searches for near vectors walk, where walking pays.
    pub partitions: Vec<PartitionPlan>,
}

/// What a search for the nearest has of one named vector in a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VectorPlan {
    /// The name; empty for the default vector.
    pub name: String,
    /// Rows that have the vector, deleted ones included.
    pub rows: u64,
    /// How they are searched, unless few of them may be found, or an exact search is asked for.
    pub searched_by: SearchedBy,
}

/// How the vectors of a segment are searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SearchedBy {
    /// By a graph: over the vectors, or over encodings of multivectors.
    Graph,
    /// By an inverted index over sparse vectors.
    InvertedIndex,
    /// Each that may be found is scored.
    Scan,
}

impl SearchedBy {
    /// `graph`, `inverted_index` or `scan`.
    pub fn name(self) -> &'static str {
        match self {
            SearchedBy::Graph => "graph",
            SearchedBy::InvertedIndex => "inverted_index",
            SearchedBy::Scan => "scan",
        }
    }
}

/// A graph among the rows of one payload value, all of which the filter asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartitionPlan {
    /// The vector that it is over.
    pub vector: String,
    /// The payload path of the value.
    pub path: String,
    /// Rows that have the value and the vector, deleted ones included.
    pub rows: u64,
    /// Whether the filter asks for nothing else.
    pub is_all: bool,
}

/// How the rows of a segment are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// Every row that is not deleted matches.
    All,
    /// Indexes name the rows, and no payload is read.
    Indexes {
        /// Rows named, deleted ones included.
        rows: u64,
    },
    /// Indexes name rows, of which each is asked.
    Candidates {
        /// Rows named, deleted ones included.
        rows: u64,
    },
    /// Every row is asked.
    Scan,
}

pub(crate) fn explain(
    view: &View,
    filter: &Filter,
    counted: bool,
    allowance: &Allowance<'_>,
) -> Result<Explanation> {
    let schema = &view.tables.schema;
    let compiled = CompiledFilter::new(filter, &**schema)?;
    let horizon = Horizon::At(view.lsn);
    let plan = |segment: &Arc<Segment>| {
        allowance.check()?;
        let found = SegmentRows::new(schema, segment, horizon, Some(&compiled), allowance)?;
        let access = match (found.listed(), found.reads_payloads()) {
            (Some(rows), false) => Access::Indexes { rows: rows.len() },
            (Some(rows), true) => Access::Candidates { rows: rows.len() },
            (None, false) => Access::All,
            (None, true) => Access::Scan,
        };
        let conditions = match plan_of_conditions(&compiled, &WatchedLookup::new(schema, segment, allowance))
        {
            Err(vdb_index::Error::Cancelled) => return Err(allowance.over()),
            planned => planned.unwrap_or_default(),
        };
        // Of many conditions within each other the places alone are long.
        allowance.take(conditions.iter().map(ConditionPlan::bytes).sum())?;
        Ok(SegmentPlan {
            id: segment.record.id,
            rows: segment.rows().into(),
            deleted: segment.deletions.dead_at(view.lsn),
            estimate: rows::bounds(schema, segment, Some(&compiled), allowance)?,
            access,
            conditions,
            vectors: vectors(schema, segment),
            partitions: partitions(schema, segment, &compiled),
        })
    };
    Ok(Explanation {
        estimate: matching::estimate(view, filter, allowance)?,
        count: counted
            .then(|| matching::count(view, Some(filter), allowance))
            .transpose()?,
        in_memory: matching::count_in_memory(view, None, allowance)?,
        segments: view.tables.segments.iter().map(plan).collect::<Result<_>>()?,
    })
}

fn vectors(schema: &Schema, segment: &Segment) -> Vec<VectorPlan> {
    let plan = |(slot, vector): (usize, &VectorSchema)| {
        let rows = segment.rows_with_vector(slot);
        (rows > 0).then(|| VectorPlan {
            name: vector.name.clone(),
            rows: rows.into(),
            searched_by: match (segment.graph(slot), segment.is_indexed(slot)) {
                (Some(_), _) => SearchedBy::Graph,
                (None, true) => SearchedBy::InvertedIndex,
                (None, false) => SearchedBy::Scan,
            },
        })
    };
    schema.vectors().filter_map(plan).collect()
}

/// What searches of each vector walk.
fn partitions(schema: &Schema, segment: &Segment, filter: &CompiledFilter) -> Vec<PartitionPlan> {
    let partition = |(slot, vector): (usize, &VectorSchema)| {
        let found = Partition::of(schema, segment, segment.vectors(slot)?, Some(filter))?;
        Some(PartitionPlan {
            vector: vector.name.clone(),
            path: found.path.to_owned(),
            rows: found.view.len().into(),
            is_all: found.is_all,
        })
    };
    schema.vectors().filter_map(partition).collect()
}

impl Explanation {
    /// The object `{"estimate": {"min", "expected", "max"}, "count", "in_memory", "segments": [{"id", "rows", "deleted",
    /// "estimate", "access", "candidates", "conditions": [{"place", "path", "served_by", "exact", "rows"}], "vectors": [{"name", "rows",
    /// "searched_by"}], "partitions": [{"vector", "path", "rows", "all"}]}]}`. `access`
    /// is `all`, `indexes`, `candidates` or `scan`; `served_by` a kind of index, `ids`, `vectors` or null; `searched_by` a
    /// [`SearchedBy`].
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "estimate": estimate_to_json(self.estimate),
            "count": self.count,
            "in_memory": self.in_memory,
            "segments": self.segments.iter().map(SegmentPlan::to_json).collect::<Value>(),
        })
    }
}

impl SegmentPlan {
    fn to_json(&self) -> Value {
        let (access, candidates) = match self.access {
            Access::All => ("all", None),
            Access::Indexes { rows } => ("indexes", Some(rows)),
            Access::Candidates { rows } => ("candidates", Some(rows)),
            Access::Scan => ("scan", None),
        };
        let condition = |condition: &ConditionPlan| {
            json!({
                "place": condition.place,
                "path": condition.path,
                "served_by": name(condition.served_by),
                "exact": condition.exact,
                "rows": estimate_to_json(condition.rows),
            })
        };
        let vector = |vector: &VectorPlan| {
            json!({
                "name": vector.name,
                "rows": vector.rows,
                "searched_by": vector.searched_by.name(),
            })
        };
        let partition = |partition: &PartitionPlan| {
            json!({
                "vector": partition.vector,
                "path": partition.path,
                "rows": partition.rows,
                "all": partition.is_all,
            })
        };
        json!({
            "id": self.id,
            "rows": self.rows,
            "deleted": self.deleted,
            "estimate": estimate_to_json(self.estimate),
            "access": access,
            "candidates": candidates,
            "conditions": self.conditions.iter().map(condition).collect::<Value>(),
            "vectors": self.vectors.iter().map(vector).collect::<Value>(),
            "partitions": self.partitions.iter().map(partition).collect::<Value>(),
        })
    }
}

fn estimate_to_json(estimate: Estimate) -> Value {
    json!({ "min": estimate.min, "expected": estimate.expected, "max": estimate.max })
}

fn name(served_by: ServedBy) -> Option<&'static str> {
    match served_by {
        ServedBy::Index(kind) => Some(kind.name()),
        ServedBy::Ids => Some("ids"),
        ServedBy::Vectors => Some("vectors"),
        ServedBy::Nothing => None,
    }
}

/// An estimate in words.
struct About(Estimate);

impl fmt::Display for About {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Estimate { min, expected, max } = self.0;
        if min == max {
            write!(out, "{expected}")
        } else {
            write!(out, "about {expected} ({min} to {max})")
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "points: {}", About(self.estimate))?;
        if let Some(count) = self.count {
            write!(out, ", counted {count}")?;
        }
        write!(out, "\nin memory: {} points, each asked", self.in_memory)?;
        for segment in &self.segments {
            write!(
                out,
                "\nsegment {}: {} of {} rows, {} deleted; ",
                segment.id,
                About(segment.estimate),
                segment.rows,
                segment.deleted
            )?;
            match segment.access {
                Access::All => write!(out, "every row matches")?,
                Access::Indexes { rows } => write!(out, "indexes name {rows}, none is asked")?,
                Access::Candidates { rows } => write!(out, "indexes name {rows}, each is asked")?,
                Access::Scan => write!(out, "every row is asked")?,
            }
            for condition in &segment.conditions {
                write!(out, "\n  {}", condition.place)?;
                if let Some(path) = &condition.path {
                    write!(out, " on {path}")?;
                }
                match (condition.served_by, name(condition.served_by)) {
                    (ServedBy::Index(_), Some(kind)) => write!(out, ": {kind} index")?,
                    (_, Some(table)) => write!(out, ": {table}")?,
                    (_, None) => write!(out, ": no index")?,
                }
                let exact = if condition.exact { ", exact" } else { "" };
                write!(out, "{exact}, {} rows", About(condition.rows))?;
            }
            for vector in &segment.vectors {
                let by = match vector.searched_by {
                    SearchedBy::Graph => "graph",
                    SearchedBy::InvertedIndex => "inverted index",
                    SearchedBy::Scan => "no index, scanned",
                };
                write!(out, "\n  vector {:?}: {by}, {} rows", vector.name, vector.rows)?;
            }
            for partition in &segment.partitions {
                let PartitionPlan {
                    vector, path, rows, ..
                } = partition;
                write!(
                    out,
                    "\n  searches of {vector:?} walk the graph of {rows} rows with this {path}"
                )?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
