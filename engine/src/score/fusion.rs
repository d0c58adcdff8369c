//! One list made of several.

use std::collections::HashMap;
use std::hash::Hash;

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

/// What the points of several lists, each with its best first, are worth together; in no order. A point that is in one list
/// more than once counts with its best place there.
pub(crate) fn fuse<K: Copy + Eq + Hash>(fusion: &Fusion, lists: &[Vec<(K, f32)>]) -> HashMap<K, f32> {
    let mut sums: HashMap<K, (f64, usize)> = HashMap::new();
    for (at, list) in lists.iter().enumerate() {
        let scores: Vec<f32> = list.iter().map(|&(_, score)| score).collect();
        for (&(key, _), worth) in list.iter().zip(fusion.worth(at, &scores)) {
            let (sum, counted) = sums.entry(key).or_default();
            if *counted <= at {
                *sum += worth;
                *counted = at + 1;
            }
        }
    }
    let rounded = sums.into_iter().map(|(key, (sum, _))| (key, finite(sum)));
    rounded.collect()
}

#[cfg(test)]
mod tests;
