//! Vectors as they are stored, and their scores in `f64`.

use half::f16;
use vdb::{Distance, Element, VectorParams};

/// What is left of a vector once it is stored: normalised under Cosine unless its numbers are bytes, rounded.
pub fn stored(params: &VectorParams, numbers: &[f32]) -> Vec<f32> {
    let length = numbers.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>();
    let normalise = params.distance == Distance::Cosine
        && params.element != Element::U8
        && length > 0.0
        && (length - 1.0).abs() > 1e-6;
    let scale = if normalise { length.sqrt() } else { 1.0 };
    numbers
        .iter()
        .map(|&x| (f64::from(x) / scale) as f32)
        .map(|x| match params.element {
            Element::F32 => x,
            Element::F16 => f16::from_f32(x).to_f32(),
            Element::U8 => f32::from(x as u8),
        })
        .collect()
}

/// How far a stored number or a score may be off: the engine works in `f32` and rounds to the element type.
pub fn tolerance(params: &VectorParams, magnitude: f64) -> f64 {
    let relative = match (params.distance, params.element) {
        // Normalising in another precision may round the other way.
        (Distance::Cosine, Element::F16) => 2e-3,
        _ => 1e-4,
    };
    relative * magnitude.abs().max(1.0)
}

/// The public score of two stored vectors.
pub fn score(params: &VectorParams, query: &[f32], row: &[f32]) -> f64 {
    let pairs = || query.iter().zip(row).map(|(&a, &b)| (f64::from(a), f64::from(b)));
    let dot: f64 = pairs().map(|(a, b)| a * b).sum();
    match params.distance {
        Distance::Dot => dot,
        Distance::Cosine if params.element == Element::U8 => {
            let (a, b): (f64, f64) = pairs().fold((0.0, 0.0), |(x, y), (a, b)| (x + a * a, y + b * b));
            if a == 0.0 || b == 0.0 {
                0.0
            } else {
                dot / (a.sqrt() * b.sqrt())
            }
        }
        Distance::Cosine => dot,
        Distance::Euclid => pairs().map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt(),
        Distance::Manhattan => pairs().map(|(a, b)| (a - b).abs()).sum(),
    }
}

/// How much better the first score is; negative when it is worse.
pub fn lead(distance: Distance, a: f64, b: f64) -> f64 {
    if distance.larger_is_nearer() { a - b } else { b - a }
}
