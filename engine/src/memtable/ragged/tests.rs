use super::*;

/// A vector with ones at these dimensions.
fn stored(dimensions: &[u32]) -> Vec<u8> {
    let values = dimensions.iter().flat_map(|_| 1.0f32.to_le_bytes());
    let dimensions = dimensions.iter().flat_map(|dimension| dimension.to_le_bytes());
    dimensions.chain(values).collect()
}

/// Of each vector: one dimension that all have, one of its own, and one that every seventh has.
fn dimensions(place: u32) -> Vec<u32> {
    let seventh = place.is_multiple_of(7).then_some(5_000_000);
    [1, 100 + place].into_iter().chain(seventh).collect()
}

#[test]
fn a_full_block_knows_which_vectors_have_a_dimension() {
    let ragged = MemRagged::new(true);
    for place in 0..BLOCK * 2 + 5 {
        assert_eq!(ragged.push(place + 9, &stored(&dimensions(place))), place);
    }
    assert_eq!(ragged.kept(), 0);
    for first in [0, BLOCK] {
        let block = ragged.block(first).unwrap();
        assert_eq!(block.with(1).len(), BLOCK as usize);
        assert_eq!(block.with(100 + first + 3), [3]);
        assert_eq!(block.with(99), [0u8; 0]);
        let any: Vec<u32> = block.with_any(&[5_000_000, 100 + first + 1, 7]).collect();
        let expected: Vec<u32> = (0..BLOCK)
            .filter(|at| (first + at).is_multiple_of(7) || *at == 1)
            .collect();
        assert_eq!(any, expected);
    }
    let held = ragged.kept();
    assert!(held > 0 && held < ragged.bytes());
    assert!(ragged.block(0).is_some());
    assert_eq!(ragged.kept(), held);
    // The last block is not full.
    assert!(ragged.block(2 * BLOCK).is_none());
    assert_eq!(ragged.at(BLOCK).map(|(row, _)| row), Some(BLOCK + 9));
    assert_eq!(ragged.iter_from(2 * BLOCK).count(), 5);
}

#[test]
fn multivectors_have_no_blocks() {
    let ragged = MemRagged::new(false);
    for row in 0..BLOCK {
        ragged.push(row, &[0; 8]);
    }
    assert!(ragged.block(0).is_none());
}
