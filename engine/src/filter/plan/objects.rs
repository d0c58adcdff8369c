//! Conditions that one object of an array has to satisfy together, answered by indexes that know which elements of the
//! array their values are in.

use vdb_index::{
    Result, RowSet,
    postings::{Class, Elements, PostingsFile},
};

use super::{
    IndexLookup,
    leaf::{Leaf, Part},
};
use crate::filter::compile::{Clauses, Field, Node, Test};
use crate::limits::DEFAULT_ANSWER_BYTES;

/// Marks take 8 bytes a row, and four sets of them are held at once.
const BYTES_A_ROW: u64 = 4 * 8;
/// Where that is more than one part in so many of what an answer may take, rows are asked one by one.
const PART_OF_ROOM: u64 = 4;

/// So few rows are asked faster than all are marked...
const FEW: u64 = 64;
/// ...and so is one row in so many: the marks of each row are made and combined, whichever may match.
const ROWS_A_QUESTION: u64 = 64;

/// The rows in which some one object satisfies `clauses`, and those of which that is not known; `None` where indexes do not say. No
/// others than `possible` can match.
///
/// # Errors
/// An index is damaged, or the answer is wanted no more.
pub(super) fn matching(
    clauses: &Clauses,
    possible: Option<&RowSet>,
    indexes: &dyn IndexLookup,
) -> Result<Option<(RowSet, RowSet)>> {
    let few = FEW.max(u64::from(indexes.rows()) / ROWS_A_QUESTION);
    let marks = u64::from(indexes.rows()) * BYTES_A_ROW;
    let room = indexes.room().min(DEFAULT_ANSWER_BYTES) as u64 / PART_OF_ROOM;
    if marks > room || possible.is_some_and(|rows| rows.len() <= few) {
        return Ok(None);
    }
    let found = of_clauses(clauses, indexes)?;
    Ok(found.map(|elements| elements.rows()))
}

fn of_clauses(clauses: &Clauses, indexes: &dyn IndexLookup) -> Result<Option<Elements>> {
    let Clauses {
        must,
        should,
        must_not,
        min_should,
    } = clauses;
    if min_should.is_some() {
        return Ok(None);
    }
    let mut found: Option<Elements> = None;
    for node in must {
        let Some(elements) = of_node(node, indexes)? else {
            return Ok(None);
        };
        found = Some(match found {
            Some(found) => found.and(&elements),
            None => elements,
        });
    }
    if let Some(nodes) = should {
        let mut some: Option<Elements> = None;
        for node in nodes {
            let Some(elements) = of_node(node, indexes)? else {
                return Ok(None);
            };
            some = Some(match some {
                Some(some) => some.or(&elements),
                None => elements,
            });
        }
        found = match (found, some) {
            (Some(found), Some(some)) => Some(found.and(&some)),
            (None, some) => some,
            // An empty list holds for nothing, which the caller knows by itself.
            (Some(_), None) => None,
        };
    }
    // What objects there are besides is not known: only some that are known can be left.
    let Some(mut found) = found else {
        return Ok(None);
    };
    for node in must_not {
        let Some(elements) = of_node(node, indexes)? else {
            return Ok(None);
        };
        found = found.minus(&elements);
    }
    Ok(Some(found))
}

/// The objects that satisfy a condition on a value; `None` for any other.
fn of_node(node: &Node, indexes: &dyn IndexLookup) -> Result<Option<Elements>> {
    let Node::Field(Field { full_path, test, .. }) = node else {
        return Ok(None);
    };
    let index = indexes.postings(full_path).filter(|index| index.has_elements());
    let (Some(index), Test::Value(_)) = (index, test) else {
        return Ok(None);
    };
    if indexes.is_over() {
        return Err(vdb_index::Error::Cancelled);
    }
    let leaf = Leaf::new(test, index)?;
    if leaf.negated {
        return Ok(None);
    }
    let mut found: Option<Elements> = None;
    let mut foreign = false;
    for part in &leaf.certain {
        if *part == Part::Class(Class::Foreign) {
            foreign = true;
            continue;
        }
        let Some(elements) = of_part(part, index)? else {
            return Ok(None);
        };
        found = Some(match found {
            Some(found) => found.or(&elements),
            None => elements,
        });
    }
    for part in &leaf.maybe {
        match part {
            Part::Class(Class::Foreign) => foreign = true,
            // Which object has which is known here.
            Part::SeveralOf(_) => {}
            Part::Any(_)
            | Part::OtherThan(_)
            | Part::Range(..)
            | Part::Keys(_)
            | Part::Prefix(_)
            | Part::AllOf(_)
            | Part::Phrase(_)
            | Part::Values(..)
            | Part::Class(_) => return Ok(None),
        }
    }
    let Some(mut found) = found else { return Ok(None) };
    // Values that the index does not hold are in some object or other.
    if foreign && index.class_len(Class::Foreign) > 0 {
        found.doubt(&index.class(Class::Foreign)?);
    }
    Ok(Some(found))
}

fn of_part(part: &Part<'_>, index: &PostingsFile) -> Result<Option<Elements>> {
    Ok(Some(match part {
        Part::Any(keys) => index.elements_with(keys.iter().copied())?,
        Part::OtherThan(keys) => index.elements_without(keys.iter().copied())?,
        Part::Range(start, end) => index.elements_within(*start, *end)?,
        Part::Keys(keys) => index.elements_of(keys)?,
        Part::Prefix(prefix) => index.elements_with_prefix(prefix)?,
        Part::SeveralOf(_) | Part::AllOf(_) | Part::Phrase(_) | Part::Values(..) | Part::Class(_) => {
            return Ok(None);
        }
    }))
}
