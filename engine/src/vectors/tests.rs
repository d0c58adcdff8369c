use super::*;
use crate::config::Distance;

#[test]
fn half_precision_refuses_only_what_would_be_stored_too_large() {
    let params = |distance| VectorParams::new(2, distance).element(Element::F16);
    let large = Vector::from([3e6f32, 4e6]);
    let stored = encode_query("v", &params(Distance::Cosine), &large).unwrap();
    assert_eq!(
        decode(&params(Distance::Cosine), &stored)
            .iter()
            .map(|x| (x * 100.0).round())
            .collect::<Vec<_>>(),
        [60.0, 80.0]
    );
    for distance in [Distance::Dot, Distance::Euclid, Distance::Manhattan] {
        let refused = encode_query("v", &params(distance), &large);
        assert!(
            matches!(refused, Err(Error::OutOfRange { index: 0, .. })),
            "{refused:?}"
        );
    }
}
