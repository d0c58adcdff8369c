//! Made-up vectors for benchmarks.

/// Vectors around random centres, the same in every run: `rows x dim` numbers, row-major.
pub fn clustered(rows: usize, dim: usize, clusters: usize, seed: u64) -> Vec<f32> {
    let mut state = seed;
    let mut unit = move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = state;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ (x >> 31)) >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    let centres: Vec<f32> = (0..clusters * dim).map(|_| unit()).collect();
    let mut out = Vec::with_capacity(rows * dim);
    for row in 0..rows {
        let centre = &centres[row % clusters * dim..][..dim];
        out.extend(centre.iter().map(|c| c + 0.4 * unit()));
    }
    out
}
