//! What rows of any source are.

use vdb::Vector;
use vdb_interop::{MAX_DIM, RowSource};

/// Reads at most so many rows: numbers are finite, errors say something, and nothing follows a fatal one.
pub fn drain(rows: &mut dyn RowSource, most: usize) {
    for _ in 0..most {
        match rows.next() {
            None => return,
            Some(Ok(row)) => {
                for vector in row.vectors.0.values() {
                    let parts: Vec<&[f32]> = match vector {
                        Vector::Dense(numbers) => vec![numbers],
                        Vector::Sparse(sparse) => vec![&sparse.values],
                        Vector::Multi(rows) => rows.iter().map(Vec::as_slice).collect(),
                    };
                    for part in parts {
                        assert!(part.len() <= MAX_DIM && part.iter().all(|number| number.is_finite()));
                    }
                }
            }
            Some(Err(error)) => {
                assert!(!error.to_string().is_empty());
                if !error.is_skippable() {
                    assert!(rows.next().is_none(), "a row after the end");
                    return;
                }
            }
        }
    }
}
