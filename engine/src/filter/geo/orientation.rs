//! On which side of a line is a position?
//!
//! The sign of a determinant of doubles, without rounding: a quick answer where rounding cannot have changed it, and
//! else the exact sum of the six products (J. R. Shewchuk: "Adaptive Precision Floating-Point Arithmetic and Fast
//! Robust Geometric Predicates", 1997). A position on an edge is on it, whichever way the edge is written.

use std::cmp::Ordering;

use super::GeoPoint;

/// Bound on the relative rounding error of the quick determinant: (3 + 16 u) u for a unit roundoff u of 2^-53.
const ROUNDING: f64 = (3.0 + 16.0 * UNIT) * UNIT;
const UNIT: f64 = f64::EPSILON / 2.0;

/// `Greater` when `point` is to the left of the line from `a` to `b`, `Less` to the right, `Equal` on the line.
pub(super) fn side(a: GeoPoint, b: GeoPoint, point: GeoPoint) -> Ordering {
    let left = (a.lon - point.lon) * (b.lat - point.lat);
    let right = (a.lat - point.lat) * (b.lon - point.lon);
    let quick = left - right;
    if quick.abs() > ROUNDING * (left.abs() + right.abs()) {
        return sign(quick);
    }
    exact(a, b, point)
}

fn exact(a: GeoPoint, b: GeoPoint, point: GeoPoint) -> Ordering {
    let factors = [
        (a.lon, b.lat),
        (-a.lon, point.lat),
        (-point.lon, b.lat),
        (-a.lat, b.lon),
        (a.lat, point.lon),
        (point.lat, b.lon),
    ];
    // Summands that do not overlap, smallest first: their sign is that of the last one that is not zero.
    let mut sum = [0.0; 12];
    let mut len = 0;
    for (x, y) in factors {
        let high = x * y;
        // What rounding took away, exactly.
        let low = x.mul_add(y, -high);
        for summand in [low, high] {
            let mut carried = summand;
            for slot in sum.iter_mut().take(len) {
                (carried, *slot) = two_sum(carried, *slot);
            }
            if let Some(slot) = sum.get_mut(len) {
                *slot = carried;
            }
            len += 1;
        }
    }
    let leading = sum.into_iter().rev().find(|summand| *summand != 0.0);
    sign(leading.unwrap_or(0.0))
}

/// The rounded sum, and what rounding took away (D. E. Knuth).
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let of_b = sum - a;
    let of_a = sum - of_b;
    (sum, (a - of_a) + (b - of_b))
}

fn sign(number: f64) -> Ordering {
    number.partial_cmp(&0.0).unwrap_or(Ordering::Equal)
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use proptest::prelude::*;

    use super::{GeoPoint, side};

    /// A position on a grid fine enough that the determinant of three needs more digits than a double has, together
    /// with its place on the grid.
    fn on_grid() -> impl Strategy<Value = (GeoPoint, [i128; 2])> {
        let step = 2_f64.powi(-44);
        let cell = || prop_oneof![-(1_i64 << 50)..1 << 50, -4_i64..4, ((1_i64 << 50) - 4)..(1 << 50)];
        (cell(), cell()).prop_map(move |(x, y)| {
            let point = GeoPoint {
                lon: x as f64 * step,
                lat: y as f64 * step,
            };
            (point, [x.into(), y.into()])
        })
    }

    proptest! {
        #[test]
        fn the_side_is_that_of_integer_arithmetic(
            (a, [ax, ay]) in on_grid(), (b, [bx, by]) in on_grid(), (p, [px, py]) in on_grid(), along in -3_i128..4,
        ) {
            let determinant = |px: i128, py: i128| (ax - px) * (by - py) - (ay - py) * (bx - px);
            prop_assert_eq!(side(a, b, p), determinant(px, py).cmp(&0));
            // On the line, and one step beside it.
            let (x, y) = (ax + along * (bx - ax), ay + along * (by - ay));
            let step = 2_f64.powi(-44);
            for beside in -1..=1 {
                let p = GeoPoint { lon: x as f64 * step, lat: (y + beside) as f64 * step };
                prop_assert_eq!(side(a, b, p), determinant(x, y + beside).cmp(&0));
            }
            prop_assert_eq!(side(a, a, p), Ordering::Equal);
        }
    }
}
