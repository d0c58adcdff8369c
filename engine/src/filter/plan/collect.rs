//! The rows of a filter: conditions answered from indexes, answers combined as the clauses say.

use vdb_index::RowSet;
use vdb_index::{
    Error, Result,
    postings::{Class, Key, PostingsFile},
};

use super::{
    Candidates, IndexLookup,
    estimate::Estimates,
    leaf::{Leaf, Part, asks_for_some_value, lone_condition},
    objects,
    rows::{Answer, AtLeast, Rows},
};
use crate::filter::compile::{Clauses, Field, Node};

/// A condition in a conjunction is left to the row-by-row check when reading its rows would read this many times
/// more of them than the rest of the conjunction leaves: asking a row costs more than reading one from an index.
const LEAVE_OUT: u64 = 64;

/// `min_should` counts rows only as long as conditions times count stay below this; beyond, it is left unknown.
const MOST_COUNTED: usize = 4096;

pub(super) fn candidates(clauses: &Clauses, indexes: &dyn IndexLookup) -> Result<Candidates> {
    let rows = indexes.rows();
    Ok(match self::clauses(clauses, &Estimates::new(indexes))? {
        Answer::Exact(exact) => Candidates::Exact(exact.among(rows)),
        Answer::Between { possible, .. } if possible.is_all() => Candidates::Unknown,
        Answer::Between { certain, possible } => Candidates::Between {
            certain: certain.among(rows),
            possible: possible.among(rows),
        },
    })
}

/// Whether indexes alone tell which rows match.
pub(super) fn is_exact(node: &Node, indexes: &dyn IndexLookup) -> Result<bool> {
    let answer = self::node(node, &Estimates::new(indexes))?;
    Ok(matches!(answer, Answer::Exact(_)))
}

fn clauses<'a>(clauses: &'a Clauses, estimates: &Estimates<'a>) -> Result<Answer> {
    let indexes = estimates.indexes;
    let Clauses {
        must,
        should,
        must_not,
        min_should,
    } = clauses;
    // The most selective first: what it leaves decides whether the others are worth reading.
    let mut conjunction = Vec::with_capacity(must.len() + must_not.len());
    let is_alone = must.len() + must_not.len() == 1;
    for (nodes, wanted) in [(must, true), (must_not, false)] {
        for node in nodes {
            // One condition alone comes first whatever it leaves.
            let read = if is_alone {
                0
            } else {
                estimates.node(node)?.expected
            };
            let left = if wanted {
                read
            } else {
                u64::from(indexes.rows()).saturating_sub(read)
            };
            conjunction.push((left, read, node, wanted));
        }
    }
    conjunction.sort_by_key(|(left, ..)| *left);
    let mut answer = Answer::all();
    for (_, read, node, wanted) in conjunction {
        go_on(indexes)?;
        let left_out = matches!(answer.possible(), Rows::Only(rows) if read > LEAVE_OUT * rows.len());
        let part = if left_out {
            Answer::unknown()
        } else {
            self::node(node, estimates)?
        };
        answer = answer.and(if wanted { part } else { part.not() });
        if answer.is_none() {
            return Ok(answer);
        }
    }
    if let Some(nodes) = should {
        answer = answer.and(any(nodes, estimates)?);
    }
    if let Some((nodes, count)) = min_should {
        answer = answer.and(at_least(*count, nodes, estimates)?);
    }
    Ok(answer)
}

fn any<'a>(nodes: &'a [Node], estimates: &Estimates<'a>) -> Result<Answer> {
    nodes.iter().try_fold(Answer::none(), |answer, node| {
        go_on(estimates.indexes)?;
        Ok(answer.or(&self::node(node, estimates)?))
    })
}

fn at_least<'a>(count: usize, nodes: &'a [Node], estimates: &Estimates<'a>) -> Result<Answer> {
    match count {
        _ if count > nodes.len() => Ok(Answer::none()),
        1 => any(nodes, estimates),
        _ if count.saturating_mul(nodes.len()) > MOST_COUNTED => Ok(Answer::unknown()),
        _ => {
            let mut reached = AtLeast::new(count);
            for node in nodes {
                // Each is put together with as many sets as there are to count.
                check(estimates.indexes)?;
                reached.add(&self::node(node, estimates)?);
            }
            Ok(reached.finish())
        }
    }
}

/// Sets of rows are brought together for each condition, whatever it asks: of many rows that takes a while.
fn go_on(indexes: &dyn IndexLookup) -> Result<()> {
    if indexes.goes_on() {
        return Ok(());
    }
    Err(Error::Cancelled)
}

/// What is cut short is no answer.
fn check(indexes: &dyn IndexLookup) -> Result<()> {
    if indexes.is_over() {
        return Err(Error::Cancelled);
    }
    Ok(())
}

fn node<'a>(node: &'a Node, estimates: &Estimates<'a>) -> Result<Answer> {
    let indexes = estimates.indexes;
    match node {
        Node::Field(field) => self::field(field, indexes),
        Node::HasId(ids) => {
            let ids = ids.iter().take_while(|_| indexes.goes_on());
            let rows = ids.filter_map(|id| indexes.row_of(id)).collect();
            check(indexes)?;
            Ok(Answer::Exact(Rows::Only(rows)))
        }
        Node::HasVector(name) => Ok(indexes
            .rows_with_vector(name)
            .map_or_else(Answer::unknown, |rows| Answer::Exact(Rows::Only(rows)))),
        Node::Slice(slice) => {
            let rows = indexes.rows_in_slice(*slice);
            check(indexes)?;
            Ok(rows.map_or_else(Answer::unknown, |rows| Answer::Exact(Rows::Only(rows))))
        }
        Node::Nested { clauses, .. } => match lone_condition(clauses) {
            Some(field) => self::field(field, indexes),
            None => nested(clauses, indexes),
        },
        Node::Filter(clauses) => self::clauses(clauses, estimates),
    }
}

/// The rows in which some one object satisfies `clauses`.
fn nested(clauses: &Clauses, indexes: &dyn IndexLookup) -> Result<Answer> {
    let possible = within_object(clauses, indexes)?;
    let known = match &possible {
        Rows::Only(rows) => objects::matching(clauses, rows, indexes)?,
        Rows::AllBut(_) => None,
    };
    let Some((sure, unsure)) = known else {
        return Ok(Answer::between(Rows::none(), possible));
    };
    check(indexes)?;
    let sure = Rows::Only(sure);
    Ok(Answer::between(
        sure.clone(),
        Rows::Only(unsure).and(&possible).or(&sure),
    ))
}

fn field(field: &Field, indexes: &dyn IndexLookup) -> Result<Answer> {
    let Some(index) = indexes.postings(&field.full_path) else {
        return Ok(Answer::unknown());
    };
    let leaf = Leaf::new(&field.test, index)?;
    let union = |parts: &[Part<'_>]| union(parts, index, indexes);
    let certain = union(&leaf.certain)?;
    let answer = if leaf.maybe.is_empty() {
        Answer::Exact(Rows::Only(certain))
    } else {
        let possible = union(&leaf.maybe)?.or(&certain);
        Answer::between(Rows::Only(certain), Rows::Only(possible))
    };
    check(indexes)?;
    Ok(if leaf.negated { answer.not() } else { answer })
}

fn union(parts: &[Part<'_>], index: &PostingsFile, indexes: &dyn IndexLookup) -> Result<RowSet> {
    let Some((first, others)) = parts.split_first() else {
        return Ok(RowSet::new());
    };
    others
        .iter()
        .try_fold(read(first, index, indexes)?, |rows, part| {
            Ok(rows.or(&read(part, index, indexes)?))
        })
}

fn read(part: &Part<'_>, index: &PostingsFile, indexes: &dyn IndexLookup) -> Result<RowSet> {
    let any_of = |keys: &[Key<'_>]| {
        let keys = keys.iter().copied();
        index.any_of(keys.take_while(|_| indexes.goes_on()))
    };
    let one_and_several_of =
        |keys: &[Key<'_>]| index.one_and_several_of(keys.iter().copied(), &|| indexes.goes_on());
    match part {
        Part::Any(keys) => any_of(keys),
        // Each row has one key at most.
        Part::OtherThan(keys) if index.class_len(Class::Multiple) == 0 => {
            Ok(index.present()?.minus(&any_of(keys)?))
        }
        Part::SeveralOf(_) if index.class_len(Class::Multiple) == 0 => Ok(RowSet::new()),
        Part::OtherThan(keys) => {
            let (one, several) = one_and_several_of(keys)?;
            let only = one.minus(&index.class(Class::Multiple)?);
            Ok(index.present()?.minus(&several).minus(&only))
        }
        Part::SeveralOf(keys) => Ok(one_and_several_of(keys)?.1),
        Part::Range(start, end) => index.range(*start, *end),
        Part::Keys(keys) => index.rows_of(keys),
        Part::Prefix(prefix) => index.prefix(prefix),
        Part::AllOf(tokens) => index.all_of(tokens.iter().copied().take_while(|_| indexes.goes_on())),
        // Asked seldom, so that the clock is looked at each time.
        Part::Phrase(tokens) => index.phrase(tokens, &|| !indexes.is_over()),
        Part::Values(limits, within) => {
            let rows = index.with_values(&|values| limits.contains(values), &|| indexes.goes_on())?;
            Ok(if *within {
                rows
            } else {
                index.class(Class::Filled)?.minus(&rows)
            })
        }
        Part::Class(class) => index.class(*class),
    }
}

/// A superset of the rows in which some one object satisfies `clauses`: those in which every condition is satisfied
/// by some object. What must not hold says nothing, since another object may hold it.
fn within_object(clauses: &Clauses, indexes: &dyn IndexLookup) -> Result<Rows> {
    let Clauses {
        must,
        should,
        must_not: _,
        min_should,
    } = clauses;
    let mut rows = Rows::all();
    for node in must {
        rows = rows.and(&condition_within_object(node, indexes)?);
        if rows.is_none() {
            return Ok(rows);
        }
    }
    if let Some(nodes) = should {
        rows = rows.and(&some_within_object(nodes, indexes)?);
    }
    match min_should {
        Some((nodes, count)) if *count > nodes.len() => Ok(Rows::none()),
        Some((nodes, _)) => Ok(rows.and(&some_within_object(nodes, indexes)?)),
        None => Ok(rows),
    }
}

fn some_within_object(nodes: &[Node], indexes: &dyn IndexLookup) -> Result<Rows> {
    nodes.iter().try_fold(Rows::none(), |rows, node| {
        Ok(rows.or(&condition_within_object(node, indexes)?))
    })
}

fn condition_within_object(node: &Node, indexes: &dyn IndexLookup) -> Result<Rows> {
    go_on(indexes)?;
    match node {
        Node::Field(field) if asks_for_some_value(&field.test) => {
            Ok(self::field(field, indexes)?.into_possible())
        }
        Node::Field(_) => Ok(Rows::all()),
        Node::HasId(_) | Node::HasVector(_) | Node::Slice(_) => Ok(Rows::none()),
        Node::Nested { clauses, .. } | Node::Filter(clauses) => within_object(clauses, indexes),
    }
}
