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

use crate::filter::{Datetime, GeoPoint, PayloadPath, TextAnalysis, any_node, canonical_uuid, number_of};

/// Positions between the beginnings of two texts of one row: more than a text has bytes, so that no phrase goes from one
/// to the next.
const POSITIONS_A_TEXT: u64 = 1 << 32;

/// Files the values of payloads, so that the index answers conditions as evaluating them on the payloads would.
pub(crate) enum IndexBuilder {
    Values(Builder),
    Texts(TextRows),
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
    /// An empty index; one of texts has an analysis.
    pub(crate) fn new(kind: Kind, analysis: Option<&Arc<TextAnalysis>>) -> Self {
        match analysis {
            None => Self::Values(Builder::new(kind)),
            Some(analysis) => Self::Texts(TextRows {
                builder: TextBuilder::new(analysis.fingerprint(), analysis.has_positions()),
                analysis: analysis.clone(),
                scratch: Scratch::default(),
                texts: 0,
            }),
        }
    }

    /// Files the values that `payload` has at `path` under `row`, and the classes of the row with them. Rows come in ascending
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
        if let Self::Texts(rows) = self {
            rows.texts = 0;
        }
        any_node(payload, path.steps(), &mut |node| {
            let ValueRef::Array(items) = node else {
                self.file(row, node)?;
                return Ok(false);
            };
            if !items.is_empty() {
                match self {
                    Self::Values(builder) => builder.filled(row),
                    Self::Texts(rows) => rows.builder.filled(row),
                }
            }
            for item in items {
                self.file(row, item?)?;
            }
            Ok(false)
        })?;
        Ok(())
    }

    /// Writes the index of a segment of so many rows.
    ///
    /// # Errors
    /// As those of the builders in [`vdb_index::postings`].
    pub(crate) fn finish(self, disk: &dyn Disk, path: &str, rows: u32) -> vdb_index::Result<FrameInfo> {
        match self {
            Self::Values(builder) => builder.finish(disk, path, rows),
            Self::Texts(texts) => texts.builder.finish(disk, path, rows),
        }
    }

    fn file(&mut self, row: u32, value: ValueRef<'_>) -> Result<(), ValueError> {
        match self {
            Self::Values(builder) => file(builder, row, value)?,
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

fn file(builder: &mut Builder, row: u32, value: ValueRef<'_>) -> Result<(), ValueError> {
    match (key(value, builder.kind())?, value) {
        (Some(key), _) => builder.push(row, key),
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
