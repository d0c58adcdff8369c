//! One score made of a point's similarities to several examples.

use super::finite;

/// What a point's similarities to the examples of a query are made into. The similarities come in one list, in the order
/// that each kind names.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Mix {
    /// The one similarity.
    Only,
    /// Recommendation by the best example: so many positive ones, then negative ones.
    Best {
        /// Positive examples.
        positives: usize,
    },
    /// The target, then pairs of a positive and a negative example: on how many sides it is right, then the target.
    Discover,
    /// Pairs of a positive and a negative example: how far on the wrong sides it is, at most 0.
    Context,
    /// Each similarity times its weight.
    Weighted(Vec<f64>),
}

impl Mix {
    /// Similarities to `positives` examples are added, those to `negatives` subtracted.
    pub(crate) fn sums(positives: usize, negatives: usize) -> Mix {
        let mut weights = vec![1.0; positives];
        weights.resize(positives + negatives, -1.0);
        Mix::Weighted(weights)
    }

    /// Naive relevance feedback: `a` times the similarity to the target, and for each pair of examples of which one was
    /// scored `d` higher than the other `d^b * c` times the difference of the similarities to the two. The similarities are
    /// those to the target, and to the examples in the order of `scores`.
    ///
    /// That is a weight for each similarity, which is found here once. `None` where one is beyond an `f32`: scores could then
    /// be no numbers.
    pub(crate) fn feedback((a, b, c): (f32, f32, f32), scores: &[f32]) -> Option<Mix> {
        let mut weights = vec![0.0; scores.len() + 1];
        weights[0] = f64::from(a);
        for (better, &high) in scores.iter().enumerate() {
            for (worse, &low) in scores.iter().enumerate() {
                let gap = f64::from(high) - f64::from(low);
                if gap > 0.0 {
                    let weight = gap.powf(f64::from(b)) * f64::from(c);
                    weights[better + 1] += weight;
                    weights[worse + 1] -= weight;
                }
            }
        }
        let are_finite = weights.iter().all(|&weight| (weight as f32).is_finite());
        are_finite.then_some(Mix::Weighted(weights))
    }

    /// The score of a point with these similarities. Finite if they are.
    pub(crate) fn score(&self, similarities: &[f32]) -> f32 {
        match self {
            Mix::Only => similarities.first().copied().unwrap_or(0.0),
            Mix::Best { positives } => {
                let (positive, negative) = similarities.split_at((*positives).min(similarities.len()));
                let best = |some: &[f32]| some.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let (positive, negative) = (best(positive), best(negative));
                finite(if positive > negative {
                    share(positive)
                } else {
                    -share(negative)
                })
            }
            Mix::Discover => {
                let Some((&target, pairs)) = similarities.split_first() else {
                    return 0.0;
                };
                let side = |pair: &[f32]| match pair {
                    [positive, negative] if positive > negative => 1.0,
                    [positive, negative] if positive < negative => -1.0,
                    _ => 0.0,
                };
                finite(pairs.chunks(2).map(side).sum::<f64>() + share(target))
            }
            Mix::Context => {
                let loss = |pair: &[f32]| match pair {
                    [positive, negative] => {
                        let margin = f64::from(*positive) - f64::from(*negative) - f64::from(f32::EPSILON);
                        squash(margin.min(0.0))
                    }
                    _ => 0.0,
                };
                finite(similarities.chunks(2).map(loss).sum())
            }
            Mix::Weighted(weights) => {
                let products = weights.iter().zip(similarities);
                finite(
                    products
                        .map(|(weight, &similarity)| weight * f64::from(similarity))
                        .sum(),
                )
            }
        }
    }
}

/// From all numbers to those between -1 and 1, in their order.
fn squash(x: f64) -> f64 {
    x / (1.0 + x.abs())
}

/// From all similarities to numbers between 0 and 1, in their order.
fn share(similarity: f32) -> f64 {
    // No example is infinitely far.
    let similarity = f64::from(similarity).clamp(f64::from(f32::MIN), f64::from(f32::MAX));
    0.5 * (squash(similarity) + 1.0)
}

#[cfg(test)]
mod tests;
