use std::hash::Hasher;

use proptest::prelude::*;
use vdb_storage::PointId;

use super::{LANES, Slice, keyed_sip_hash};

#[test]
fn the_hash_is_that_of_the_paper() {
    let (low, high) = (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908);
    assert_eq!(keyed_sip_hash([[]], low, high), [0x726f_db47_dd0e_0e31]);
    assert_eq!(keyed_sip_hash([[low]], low, high), [0x93f5_f579_9a93_2462]);
    assert_eq!(keyed_sip_hash([[low, high]], low, high), [0x3f2a_cc7f_57c2_9bdb]);
}

proptest! {
    #[test]
    fn the_hash_is_the_one_that_the_standard_library_once_had(
        words in any::<[u64; 4]>(), low in any::<u64>(), high in any::<u64>(),
    ) {
        #[expect(deprecated, reason = "an implementation by others to compare with")]
        let mut hasher = std::hash::SipHasher::new_with_keys(low, high);
        words.iter().for_each(|word| hasher.write(&word.to_le_bytes()));
        prop_assert_eq!(keyed_sip_hash([words; 3], low, high), [hasher.finish(); 3]);
    }

    #[test]
    fn rows_of_a_slice_are_those_of_its_points(
        numbers in proptest::collection::vec(any::<u64>(), 0..4 * LANES),
        uuids in proptest::collection::vec(any::<[u8; 16]>(), 0..4 * LANES),
        total in prop_oneof![1_u32..9, any::<u32>().prop_map(|total| total.max(1))], index in any::<u32>(),
    ) {
        let slice = Slice { total, index: index % total };
        let ids = numbers.iter().map(|number| PointId::Num(*number));
        let ids = ids.chain(uuids.iter().map(|uuid| PointId::Uuid(uuid::Uuid::from_bytes(*uuid))));
        let expected: Vec<u32> = (0..).zip(ids).filter(|(_, id)| slice.contains(*id)).map(|(row, _)| row).collect();
        prop_assert_eq!(slice.rows_among(&numbers, &uuids).iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn every_point_is_in_one_slice_and_finer_slices_lie_within_coarser(
        number in any::<u64>(), uuid in any::<u128>(), total in 1_u32..50, times in 1_u32..5,
    ) {
        for id in [PointId::Num(number), PointId::Uuid(uuid::Uuid::from_u128(uuid))] {
            let of = |total: u32| {
                let slices = (0..total).filter(|&index| Slice { total, index }.contains(id));
                slices.collect::<Vec<_>>()
            };
            let (coarse, fine) = (of(total), of(total * times));
            prop_assert_eq!((coarse.len(), fine.len()), (1, 1));
            prop_assert_eq!(fine[0] % total, coarse[0]);
        }
    }
}
