use std::hash::Hasher;

use proptest::prelude::*;
use vdb_storage::PointId;

use super::{Slice, sip_hash};

#[test]
fn the_hash_is_that_of_the_paper() {
    let (low, high) = (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908);
    let input: Vec<u8> = (0..15).collect();
    assert_eq!(sip_hash(&input, low, high), 0xa129_ca61_49be_45e5);
    assert_eq!(sip_hash(&[], low, high), 0x726f_db47_dd0e_0e31);
}

proptest! {
    #[test]
    fn the_hash_is_the_one_that_the_standard_library_once_had(
        bytes in proptest::collection::vec(any::<u8>(), 0..40), low in any::<u64>(), high in any::<u64>(),
    ) {
        #[expect(deprecated, reason = "an implementation by others to compare with")]
        let mut hasher = std::hash::SipHasher::new_with_keys(low, high);
        hasher.write(&bytes);
        prop_assert_eq!(sip_hash(&bytes, low, high), hasher.finish());
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
