//! Vectors as they are stored, and their scores in `f64`.

use half::f16;
use vdb::{Distance, Element, NamedVectorParams, SparseVector, Vector, VectorParams};

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

/// What is left of a vector of any kind once it is stored.
pub fn stored_as(params: &NamedVectorParams, vector: &Vector) -> Vector {
    match (params, vector) {
        (NamedVectorParams::Sparse(_), Vector::Sparse(sparse)) => {
            let mut pairs: Vec<(u32, f32)> = pairs(sparse).collect();
            pairs.sort_unstable_by_key(|(index, _)| *index);
            Vector::Sparse(pairs.into())
        }
        (NamedVectorParams::Dense(params), vector) => {
            let stored: Vec<Vec<f32>> = rows(vector).into_iter().map(|row| stored(params, row)).collect();
            match params.multivector {
                Some(_) => stored.into(),
                None => stored.concat().into(),
            }
        }
        (params, vector) => panic!("{vector:?} for {params:?}"),
    }
}

fn pairs(vector: &SparseVector) -> impl Iterator<Item = (u32, f32)> + '_ {
    vector.indices.iter().copied().zip(vector.values.iter().copied())
}

/// A dense vector as the only one of several.
fn rows(vector: &Vector) -> Vec<&[f32]> {
    match vector {
        Vector::Dense(numbers) => vec![numbers],
        Vector::Multi(rows) => rows.iter().map(Vec::as_slice).collect(),
        Vector::Sparse(_) => panic!("{vector:?} is sparse"),
    }
}

/// How scores are ordered.
pub fn distance_of(params: &NamedVectorParams) -> Distance {
    match params {
        NamedVectorParams::Dense(params) => params.distance,
        NamedVectorParams::Sparse(_) => Distance::Dot,
    }
}

/// The public score of two stored vectors, and how far the engine's may be off; none where sparse ones share no dimension.
pub fn score_of(params: &NamedVectorParams, query: &Vector, row: &Vector) -> Option<(f64, f64)> {
    let length = |v: &[f32]| v.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
    match (params, query, row) {
        (NamedVectorParams::Sparse(_), Vector::Sparse(query), Vector::Sparse(row)) => {
            let products: Vec<f64> = pairs(query)
                .filter_map(|(index, weight)| {
                    let (_, value) = pairs(row).find(|(other, _)| *other == index)?;
                    Some(f64::from(weight) * f64::from(value))
                })
                .collect();
            let magnitude: f64 = products.iter().map(|product| product.abs()).sum();
            (!products.is_empty()).then(|| (products.iter().sum(), 1e-5 * magnitude.max(1.0)))
        }
        (NamedVectorParams::Dense(params), query, row) => {
            let larger = params.distance.larger_is_nearer();
            let is_euclid = params.distance == Distance::Euclid;
            let (query, row) = (rows(query), rows(row));
            let best = |part: &[f32]| {
                let scores = row.iter().map(|row| {
                    let score = score(params, part, row);
                    if is_euclid { score * score } else { score }
                });
                scores
                    .reduce(|a, b| if (a > b) == larger { a } else { b })
                    .unwrap()
            };
            let sum: f64 = query.iter().map(|part| best(part)).sum();
            let score = if is_euclid { sum.sqrt() } else { sum };
            let longest = row.iter().map(|row| length(row)).fold(0.0, f64::max);
            // A sum of products is as exact as its terms are small; a root makes small errors large.
            let magnitude: f64 = query.iter().map(|part| length(part) * longest).sum();
            Some((score, tolerance(params, magnitude.max(score))))
        }
        (params, query, row) => panic!("{query:?} and {row:?} for {params:?}"),
    }
}

/// A sparse query whose weights are multiplied by how rare their dimensions are among these vectors.
pub fn weighed<'v>(query: &SparseVector, corpus: impl Iterator<Item = &'v Vector> + Clone) -> SparseVector {
    let n = corpus.clone().count() as f64;
    let weigh = |(index, weight): (u32, f32)| {
        let having = corpus
            .clone()
            .filter(|vector| vector.as_sparse().unwrap().indices.contains(&index));
        let df = having.count() as f64;
        (
            index,
            (f64::from(weight) * ((n - df + 0.5) / (df + 0.5) + 1.0).ln()) as f32,
        )
    };
    pairs(query).map(weigh).collect::<Vec<_>>().into()
}
