//! Does one point match a filter? Decided from its id, its encoded payload and the names of its vectors.

use std::cell::OnceCell;

use vdb_storage::{
    PointId, ValueError,
    payload::{ObjectRef, ValueRef},
};

use super::{
    compile::{Clauses, CompiledFilter, Field, Node, Test, ValueTest},
    datetime::Datetime,
    error::Undecided,
    geo::GeoPoint,
    text::Tokens,
    uuid::spells_one_of,
    walk::{find_node, find_value},
};

/// A point to be tested. Each method is called only when a condition asks for it, the payload at most once.
pub(crate) trait PointSource {
    /// The point's id.
    fn id(&self) -> PointId;

    /// The point's payload; an empty object when it has none.
    ///
    /// # Errors
    /// The payload's bytes are damaged.
    fn payload(&self) -> Result<ObjectRef<'_>, ValueError>;

    /// Whether the point has the vector `name`.
    fn has_vector(&self, name: &str) -> bool;

    /// The tokens of the point's texts at a path that has a text index, where they are kept; `cut` makes them, should they be
    /// and not be there yet. The path is given by its canonical text, how `cut` makes tokens by its fingerprint: none are told
    /// where the index makes others.
    ///
    /// # Errors
    /// Those of `cut`.
    fn tokens(
        &self,
        path: &str,
        fingerprint: u32,
        cut: &dyn Fn() -> Result<Option<Tokens>, ValueError>,
    ) -> Result<Option<&Tokens>, ValueError> {
        let _ = (path, fingerprint, cut);
        Ok(None)
    }

    /// Asked before each condition and each value, of which so many bytes are to be looked at: whether the answer is wanted yet.
    fn goes_on(&self, bytes: usize) -> bool {
        let _ = bytes;
        true
    }
}

/// Fails where the answer about a point is wanted no more.
pub(crate) fn go_on(point: &dyn PointSource, bytes: usize) -> Result<(), Undecided> {
    if point.goes_on(bytes) {
        Ok(())
    } else {
        Err(Undecided::Stopped)
    }
}

impl CompiledFilter {
    /// Whether `point` satisfies this filter. Does not allocate, but for conditions on texts that have an index.
    ///
    /// # Errors
    /// A payload that the answer depends on is damaged, or the point does not [go on](PointSource::goes_on).
    pub(crate) fn matches(&self, point: &dyn PointSource) -> Result<bool, Undecided> {
        Subject {
            point,
            is_whole: true,
            payload: OnceCell::new(),
        }
        .satisfies(&self.root)
    }
}

/// What conditions are asked of: a point, or below a nested condition one object of its payload.
struct Subject<'a> {
    point: &'a dyn PointSource,
    /// The point itself and not an object, which has neither id nor vectors.
    is_whole: bool,
    payload: OnceCell<ObjectRef<'a>>,
}

impl<'a> Subject<'a> {
    fn payload(&self) -> Result<ObjectRef<'a>, ValueError> {
        if let Some(payload) = self.payload.get() {
            return Ok(*payload);
        }
        // An object has its own from the start.
        let payload = self.point.payload()?;
        Ok(*self.payload.get_or_init(|| payload))
    }

    fn satisfies(&self, clauses: &Clauses) -> Result<bool, Undecided> {
        let Clauses {
            must,
            should,
            must_not,
            min_should,
        } = clauses;
        for node in must {
            if !self.holds(node)? {
                return Ok(false);
            }
        }
        for node in must_not {
            if self.holds(node)? {
                return Ok(false);
            }
        }
        if let Some(nodes) = should
            && !self.at_least(1, nodes)?
        {
            return Ok(false);
        }
        match min_should {
            Some((nodes, count)) => self.at_least(*count, nodes),
            None => Ok(true),
        }
    }

    fn at_least(&self, count: usize, nodes: &[Node]) -> Result<bool, Undecided> {
        let mut missing = count;
        for (number, node) in nodes.iter().enumerate() {
            if nodes.len() - number < missing {
                return Ok(false);
            }
            if self.holds(node)? {
                missing -= 1;
                if missing == 0 {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// What kept tokens say of a condition on texts; `None` where there are none, or they do not tell.
    fn holds_of_tokens(&self, field: &Field) -> Result<Option<bool>, ValueError> {
        let (true, Test::Text(test)) = (self.is_whole, &field.test) else {
            return Ok(None);
        };
        let cut = || test.analysis.tokens(self.payload()?, field.path.steps());
        let tokens = self
            .point
            .tokens(&field.full_path, test.analysis.fingerprint(), &cut)?;
        Ok(tokens.and_then(|tokens| test.holds_of(tokens)))
    }

    /// Bytes of payload that may be stepped over before a condition has a value to ask, as far as they are known. Of a payload that
    /// nobody has looked at yet, whoever asks about the point knows.
    fn known_bytes(&self, node: &Node) -> usize {
        match node {
            Node::Field(_) | Node::Nested { .. } => self.payload.get().map_or(0, ObjectRef::bytes),
            Node::HasId(_) | Node::HasVector(_) | Node::Slice(_) | Node::Filter(_) => 0,
        }
    }

    fn holds(&self, node: &Node) -> Result<bool, Undecided> {
        go_on(self.point, self.known_bytes(node))?;
        match node {
            Node::Field(field) => match self.holds_of_tokens(field)? {
                Some(held) => Ok(held),
                None => field.holds(self.payload()?, self.point),
            },
            Node::HasId(ids) => Ok(self.is_whole && ids.binary_search(&self.point.id()).is_ok()),
            Node::HasVector(name) => Ok(self.is_whole && self.point.has_vector(name)),
            Node::Slice(slice) => Ok(self.is_whole && slice.contains(self.point.id())),
            Node::Nested { path, clauses } => find_node(self.payload()?, path.steps(), &mut |node| {
                let ValueRef::Object(object) = node else {
                    return Ok(false);
                };
                go_on(self.point, 0)?;
                Subject {
                    point: self.point,
                    is_whole: false,
                    payload: OnceCell::from(object),
                }
                .satisfies(clauses)
            }),
            Node::Filter(clauses) => self.satisfies(clauses),
        }
    }
}

impl Field {
    /// Whether the test holds for the values at the path, counted from `root`, which is in a point.
    fn holds(&self, root: ObjectRef<'_>, point: &dyn PointSource) -> Result<bool, Undecided> {
        let steps = self.path.steps();
        match &self.test {
            Test::Empty(wanted) => {
                let some = find_node(root, steps, &mut |node| {
                    go_on(point, 0)?;
                    Ok::<_, Undecided>(!is_empty(node))
                })?;
                Ok(some != *wanted)
            }
            Test::Null(wanted) => {
                let some = find_value(root, steps, &mut |value| {
                    go_on(point, 0)?;
                    Ok::<_, Undecided>(matches!(value, ValueRef::Null))
                })?;
                Ok(some == *wanted)
            }
            Test::Count(limits) => {
                let mut missing = true;
                let counted = find_node(root, steps, &mut |node| {
                    go_on(point, 0)?;
                    missing = false;
                    Ok::<_, Undecided>(limits.contains(values_of(node)))
                })?;
                Ok(counted || (missing && limits.contains(0)))
            }
            Test::Value(test) => find_value(root, steps, &mut |value| {
                go_on(point, 0)?;
                test.accepts(value, point)
            }),
            Test::Text(test) => test.holds(root, steps, point),
        }
    }
}

impl ValueTest {
    /// Whether one value passes.
    fn accepts(&self, value: ValueRef<'_>, point: &dyn PointSource) -> Result<bool, Undecided> {
        Ok(match self {
            Self::String(wanted) => matches!(value, ValueRef::Str(text) if text == wanted),
            Self::Integer(wanted) => matches!(value, ValueRef::I64(number) if number == *wanted),
            Self::Bool(wanted) => matches!(value, ValueRef::Bool(truth) if truth == *wanted),
            Self::AnyString(list) => matches!(value, ValueRef::Str(text) if lists(list, text)),
            Self::AnyInteger(list) => {
                matches!(value, ValueRef::I64(number) if list.binary_search(&number).is_ok())
            }
            Self::ExceptString(list) => {
                !matches!(value, ValueRef::Null) && !matches!(value, ValueRef::Str(text) if lists(list, text))
            }
            Self::ExceptInteger(list) => {
                !matches!(value, ValueRef::Null)
                    && !matches!(value, ValueRef::I64(number) if list.binary_search(&number).is_ok())
            }
            Self::AnyUuid(list) => matches!(value, ValueRef::Str(text) if spells_one_of(list, text)),
            Self::ExceptUuid(list) => {
                !matches!(value, ValueRef::Null)
                    && !matches!(value, ValueRef::Str(text) if spells_one_of(list, text))
            }
            Self::Contains(pieces) => {
                let ValueRef::Str(text) = value else {
                    return Ok(false);
                };
                for piece in pieces {
                    go_on(point, text.len())?;
                    if text.contains(piece.as_str()) {
                        return Ok(true);
                    }
                }
                false
            }
            Self::Prefix(prefix) => matches!(value, ValueRef::Str(text) if text.starts_with(prefix.as_str())),
            Self::Range(limits) => number_of(value).is_some_and(|number| limits.contains(number)),
            Self::Datetime(limits) => {
                matches!(value, ValueRef::Str(text) if Datetime::parse(text).is_some_and(|at| limits.contains(at)))
            }
            Self::Within(area) => GeoPoint::of(value)?.is_some_and(|point| area.contains(point)),
        })
    }
}

fn lists(list: &[String], text: &str) -> bool {
    list.binary_search_by(|item| item.as_str().cmp(text)).is_ok()
}

/// A number of any type as the nearest `f64`, which is how ranges compare.
pub(crate) fn number_of(value: ValueRef<'_>) -> Option<f64> {
    match value {
        ValueRef::I64(number) => Some(number as f64),
        ValueRef::U64(number) => Some(number as f64),
        ValueRef::F64(number) => Some(number),
        ValueRef::Null | ValueRef::Bool(_) | ValueRef::Str(_) | ValueRef::Array(_) | ValueRef::Object(_) => {
            None
        }
    }
}

/// Null and `[]` are empty; `[null]` and `{}` are not.
fn is_empty(node: ValueRef<'_>) -> bool {
    match node {
        ValueRef::Null => true,
        ValueRef::Array(items) => items.is_empty(),
        ValueRef::Bool(_)
        | ValueRef::I64(_)
        | ValueRef::U64(_)
        | ValueRef::F64(_)
        | ValueRef::Str(_)
        | ValueRef::Object(_) => false,
    }
}

/// How many values a node has: an array its elements, null none, anything else one.
pub(crate) fn values_of(node: ValueRef<'_>) -> u64 {
    match node {
        ValueRef::Null => 0,
        ValueRef::Array(items) => items.len() as u64,
        ValueRef::Bool(_)
        | ValueRef::I64(_)
        | ValueRef::U64(_)
        | ValueRef::F64(_)
        | ValueRef::Str(_)
        | ValueRef::Object(_) => 1,
    }
}

#[cfg(test)]
mod tests;
