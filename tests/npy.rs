//! The demo data: 5,000 synsets of WordNet with their embeddings.

use half::f16;

/// Rows of the demo data's matrix.
pub const ROWS: usize = 5_000;
/// Numbers of a row.
pub const DIM: usize = 384;

/// The embeddings, row by row: `tests/data/wordnet/wordnet-5k.f16.npy`, a C-ordered `<f2` matrix of 5,000 x 384.
pub fn wordnet() -> Vec<Vec<f32>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/wordnet/wordnet-5k.f16.npy");
    let bytes = std::fs::read(path).expect(path);
    let data = ROWS * DIM * 2;
    let (header, numbers) = bytes.split_at(bytes.len() - data);
    let header = String::from_utf8_lossy(header);
    assert!(
        header.contains("'<f2'") && header.contains("(5000, 384)"),
        "unexpected header {header}"
    );
    let row = |row: &[u8]| {
        row.chunks_exact(2)
            .map(|n| f16::from_le_bytes([n[0], n[1]]).to_f32())
            .collect()
    };
    numbers.chunks_exact(DIM * 2).map(row).collect()
}
