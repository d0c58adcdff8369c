//! Exact scan of sparse vectors: every row that is asked for gets its canonical score. The oracle of the pruned search.

use vdb_sys::sparse::SparseView;

use super::vectors::SparseVectors;
use crate::{Control, Error, Result, RowFilter, TopK};

/// Rows scored between two looks at whether to go on.
const SCANNED_A_LOOK: u64 = 256;

/// Shows `top` those of `rows` that the filter allows and that share a dimension with `query`. Returns how many rows were
/// scored.
///
/// # Errors
/// [`Error::Cancelled`], and those of the vectors.
pub fn scan_rows<V: SparseVectors + ?Sized>(
    vectors: &V,
    query: SparseView<'_>,
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
    let mut scored = 0;
    for (seen, row) in (1u64..).zip(rows) {
        if seen.is_multiple_of(SCANNED_A_LOOK) && control.is_cancelled() {
            return Err(Error::Cancelled);
        }
        if early.is_some_and(|filter| !filter.contains(row)) {
            continue;
        }
        let Some(vector) = vectors.sparse(row)? else {
            continue;
        };
        scored += 1;
        if let Some(score) = vector.dot(&query)
            && score >= top.threshold()
            && late.is_none_or(|filter| filter.contains(row))
        {
            top.push(score, row);
        }
    }
    Ok(scored)
}
