//! What makes a score of counts.

use super::prepared::Prepared;

/// What the points of all tables have together.
#[derive(Default)]
pub(super) struct Totals {
    /// Points with tokens.
    pub(super) points: u64,
    pub(super) tokens: u64,
    /// Points with each token of the query.
    pub(super) points_with: Vec<u64>,
}

/// What makes a score of counts.
pub(super) struct Weights {
    /// Of each token.
    rarity: Vec<f64>,
    k1: f64,
    b: f64,
    average: f64,
}

impl Weights {
    pub(super) fn new(query: &Prepared<'_>, totals: &Totals) -> Self {
        let points = totals.points as f64;
        let rarity = |with: &u64| {
            let with = *with as f64;
            (1.0 + (points - with + 0.5).max(0.5) / (with + 0.5)).ln()
        };
        Self {
            rarity: totals.points_with.iter().map(rarity).collect(),
            k1: query.k1,
            b: query.b,
            average: totals.tokens as f64 / points.max(1.0),
        }
    }

    /// The score of a point of so many tokens that has those of the query, by ascending number, so often.
    pub(super) fn score(&self, length: u32, terms: impl Iterator<Item = (usize, u32)>) -> f32 {
        let relative = f64::from(length) / self.average.max(f64::MIN_POSITIVE);
        let damping = self.k1 * (1.0 - self.b + self.b * relative);
        let worth = |(number, count): (usize, u32)| {
            let frequency = f64::from(count);
            let rarity = self.rarity.get(number).copied().unwrap_or_default();
            rarity * frequency * (self.k1 + 1.0) / (frequency + damping)
        };
        terms.map(worth).sum::<f64>() as f32
    }
}
