//! Conditions that one object of an array has to satisfy together, answered by indexes that know which elements of the
//! array their values are in.

use vdb_index::{
    Error, Result, RowSet,
    postings::{Class, ElementQuery, Elements, Key, PostingsFile},
};

use super::{
    IndexLookup,
    leaf::{Leaf, Part},
};
use crate::filter::compile::{Clauses, Field, Node, Test};
use crate::limits::DEFAULT_ANSWER_BYTES;

/// What is read of indexes for it takes memory. Where that is more than one part in so many of what an answer may take yet, or of
/// what it may take unless told otherwise, rows are asked one by one. Nothing of it is left when they are known, so that it adds up
/// neither over the conditions of a filter nor over the searches of a batch.
const PART_OF_ROOM: usize = 4;

/// So few rows are asked faster than their elements are marked...
const FEW: u64 = 64;
/// ...and so is one row in so many: of each condition about all rows that it has are read, whichever may match.
const ROWS_A_QUESTION: u64 = 128;

/// Of the rows in `possible`, which no others than can match: those in which some one object satisfies `clauses`, and those of
/// which that is not known. `None` where indexes do not say.
///
/// # Errors
/// An index is damaged, or the answer is wanted no more.
pub(super) fn matching(
    clauses: &Clauses,
    possible: &RowSet,
    indexes: &dyn IndexLookup,
) -> Result<Option<(RowSet, RowSet)>> {
    let few = FEW.max(u64::from(indexes.rows()) / ROWS_A_QUESTION);
    if possible.len() <= few {
        return Ok(None);
    }
    let Some(query) = of_clauses(clauses, indexes)? else {
        return Ok(None);
    };
    let bytes = usize::try_from(query.bytes()?).unwrap_or(usize::MAX);
    if bytes > indexes.room().min(DEFAULT_ANSWER_BYTES) / PART_OF_ROOM {
        return Ok(None);
    }
    query.rows(possible, &|| indexes.goes_on()).map(Some)
}

fn of_clauses<'a>(clauses: &Clauses, indexes: &'a dyn IndexLookup) -> Result<Option<ElementQuery<'a>>> {
    let Clauses {
        must,
        should,
        must_not,
        min_should,
    } = clauses;
    // An empty list holds for nothing, which the caller knows by itself.
    let holds_for_nothing = should.as_ref().is_some_and(Vec::is_empty);
    // What objects there are besides is not known: only some that are known can be left.
    let is_unbounded = must.is_empty() && should.is_none();
    if min_should.is_some() || holds_for_nothing || is_unbounded {
        return Ok(None);
    }
    let mut unsure = RowSet::new();
    let mut each = |nodes: &[Node]| -> Result<Option<Vec<Elements<'a>>>> {
        let of = |node| of_node(node, indexes, &mut unsure);
        nodes.iter().map(of).collect()
    };
    let Some(all) = each(must)? else {
        return Ok(None);
    };
    let Some(any) = each(should.as_deref().unwrap_or_default())? else {
        return Ok(None);
    };
    let Some(none) = each(must_not)? else {
        return Ok(None);
    };
    Ok(Some(ElementQuery {
        all,
        any,
        none,
        unsure,
    }))
}

/// The objects that satisfy a condition on a value; `None` for any other. Adds the rows of which that is not known to `unsure`.
fn of_node<'a>(
    node: &Node,
    indexes: &'a dyn IndexLookup,
    unsure: &mut RowSet,
) -> Result<Option<Elements<'a>>> {
    let Node::Field(Field { full_path, test, .. }) = node else {
        return Ok(None);
    };
    let index = indexes.postings(full_path).filter(|index| index.has_elements());
    let (Some(index), Test::Value(_)) = (index, test) else {
        return Ok(None);
    };
    if indexes.is_over() {
        return Err(Error::Cancelled);
    }
    let leaf = Leaf::new(test, index)?;
    if leaf.negated {
        return Ok(None);
    }
    let mut found: Option<Elements<'_>> = None;
    let mut foreign = false;
    for part in &leaf.certain {
        if *part == Part::Class(Class::Foreign) {
            foreign = true;
            continue;
        }
        let Some(elements) = of_part(part, index, &|| indexes.goes_on())? else {
            return Ok(None);
        };
        found = Some(match found {
            Some(found) => found.or(elements),
            None => elements,
        });
    }
    // The keys may have been cut short.
    if indexes.is_over() {
        return Err(Error::Cancelled);
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
    // Values that the index does not hold are in some object or other.
    if found.is_some() && foreign && index.class_len(Class::Foreign) > 0 {
        *unsure = std::mem::take(unsure).or(&index.class(Class::Foreign)?);
    }
    Ok(found)
}

/// Of a list of keys only the first ones where the answer is wanted no more: then it is none.
fn of_part<'a>(
    part: &Part<'_>,
    index: &'a PostingsFile,
    goes_on: &dyn Fn() -> bool,
) -> Result<Option<Elements<'a>>> {
    let goes_on = |_: &Key<'_>| goes_on();
    Ok(Some(match part {
        Part::Any(keys) => index.elements_with(keys.iter().copied().take_while(goes_on))?,
        Part::OtherThan(keys) => index.elements_without(keys.iter().copied().take_while(goes_on))?,
        Part::Range(start, end) => index.elements_within(*start, *end)?,
        Part::Keys(keys) => index.elements_of(keys),
        Part::Prefix(prefix) => index.elements_with_prefix(prefix)?,
        Part::SeveralOf(_) | Part::AllOf(_) | Part::Phrase(_) | Part::Values(..) | Part::Class(_) => {
            return Ok(None);
        }
    }))
}
