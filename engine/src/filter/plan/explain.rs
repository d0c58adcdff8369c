//! What the indexes of a segment say of each condition of a filter, by name.

use vdb_index::{
    Result,
    postings::{Estimate, Kind},
};

use super::{
    IndexLookup, collect,
    estimate::{self, Estimates},
    leaf::{Leaf, lone_condition},
};
use crate::filter::compile::{Clauses, CompiledFilter, Node};

/// One condition of a filter and what serves it in one segment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConditionPlan {
    /// Where it stands, in the notation of the JSON form: `must[0]`, `should[1].nested.filter.must[0]`. A clause that
    /// is one condition without a list counts as a list of one.
    pub place: String,
    /// The payload path that it asks about, from the root of the payload; `None` for one on ids and vectors.
    pub path: Option<String>,
    /// What serves it.
    pub served_by: ServedBy,
    /// True when the answer is the rows of which the condition holds, and no others. Else what is left has to be asked row
    /// by row.
    pub exact: bool,
    /// How many rows of the segment it holds for, deleted ones included.
    pub rows: Estimate,
}

impl ConditionPlan {
    /// What it takes in memory.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + self.place.len() + self.path.as_ref().map_or(0, String::len)
    }
}

/// What serves a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServedBy {
    /// The payload index of its path.
    Index(Kind),
    /// The table of ids.
    Ids,
    /// The table of who has a vector.
    Vectors,
    /// Nothing: every row that is left is asked.
    Nothing,
}

/// The conditions of `filter` in the order of its clauses.
///
/// # Errors
/// As [`candidates`](super::candidates).
pub(crate) fn conditions(filter: &CompiledFilter, indexes: &dyn IndexLookup) -> Result<Vec<ConditionPlan>> {
    let mut list = Vec::new();
    Walk {
        indexes,
        list: &mut list,
    }
    .clauses(&filter.root, "", true)?;
    Ok(list)
}

struct Walk<'a> {
    indexes: &'a dyn IndexLookup,
    list: &'a mut Vec<ConditionPlan>,
}

impl Walk<'_> {
    /// `exact` is whether an exact answer to one of the conditions is of use.
    fn clauses(&mut self, clauses: &Clauses, place: &str, exact: bool) -> Result<()> {
        let Clauses {
            must,
            should,
            must_not,
            min_should,
        } = clauses;
        self.nodes(must, &format!("{place}must"), exact)?;
        if let Some(nodes) = should {
            self.nodes(nodes, &format!("{place}should"), exact)?;
        }
        self.nodes(must_not, &format!("{place}must_not"), exact)?;
        match min_should {
            Some((nodes, _)) => self.nodes(nodes, &format!("{place}min_should.conditions"), exact),
            None => Ok(()),
        }
    }

    fn nodes(&mut self, nodes: &[Node], clause: &str, exact: bool) -> Result<()> {
        for (number, node) in nodes.iter().enumerate() {
            self.node(node, format!("{clause}[{number}]"), exact)?;
        }
        Ok(())
    }

    fn node(&mut self, node: &Node, place: String, exact: bool) -> Result<()> {
        if self.indexes.is_over() {
            return Err(vdb_index::Error::Cancelled);
        }
        let (path, served_by, is_exact) = match node {
            Node::Field(field) => {
                let path = Some(field.full_path.clone());
                match self.indexes.postings(&field.full_path) {
                    Some(index) => {
                        let leaf = Leaf::new(&field.test, index)?;
                        (
                            path,
                            ServedBy::Index(index.kind()),
                            estimate::is_exact(&leaf, index)?,
                        )
                    }
                    None => (path, ServedBy::Nothing, false),
                }
            }
            Node::HasId(_) => (None, ServedBy::Ids, true),
            Node::HasVector(name) => match self.indexes.count_with_vector(name) {
                Some(_) => (None, ServedBy::Vectors, true),
                None => (None, ServedBy::Nothing, false),
            },
            Node::Slice(slice) => match self.indexes.rows_in_slice(*slice) {
                Some(_) => (None, ServedBy::Ids, true),
                None => (None, ServedBy::Nothing, false),
            },
            Node::Nested { clauses, .. } => {
                let exact =
                    exact && (lone_condition(clauses).is_some() || collect::is_exact(node, self.indexes)?);
                return self.clauses(clauses, &format!("{place}.nested.filter."), exact);
            }
            Node::Filter(clauses) => return self.clauses(clauses, &format!("{place}."), exact),
        };
        self.list.push(ConditionPlan {
            place,
            path,
            served_by,
            exact: exact && is_exact,
            rows: Estimates::new(self.indexes).node(node)?,
        });
        Ok(())
    }
}
