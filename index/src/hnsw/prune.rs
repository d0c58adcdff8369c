//! Which candidates become neighbours: the heuristic of Malkov & Yashunin (2018), algorithm 4, with the slack
//! factor of Vamana (Subramanya et al., NeurIPS 2019, algorithm 2).
//!
//! Candidates come nearest first. One is dropped if it is nearer to a neighbour already chosen than to the node
//! itself, by more than `alpha`: the way to it leads through that neighbour. Candidates exactly as near to a
//! chosen neighbour as to the node are kept, so that equal vectors do not collapse to one link each.

use std::cmp::Ordering;

/// A candidate for a link: its distance from the node, and its row.
pub(crate) type Near = (f32, u32);

/// Which of two candidates for links of `node` comes first: the nearer one.
///
/// Ties go by a hash of both rows: were they broken by the row alone, a thousand equal vectors would all choose
/// the same few neighbours, and nothing would lead to the others.
pub(crate) fn order(node: u32, a: &Near, b: &Near) -> Ordering {
    let hash = |near: &Near| crate::mix(u64::from(node) << 32 | u64::from(near.1));
    a.0.total_cmp(&b.0).then_with(|| hash(a).cmp(&hash(b)))
}

/// Sorts candidates nearest first.
pub(crate) fn sort(node: u32, candidates: &mut [Near]) {
    candidates.sort_unstable_by(|a, b| order(node, a, b));
}

/// How near a chosen neighbour has to be to a candidate at `distance` from the node for it to be dropped. Inner products as
/// distances can be below 0.
#[inline]
pub(crate) fn bar(distance: f32, alpha: f32) -> f32 {
    if distance < 0.0 {
        distance * alpha
    } else {
        distance / alpha
    }
}

/// Chooses at most `degree` of the candidates, which are sorted, into `chosen`.
///
/// `nearer(row, bar, chosen)` answers whether a chosen row is nearer to `row` than `bar`.
pub(crate) fn choose(
    candidates: &[Near],
    degree: usize,
    alpha: f32,
    chosen: &mut Vec<Near>,
    mut nearer: impl FnMut(u32, f32, &[Near]) -> bool,
) {
    chosen.clear();
    for &(distance, row) in candidates {
        if chosen.len() == degree {
            break;
        }
        if !nearer(row, bar(distance, alpha), chosen) {
            chosen.push((distance, row));
        }
    }
}

#[cfg(test)]
mod tests;
