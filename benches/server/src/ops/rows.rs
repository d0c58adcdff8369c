//! Rows and queries that anybody can make again.

use vdb_benches::Dataset;

use super::Dice;

/// Rows and queries around some centres, as embeddings lie: of length one, the same for the same numbers.
pub fn random(rows: usize, dim: usize, queries: usize) -> Dataset {
    const CENTRES: usize = 256;
    let mut dice = Dice::new(rows as u64 + 31 * dim as u64);
    // The sum of a few even draws is near enough to a normal one.
    let mut draw = || {
        (0..4)
            .map(|_| dice.below(1 << 20) as f32 / (1 << 20) as f32 - 0.5)
            .sum::<f32>()
    };
    let centres: Vec<f32> = (0..CENTRES * dim).map(|_| draw()).collect();
    let mut near = |number: usize| -> Vec<f32> {
        let centre = centres.iter().skip(number % CENTRES * dim).take(dim);
        let vector: Vec<f32> = centre.map(|middle| middle + 0.6 * draw()).collect();
        let length = vector
            .iter()
            .map(|number| number * number)
            .sum::<f32>()
            .sqrt()
            .max(f32::MIN_POSITIVE);
        vector.into_iter().map(|number| number / length).collect()
    };
    Dataset {
        name: "random".to_owned(),
        dim,
        distance: vdb::Distance::Cosine,
        vectors: (0..rows).flat_map(&mut near).collect(),
        queries: (0..queries).map(|query| near(7 * query)).collect(),
        payloads: Vec::new(),
        asked: Vec::new(),
        known: Vec::new(),
    }
}
