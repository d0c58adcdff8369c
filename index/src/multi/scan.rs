//! Exact scan of multivectors: every row that is asked for is compared with the query. The oracle of the search.

use vdb_sys::kernel::{Interaction, MaxSim};

use super::vectors::MultiVectors;
use crate::{Control, Error, Result, RowFilter, TopK};

/// Rows that a filter turns away between two looks at whether to go on.
const PASSED_A_LOOK: u64 = 256;

/// Shows `top` those of `rows` that the filter allows and that have a multivector, with their canonical scores. Returns how
/// many rows were compared.
///
/// A row is given up as soon as it is known to score below [`TopK::threshold`], which changes nothing in the answer: of rows
/// with the same score all are shown. A scan by several threads splits the rows and merges the parts ([`TopK::merge`]),
/// which changes nothing either. `control` is asked at every row, and several times in a long one.
///
/// # Errors
/// [`Error::Cancelled`], [`Error::MultiVector`] for a row that is not whole vectors, and those of the vectors.
pub fn scan_rows<V: MultiVectors + ?Sized>(
    vectors: &V,
    query: &MaxSim<'_>,
    rows: impl IntoIterator<Item = u32>,
    filter: Option<&dyn RowFilter>,
    control: &Control<'_>,
    top: &mut TopK,
) -> Result<u64> {
    // A filter that takes longer than scoring is asked for what would be kept.
    let (early, late) = match filter {
        Some(filter) if filter.is_slow() => (None, Some(filter)),
        early => (early, None),
    };
    let mut compared = 0;
    for (seen, row) in (1u64..).zip(rows) {
        if early.is_some_and(|filter| !filter.contains(row)) {
            if seen.is_multiple_of(PASSED_A_LOOK) && control.is_cancelled() {
                return Err(Error::Cancelled);
            }
            continue;
        }
        if control.is_cancelled() {
            return Err(Error::Cancelled);
        }
        if let Some(score) = compare(vectors, query, row, top.threshold(), control)? {
            compared += 1;
            // Rows may come in any order, and several scans may share a TopK: ties are let through.
            if score >= top.threshold() && late.is_none_or(|filter| filter.contains(row)) {
                top.push(score, row);
            }
        }
    }
    Ok(compared)
}

/// The score of a row, or minus infinity where it is below `bar`; `None` where the row has no multivector.
///
/// # Errors
/// As [`scan_rows`].
pub(super) fn compare<V: MultiVectors + ?Sized>(
    vectors: &V,
    query: &MaxSim<'_>,
    row: u32,
    bar: f32,
    control: &Control<'_>,
) -> Result<Option<f32>> {
    let Some(document) = vectors.multi(row)? else {
        return Ok(None);
    };
    if !document.len().is_multiple_of(query.vector_bytes()) {
        return Err(Error::MultiVector {
            row,
            bytes: document.len(),
            vector: query.vector_bytes(),
        });
    }
    match query.compare(document, bar, || !control.is_cancelled()) {
        Interaction::Score(score) => Ok(Some(score)),
        Interaction::Below => Ok(Some(f32::NEG_INFINITY)),
        Interaction::Stopped => Err(Error::Cancelled),
    }
}

#[cfg(test)]
mod tests;
