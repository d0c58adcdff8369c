//! Sparse vectors as bytes.

use vdb_sys::sparse::SparseView;
use vdb_sys::words::Words;

use crate::error::{Error, Result, within};
use crate::limits::MAX_SPARSE_VALUES;
use crate::point::SparseVector;

/// Bytes of a dimension and its value.
pub(super) const PAIR: usize = 8;

/// Appends a sparse vector, its dimensions in order. Values of zero stay: a point has that dimension.
pub(super) fn encode(
    name: &str,
    vector: &SparseVector,
    place: &dyn Fn() -> String,
    out: &mut Vec<u8>,
) -> Result<()> {
    let SparseVector { indices, values } = vector;
    let refuse = |what: String| Error::InvalidRequest(format!("{}vector {name:?}: {what}", place()));
    if indices.len() != values.len() {
        return Err(refuse(format!(
            "a sparse vector has as many values as indices, got {} and {}",
            values.len(),
            indices.len()
        )));
    }
    within("values of a sparse vector", MAX_SPARSE_VALUES, values.len())?;
    if let Some((index, &value)) = values.iter().enumerate().find(|(_, value)| !value.is_finite()) {
        return Err(Error::NotFinite {
            place: place(),
            vector: name.to_owned(),
            index,
            value,
        });
    }
    if indices.is_sorted_by(|a, b| a < b) {
        if let Some(view) = SparseView::new(indices, values) {
            view.encode(out);
        }
        return Ok(());
    }
    let mut pairs: Vec<(u32, f32)> = indices.iter().copied().zip(values.iter().copied()).collect();
    pairs.sort_unstable_by_key(|(index, _)| *index);
    if let Some(twice) = pairs.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(refuse(format!(
            "the index {} of a sparse vector comes twice",
            twice[0].0
        )));
    }
    out.reserve(pairs.len() * PAIR);
    pairs
        .iter()
        .for_each(|(index, _)| out.extend_from_slice(&index.to_le_bytes()));
    pairs
        .iter()
        .for_each(|(_, value)| out.extend_from_slice(&value.to_le_bytes()));
    Ok(())
}

/// Looks at stored bytes as the sparse vector that they are; copies them where they lie across words. `None` for bytes that
/// are no pairs.
pub(crate) fn with_view<T>(bytes: &[u8], look: impl FnOnce(SparseView<'_>) -> T) -> Option<T> {
    if let Some(view) = SparseView::from_bytes(bytes) {
        return Some(look(view));
    }
    SparseView::from_bytes(&Words::from(bytes)).map(look)
}

/// Whether bytes are a stored sparse vector, wherever they lie.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    if bytes.len() > MAX_SPARSE_VALUES * PAIR || !bytes.len().is_multiple_of(PAIR) {
        return false;
    }
    let (dimensions, values) = bytes.split_at(bytes.len() / 2);
    let (dimensions, _) = dimensions.as_chunks();
    let (values, _) = values.as_chunks();
    let dimensions = dimensions.iter().map(|four| u32::from_le_bytes(*four));
    dimensions.is_sorted_by(|a, b| a < b) && values.iter().all(|four| f32::from_le_bytes(*four).is_finite())
}

/// A stored sparse vector.
pub(super) fn decode(bytes: &[u8]) -> SparseVector {
    with_view(bytes, |view| SparseVector::new(view.dimensions(), view.values())).unwrap_or_default()
}
