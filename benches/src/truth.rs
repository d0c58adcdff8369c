//! The true neighbours: every row compared with every query by plain sums that share no code with the database.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use vdb::Distance;

/// Sums that are added up side by side, so that the compiler can use whole vector registers.
const LANES: usize = 16;

/// What is searched.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) distance: Distance,
    /// Numbers in a row.
    pub(crate) dim: usize,
    /// Row-major.
    pub(crate) vectors: &'a [f32],
}

/// The numbers of the `limit` rows nearest to each query, nearest first, ties by number; of the rows for which `among`
/// is set, if it is given. On all processors.
pub(crate) fn nearest(
    set: Rows<'_>,
    queries: &[Vec<f32>],
    limit: usize,
    among: Option<&[bool]>,
) -> Vec<Vec<u64>> {
    let rows: Vec<usize> = (0..set.vectors.len() / set.dim.max(1))
        .filter(|row| among.is_none_or(|among| among.get(*row) == Some(&true)))
        .collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut found = Vec::new();
        loop {
            let number = next.fetch_add(1, Relaxed);
            match queries.get(number) {
                Some(query) => found.push((number, of_query(set, query, limit, &rows))),
                None => return found,
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut found: Vec<(usize, Vec<u64>)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let done = workers.into_iter().map(|worker| worker.join());
        done.flat_map(|part| part.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    found.sort_unstable_by_key(|(number, _)| *number);
    found.into_iter().map(|(_, rows)| rows).collect()
}

fn of_query(set: Rows<'_>, query: &[f32], limit: usize, rows: &[usize]) -> Vec<u64> {
    let far = |row: &usize| {
        (
            distance(set.distance, query, &set.vectors[row * set.dim..][..set.dim]),
            *row,
        )
    };
    let mut all: Vec<(f32, usize)> = rows.iter().map(far).collect();
    let order = |a: &(f32, usize), b: &(f32, usize)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
    if limit < all.len() {
        all.select_nth_unstable_by(limit, order);
        all.truncate(limit);
    }
    all.sort_unstable_by(order);
    // Not by `into_iter`, whose `collect` would keep the memory of all rows for each query.
    all.iter().map(|&(_, row)| row as u64).collect()
}

/// Smaller is nearer.
fn distance(distance: Distance, a: &[f32], b: &[f32]) -> f32 {
    match distance {
        Distance::Cosine | Distance::Dot => -sum(a, b, |x, y| x * y),
        Distance::Euclid => sum(a, b, |x, y| (x - y) * (x - y)),
        Distance::Manhattan => sum(a, b, |x, y| (x - y).abs()),
    }
}

fn sum(a: &[f32], b: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    let (a, b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f32 = a
        .remainder()
        .iter()
        .zip(b.remainder())
        .map(|(x, y)| term(*x, *y))
        .sum();
    let mut lanes = [0.0; LANES];
    for (a, b) in a.zip(b) {
        for ((lane, x), y) in lanes.iter_mut().zip(a).zip(b) {
            *lane += term(*x, *y);
        }
    }
    lanes.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests;
