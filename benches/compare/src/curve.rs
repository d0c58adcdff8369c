//! Recall against speed: the best points of a system, and its speed at a given recall.

use vdb_measure::Line;

/// Recalls at which systems are compared.
pub(crate) const LEVELS: [f64; 3] = [0.95, 0.98, 0.99];

/// A speed at a level of recall.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Speed {
    pub(crate) qps: f64,
    /// The fastest setting that was measured has a better recall than the level: a worse one might be faster.
    pub(crate) at_least: bool,
}

/// Points of one system, those only than which no other is better in both, from the lowest recall to the highest.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Curve {
    points: Vec<(f64, f64)>,
}

impl Curve {
    /// That of the measurements of one system.
    pub(crate) fn of<'a>(lines: impl IntoIterator<Item = &'a Line>) -> Curve {
        let mut points: Vec<(f64, f64)> = lines.into_iter().map(|line| (line.recall, line.qps)).collect();
        points.retain(|(recall, qps)| recall.is_finite() && *qps > 0.0);
        // From the best recall downwards a point counts if it is faster than all before it.
        points.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1)));
        let mut fastest = 0.0;
        points.retain(|(_, qps)| {
            let better = *qps > fastest;
            fastest = qps.max(fastest);
            better
        });
        points.reverse();
        Curve { points }
    }

    /// Recall and queries a second, from the lowest recall to the highest.
    pub(crate) fn points(&self) -> &[(f64, f64)] {
        &self.points
    }

    /// The best recall that was reached.
    pub(crate) fn best_recall(&self) -> Option<f64> {
        self.points.last().map(|(recall, _)| *recall)
    }

    /// Queries a second at a recall: between two settings along the line of their logarithms; none beyond the best.
    pub(crate) fn at(&self, recall: f64) -> Option<Speed> {
        let above = self.points.iter().position(|(reached, _)| *reached >= recall)?;
        let (high, slow) = self.points[above];
        let Some((low, fast)) = above.checked_sub(1).map(|below| self.points[below]) else {
            return Some(Speed {
                qps: slow,
                at_least: high > recall,
            });
        };
        let share = (recall - low) / (high - low);
        Some(Speed {
            qps: (fast.ln() + (slow.ln() - fast.ln()) * share).exp(),
            at_least: false,
        })
    }
}

#[cfg(test)]
mod tests;
