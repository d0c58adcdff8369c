//! From a payload to the keys of an index.

use std::sync::Arc;

use vdb_index::postings::{Builder, Key, Kind, TextBuilder};
use vdb_storage::{
    ValueError,
    payload::{ObjectRef, ValueRef},
};
use vdb_text::Scratch;
use vdb_vfs::Disk;
use vdb_vfs::frame::FrameInfo;

use crate::filter::{
    Datetime, GeoPoint, PathStep, PayloadPath, TextAnalysis, any_node, canonical_uuid, number_of, values_of,
};

/// Positions between the beginnings of two texts of one row: more than a text has bytes, so that no phrase goes from one
/// to the next.
const POSITIONS_A_TEXT: u64 = 1 << 32;

/// Files the values of payloads, so that the index answers conditions as evaluating them on the payloads would.
pub(crate) enum IndexBuilder {
    Values(ValueRows),
    Texts(TextRows),
}

/// The values of an index, as far as they have been filed.
pub(crate) struct ValueRows {
    builder: Builder,
    /// The step of the path at which it goes into the elements of an array, when those are kept.
    elements: Option<usize>,
}

/// The texts of an index, as far as they have been filed.
pub(crate) struct TextRows {
    builder: TextBuilder,
    analysis: Arc<TextAnalysis>,
    scratch: Scratch,
    /// Texts of the row so far.
    texts: u64,
}

impl IndexBuilder {
    /// An empty index of a path; one of texts has an analysis.
    pub(crate) fn new(kind: Kind, analysis: Option<&Arc<TextAnalysis>>, path: &PayloadPath) -> Self {
        match analysis {
            None => {
                let elements = elements_at(path.steps());
                let new = if elements.is_some() {
                    Builder::with_elements
                } else {
                    Builder::new
                };
                Self::Values(ValueRows {
                    builder: new(kind),
                    elements,
                })
            }
            Some(analysis) => Self::Texts(TextRows {
                builder: TextBuilder::new(analysis.fingerprint()),
                analysis: analysis.clone(),
                scratch: Scratch::default(),
                texts: 0,
            }),
        }
    }

    /// Files the values that `payload` has at `path`, which the index is of, under `row`, and the classes of the row with them. Rows come in ascending
    /// order.
    ///
    /// # Errors
    /// The payload is damaged on the way. The row may then be filed in part.
    pub(crate) fn row(
        &mut self,
        row: u32,
        payload: ObjectRef<'_>,
        path: &PayloadPath,
    ) -> Result<(), ValueError> {
        let elements = match self {
            Self::Values(rows) => rows.elements,
            Self::Texts(rows) => {
                rows.texts = 0;
                None
            }
        };
        let steps = path.steps();
        let mut file = |element: u32, node| self.node(row, element, node).map(|()| false);
        let Some(at) = elements else {
            any_node(payload, steps, &mut |node| file(0, node))?;
            return Ok(());
        };
        let within = steps.get(at + 1..).unwrap_or_default();
        any_node(payload, steps.get(..at).unwrap_or_default(), &mut |node| {
            let ValueRef::Array(items) = node else {
                return Ok(false);
            };
            for (element, item) in (0_u32..).zip(items) {
                if let ValueRef::Object(object) = item? {
                    any_node(object, within, &mut |node| file(element, node))?;
                }
            }
            Ok(false)
        })?;
        Ok(())
    }

    /// Files what the path leads to in an element, 0 where those are not kept.
    fn node(&mut self, row: u32, element: u32, node: ValueRef<'_>) -> Result<(), ValueError> {
        match self {
            Self::Values(rows) => rows.builder.values(row, values_of(node)),
            Self::Texts(rows) => rows.builder.values(row, values_of(node)),
        }
        let ValueRef::Array(items) = node else {
            return self.file(row, element, node);
        };
        if !items.is_empty() {
            match self {
                Self::Values(rows) => rows.builder.filled(row),
                Self::Texts(rows) => rows.builder.filled(row),
            }
        }
        for item in items {
            self.file(row, element, item?)?;
        }
        Ok(())
    }

    /// Writes the index of a segment of so many rows.
    ///
    /// # Errors
    /// As those of the builders in [`vdb_index::postings`].
    pub(crate) fn finish(self, disk: &dyn Disk, path: &str, rows: u32) -> vdb_index::Result<FrameInfo> {
        match self {
            Self::Values(values) => values.builder.finish(disk, path, rows),
            Self::Texts(texts) => texts.builder.finish(disk, path, rows),
        }
    }

    fn file(&mut self, row: u32, element: u32, value: ValueRef<'_>) -> Result<(), ValueError> {
        match self {
            Self::Values(rows) => file(&mut rows.builder, (row, element), value)?,
            Self::Texts(rows) => rows.file(row, value),
        }
        Ok(())
    }
}

impl TextRows {
    fn file(&mut self, row: u32, value: ValueRef<'_>) {
        let text = match value {
            ValueRef::Str(text) => text,
            ValueRef::Null => return self.builder.null(row),
            ValueRef::Bool(_)
            | ValueRef::I64(_)
            | ValueRef::U64(_)
            | ValueRef::F64(_)
            | ValueRef::Array(_)
            | ValueRef::Object(_) => return self.builder.foreign(row),
        };
        let base = self.texts * POSITIONS_A_TEXT;
        self.texts += 1;
        let (builder, mut is_empty) = (&mut self.builder, true);
        self.analysis.each_token(&mut self.scratch, text, |token| {
            is_empty = false;
            builder.token(row, token.text, base + token.position as u64);
        });
        if is_empty {
            builder.foreign(row);
        }
    }
}

/// The step at which a path goes into the elements of an array, when that is the only one, and there are objects in it.
fn elements_at(steps: &[PathStep]) -> Option<usize> {
    let all = |step: &PathStep| *step == PathStep::All;
    let at = steps.iter().position(all)?;
    let within = steps.get(at + 1..)?;
    let is_one = matches!(within.first(), Some(PathStep::Key(_))) && !within.iter().any(all);
    is_one.then_some(at)
}

fn file(builder: &mut Builder, (row, element): (u32, u32), value: ValueRef<'_>) -> Result<(), ValueError> {
    match (key(value, builder.kind())?, value) {
        (Some(key), _) => builder.push_in(row, element, key),
        (None, ValueRef::Null) => builder.null(row),
        (None, _) => builder.foreign(row),
    }
    Ok(())
}

/// The key under which an index of `kind` holds `value`, if it does.
fn key(value: ValueRef<'_>, kind: Kind) -> Result<Option<Key<'_>>, ValueError> {
    Ok(match (kind, value) {
        (Kind::Keyword, ValueRef::Str(text)) => Some(Key::Term(text)),
        (Kind::Datetime, ValueRef::Str(text)) => Datetime::parse(text).map(|at| Key::Datetime(at.micros())),
        (Kind::Integer, ValueRef::I64(number)) => Some(Key::Integer(number)),
        (Kind::Bool, ValueRef::Bool(truth)) => Some(Key::Bool(truth)),
        (Kind::Uuid, ValueRef::Str(text)) => canonical_uuid(text).map(|uuid| Key::Uuid(uuid.into_bytes())),
        (Kind::Geo, value) => GeoPoint::of(value)?.map(|point| Key::Cell(point.cell())),
        (Kind::Float, value) => number_of(value).map(Key::Float),
        (Kind::Keyword | Kind::Datetime | Kind::Integer | Kind::Bool | Kind::Uuid | Kind::Text, _) => None,
    })
}

#[cfg(test)]
mod tests;
