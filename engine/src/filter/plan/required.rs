//! Values that every row which matches a filter has.

use vdb_index::{Result, postings::Key};

use super::{
    IndexLookup, estimate,
    leaf::{Leaf, Part, asks_for_some_value, lone_condition},
};
use crate::filter::compile::{Clauses, Field, Node, Test, ValueTest};

/// So many are looked for: with more of them, few rows match.
const MOST: usize = 16;

/// A value that every row which matches has.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Required<'f> {
    /// The canonical path of its payload index.
    pub(crate) path: &'f str,
    /// What the index files it under: the rows of this key have the value, and no others.
    pub(crate) key: Key<'f>,
    /// Whether all rows that have it match.
    pub(crate) is_all: bool,
}

/// Adds what every row that matches must have; `alone` where nothing else is asked.
pub(super) fn required<'f>(
    clauses: &'f Clauses,
    indexes: &dyn IndexLookup,
    alone: bool,
    found: &mut Vec<Required<'f>>,
) -> Result<()> {
    let Clauses {
        must,
        should,
        must_not,
        min_should,
    } = clauses;
    let others = should.is_some() || !must_not.is_empty() || min_should.is_some();
    let alone = alone && must.len() == 1 && !others;
    for node in must {
        match node {
            Node::Field(field) => add(field, indexes, alone, found)?,
            Node::Filter(clauses) => required(clauses, indexes, alone, found)?,
            Node::Nested { clauses, .. } => match lone_condition(clauses) {
                Some(field) => add(field, indexes, alone, found)?,
                // Whatever object satisfies them all, the row has what it has.
                None => {
                    for node in &clauses.must {
                        if let Node::Field(field) = node
                            && asks_for_some_value(&field.test)
                        {
                            add(field, indexes, false, found)?;
                        }
                    }
                }
            },
            Node::HasId(_) | Node::HasVector(_) | Node::Slice(_) => {}
        }
    }
    Ok(())
}

fn add<'f>(
    field: &'f Field,
    indexes: &dyn IndexLookup,
    alone: bool,
    found: &mut Vec<Required<'f>>,
) -> Result<()> {
    if found.len() >= MOST || !names_one(&field.test) {
        return Ok(());
    }
    let Some(index) = indexes.postings(&field.full_path) else {
        return Ok(());
    };
    let leaf = Leaf::new(&field.test, index)?;
    if let [Part::Any(keys)] = leaf.certain.as_slice()
        && let [key] = keys.as_slice()
        && !leaf.negated
        && estimate::is_exact(&leaf, index)?
    {
        found.push(Required {
            path: &field.full_path,
            key: *key,
            is_all: alone,
        });
    }
    Ok(())
}

/// Whether a test is passed by one value alone.
fn names_one(test: &Test) -> bool {
    match test {
        Test::Value(test) => match test {
            ValueTest::String(_) | ValueTest::Integer(_) | ValueTest::Bool(_) => true,
            ValueTest::AnyString(list) => list.len() == 1,
            ValueTest::AnyInteger(list) => list.len() == 1,
            ValueTest::AnyUuid(list) => list.len() == 1,
            ValueTest::ExceptString(_)
            | ValueTest::ExceptInteger(_)
            | ValueTest::ExceptUuid(_)
            | ValueTest::Contains(_)
            | ValueTest::Prefix(_)
            | ValueTest::Range(_)
            | ValueTest::Datetime(_)
            | ValueTest::Within(_) => false,
        },
        Test::Count(_) | Test::Empty(_) | Test::Null(_) | Test::Text(_) => false,
    }
}
