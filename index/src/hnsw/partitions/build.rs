//! A partition comes to be: as a graph of all rows does, by codes that the other graph's quantiser makes.

use vdb_sys::element::MatrixView;

use super::Partition;
use crate::control::Control;
use crate::error::Result;
use crate::hnsw::build::link;
use crate::hnsw::filtered::follows;
use crate::hnsw::graph::GraphView;
use crate::hnsw::params::HnswParams;
use crate::rowset::{RowBits, RowFilter};

/// Builds a graph among `rows` of `graph`, which is over `matrix`.
///
/// Deterministic as [`hnsw::build`](crate::hnsw::build()) is. Codes are made anew, since a graph need not have any: a sixteenth
/// of the price. Memory beyond the result: a code and 24 bytes a row, 4 bytes a link, and the scratch of a batch.
///
/// # Errors
/// [`Error::Cancelled`](crate::Error::Cancelled), [`Error::BadParameter`](crate::Error::BadParameter).
///
/// # Panics
/// If `rows` do not ascend, there are none, or one of them is not in the graph.
pub fn build(
    graph: GraphView<'_>,
    matrix: &MatrixView<'_>,
    rows: Vec<u32>,
    params: &HnswParams,
    pool: &rayon::ThreadPool,
    control: &Control<'_>,
) -> Result<Partition> {
    assert!(
        rows.is_sorted_by(|a, b| a < b) && rows.last().is_some_and(|&last| last < graph.len()),
        "rows of the graph that ascend"
    );
    params.validate()?;
    let vector_at = |place: u32| matrix.row(*rows.get(place as usize)?);
    let quantizer = graph.quantizer;
    let (codes, lengths) = quantizer.encode_each(rows.len() as u32, vector_at, pool, control)?;
    let (base, upper) = link(quantizer, (codes.view(), &lengths), params, None, pool, control)?;
    Ok(Partition {
        follows: keep_together(graph, &rows),
        rows,
        base,
        upper,
        degree: params.degree(),
    })
}

/// Whether the links of these rows lead to each other clearly more often than to others.
fn keep_together(graph: GraphView<'_>, rows: &[u32]) -> bool {
    let members = RowBits::from_rows(graph.len(), rows.iter().copied());
    let (mut links, mut matching) = (0, 0);
    for link in rows.iter().flat_map(|&row| graph.base.of(row)) {
        links += 1;
        matching += u64::from(members.contains(link));
    }
    follows(matching, links, rows.len() as f64 / f64::from(graph.len()))
}
