//! One list made of several.

use super::finite;

/// The usual constant of reciprocal rank fusion here.
pub const DEFAULT_RRF_K: u32 = 2;

/// How the results of several prefetches become one list.
#[derive(Clone, Debug, PartialEq)]
pub enum Fusion {
    /// Reciprocal rank fusion: a point gets `1 / (rank + k)` of each list that it is in, ranks from 0. With the weight `w`
    /// of a list that is `1 / ((rank + 1) / w + k - 1)`, and 0 for the weight 0.
    ///
    /// Cormack, Clarke, Buettcher: "Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning Methods",
    /// 2009.
    Rrf {
        /// How much first places count: less with a larger `k`. At least 1; [`DEFAULT_RRF_K`] is usual.
        k: u32,
        /// One for each prefetch, finite and not negative. All are 1 by default.
        weights: Option<Vec<f32>>,
    },
    /// Distribution-based score fusion: in each list three standard deviations below the mean become 0 and three above
    /// become 1, and a point gets the sum. In a list of one point, or of equal scores, each gets 0.5.
    ///
    /// Scores are taken as they are returned, so lists of Euclid or Manhattan distances favour far points: fuse those by
    /// ranks.
    Dbsf,
}

impl Fusion {
    /// Reciprocal ranks with the usual constant.
    pub fn rrf() -> Self {
        Fusion::Rrf {
            k: DEFAULT_RRF_K,
            weights: None,
        }
    }

    /// What each entry of a list is worth, by its rank. `list` is the place among the lists.
    fn worth(&self, list: usize, scores: &[f32]) -> Vec<f64> {
        match self {
            Fusion::Rrf { k, weights } => {
                let weights = weights.as_ref().and_then(|weights| weights.get(list));
                let weight = weights.map_or(1.0, |&weight| f64::from(weight));
                let worth = |rank: usize| reciprocal(rank, f64::from(*k), weight);
                (0..scores.len()).map(worth).collect()
            }
            Fusion::Dbsf => standardised(scores),
        }
    }
}

fn reciprocal(rank: usize, k: f64, weight: f64) -> f64 {
    if weight == 0.0 {
        return 0.0;
    }
    1.0 / ((rank as f64 + 1.0) / weight + k - 1.0)
}

/// Scores on the scale on which three standard deviations of the sample below the mean are 0, and three above are 1.
fn standardised(scores: &[f32]) -> Vec<f64> {
    const MIDDLE: f64 = 0.5;
    let count = scores.len() as f64;
    let mean = scores.iter().map(|&score| f64::from(score)).sum::<f64>() / count;
    let squares = scores.iter().map(|&score| (f64::from(score) - mean).powi(2));
    let deviation = (squares.sum::<f64>() / (count - 1.0)).sqrt();
    let standardise = |&score: &f32| {
        // Of one score the deviation is no number.
        if deviation > 0.0 {
            (f64::from(score) - (mean - 3.0 * deviation)) / (6.0 * deviation)
        } else {
            MIDDLE
        }
    };
    scores.iter().map(standardise).collect()
}

/// The points of several lists, each with its best first, and what they are worth together; in the order of their keys. A point
/// that is in one list more than once counts with its best place there.
pub(crate) fn fuse<T, K: Copy + Ord>(
    fusion: &Fusion,
    lists: Vec<Vec<T>>,
    of: impl Fn(&T) -> (K, f32),
) -> Vec<(T, f32)> {
    let mut points = Vec::new();
    // Of each its list, its place among all, and what it is worth.
    let mut entries = Vec::new();
    for (number, list) in lists.into_iter().enumerate() {
        let (keys, scores): (Vec<K>, Vec<f32>) = list.iter().map(&of).unzip();
        let worth = fusion.worth(number, &scores);
        let places = points.len()..;
        let keyed = keys.into_iter().zip(places).zip(worth);
        entries.extend(keyed.map(|((key, at), worth)| (key, number, at, worth)));
        points.extend(list.into_iter().map(Some));
    }
    // Lists are summed up in their order: sorting costs less than hashing, and the same sum comes out each time.
    entries.sort_unstable_by_key(|&(key, _, at, _)| (key, at));
    let mut fused = Vec::with_capacity(entries.len());
    for point in entries.chunk_by(|a, b| a.0 == b.0) {
        let best = point.chunk_by(|a, b| a.1 == b.1).filter_map(<[_]>::first);
        let sum = best.fold(0.0, |sum, (.., worth)| sum + worth);
        let first = point
            .first()
            .and_then(|&(_, _, at, _)| points.get_mut(at)?.take());
        fused.extend(first.map(|first| (first, finite(sum))));
    }
    fused
}

#[cfg(test)]
mod tests;
