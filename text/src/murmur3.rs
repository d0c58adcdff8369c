//! MurmurHash3, the variant for x86 with 32 bits: <https://github.com/aappleby/smhasher>, in the public domain.

/// The hash of `bytes`, started from `seed`.
pub(crate) fn murmur3_32(bytes: &[u8], seed: u32) -> u32 {
    let (blocks, tail) = bytes.as_chunks::<4>();
    let mut hash = seed;
    for &block in blocks {
        hash ^= scramble(u32::from_le_bytes(block));
        hash = hash.rotate_left(13).wrapping_mul(5).wrapping_add(0xE654_6B64);
    }
    let mut last = [0; 4];
    last[..tail.len()].copy_from_slice(tail);
    hash ^= scramble(u32::from_le_bytes(last));
    // The algorithm mixes in 32 bits of the length.
    hash ^= bytes.len() as u32;
    hash ^= hash >> 16;
    hash = hash.wrapping_mul(0x85EB_CA6B);
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(0xC2B2_AE35);
    hash ^ (hash >> 16)
}

/// What is mixed in of four bytes; nothing of zeros, so that a tail of no bytes needs no case of its own.
fn scramble(block: u32) -> u32 {
    block
        .wrapping_mul(0xCC9E_2D51)
        .rotate_left(15)
        .wrapping_mul(0x1B87_3593)
}

#[cfg(test)]
mod tests;
