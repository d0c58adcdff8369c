//! Walking an encoded payload along a path, without copying or allocating.
//!
//! Two readings of "the values at a path" exist and every condition uses one of them. The *nodes* are what the path
//! leads to as it is written. The *values* are the nodes with every array among them replaced by its elements, one
//! level deep: `tags` and `tags[]` have the same values when `tags` is a list of strings.

use vdb_storage::{
    ValueError,
    payload::{ObjectRef, ValueRef},
};

use super::path::PathStep;

/// Whether `accept` is true of some node at `path`, a path within `root`. Nodes are tried in the order of the
/// payload, and none after the first that is accepted.
///
/// # Errors
/// The payload is damaged on the way, or `accept` failed.
pub(crate) fn any_node<'a>(
    root: ObjectRef<'a>,
    path: &[PathStep],
    accept: &mut dyn FnMut(ValueRef<'a>) -> Result<bool, ValueError>,
) -> Result<bool, ValueError> {
    find_node(root, path, accept)
}

/// As [`any_node`], for the values at `path`.
///
/// # Errors
/// The payload is damaged on the way, or `accept` failed.
pub(super) fn any_value<'a>(
    root: ObjectRef<'a>,
    path: &[PathStep],
    accept: &mut dyn FnMut(ValueRef<'a>) -> Result<bool, ValueError>,
) -> Result<bool, ValueError> {
    find_value(root, path, accept)
}

/// As [`any_node`], for whoever may fail otherwise.
///
/// # Errors
/// The payload is damaged on the way, or `accept` failed.
pub(crate) fn find_node<'a, E: From<ValueError>>(
    root: ObjectRef<'a>,
    path: &[PathStep],
    accept: &mut dyn FnMut(ValueRef<'a>) -> Result<bool, E>,
) -> Result<bool, E> {
    descend(ValueRef::Object(root), path, accept)
}

/// As [`any_value`], for whoever may fail otherwise.
///
/// # Errors
/// The payload is damaged on the way, or `accept` failed.
pub(crate) fn find_value<'a, E: From<ValueError>>(
    root: ObjectRef<'a>,
    path: &[PathStep],
    accept: &mut dyn FnMut(ValueRef<'a>) -> Result<bool, E>,
) -> Result<bool, E> {
    find_node(root, path, &mut |node| {
        let ValueRef::Array(items) = node else {
            return accept(node);
        };
        for item in items {
            if accept(item?)? {
                return Ok(true);
            }
        }
        Ok(false)
    })
}

fn descend<'a, E: From<ValueError>>(
    mut node: ValueRef<'a>,
    path: &[PathStep],
    accept: &mut dyn FnMut(ValueRef<'a>) -> Result<bool, E>,
) -> Result<bool, E> {
    for (number, step) in path.iter().enumerate() {
        let next = match (step, node) {
            (PathStep::Key(key), ValueRef::Object(object)) => object.get(key)?,
            (PathStep::Index(index), ValueRef::Array(items)) => usize::try_from(*index)
                .ok()
                .and_then(|index| items.iter().nth(index))
                .transpose()?,
            (PathStep::All, ValueRef::Array(items)) => {
                let rest = path.get(number + 1..).unwrap_or_default();
                for item in items {
                    if descend(item?, rest, accept)? {
                        return Ok(true);
                    }
                }
                return Ok(false);
            }
            (PathStep::Key(_) | PathStep::Index(_) | PathStep::All, _) => None,
        };
        match next {
            Some(next) => node = next,
            None => return Ok(false),
        }
    }
    accept(node)
}
