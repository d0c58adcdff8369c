use super::*;

fn bytes(vector: &[(u32, f32)]) -> Vec<u8> {
    let (dimensions, values): (Vec<u32>, Vec<f32>) = vector.iter().copied().unzip();
    let mut out = Vec::new();
    SparseView::new(&dimensions, &values).unwrap().encode(&mut out);
    out
}

#[test]
fn rare_dimensions_weigh_more() {
    let mut rarity = Rarity {
        dimensions: vec![2, 5, 8],
        frequencies: vec![0; 3],
        vectors: 0,
    };
    for vector in [
        bytes(&[(2, 1.0), (5, 0.5)]),
        bytes(&[(2, 9.0)]),
        bytes(&[(1, 1.0), (2, 1.0), (3, 1.0), (4, 1.0)]),
        bytes(&[]),
    ] {
        rarity.count(Some(&vector));
    }
    rarity.count(None);
    assert_eq!((rarity.vectors, &*rarity.frequencies), (4, &[3, 1, 0][..]));
    let idf = |df: f64| (((4.0 - df + 0.5) / (df + 0.5)) + 1.0).ln() as f32;
    let weighed = rarity.weighed(&bytes(&[(2, 2.0), (5, -1.0), (8, 1.0)]));
    with_sparse(&weighed, |view| {
        assert_eq!(view.dimensions(), [2, 5, 8]);
        for (found, expected) in view.values().iter().zip([2.0 * idf(3.0), -idf(1.0), idf(0.0)]) {
            assert!((found - expected).abs() < 1e-6, "{found} for {expected}");
        }
    })
    .unwrap();
}

#[test]
fn weights_stay_finite() {
    let rarity = Rarity {
        dimensions: vec![1],
        frequencies: vec![0],
        vectors: i64::MAX,
    };
    let weighed = rarity.weighed(&bytes(&[(1, f32::MAX)]));
    assert_eq!(with_sparse(&weighed, |view| view.values()[0]), Some(f32::MAX));
}
