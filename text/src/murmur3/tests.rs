use super::*;

/// Vectors that implementations are commonly checked by, those of the reference among them.
#[test]
fn hashes_are_those_that_were_published() {
    for (bytes, seed, hash) in [
        (&b""[..], 0, 0),
        (b"", 1, 0x514E_28B7),
        (b"", 0xFFFF_FFFF, 0x81F1_6F39),
        (b"\xFF\xFF\xFF\xFF", 0, 0x7629_3B50),
        (b"\x21\x43\x65\x87", 0, 0xF55B_516B),
        (b"\x21\x43\x65\x87", 0x5082_EDEE, 0x2362_F9DE),
        (b"\x21\x43\x65", 0, 0x7E4A_8634),
        (b"\x21\x43", 0, 0xA0F7_B07A),
        (b"\x21", 0, 0x7266_1CF4),
        (b"\0\0\0\0", 0, 0x2362_F9DE),
        (b"\0\0\0", 0, 0x85F0_B427),
        (b"\0\0", 0, 0x30F4_C306),
        (b"\0", 0, 0x514E_28B7),
        (b"test", 0, 0xBA6B_D213),
        (b"Hello, world!", 0, 0xC036_3E43),
        (b"The quick brown fox jumps over the lazy dog", 0, 0x2E4F_F723),
        (b"aaaa", 0x9747_B28C, 0x5A97_808A),
        (b"abc", 0, 0xB3DD_93FA),
        (b"Hello, world!", 0x9747_B28C, 0x2488_4CBA),
        (
            b"The quick brown fox jumps over the lazy dog",
            0x9747_B28C,
            0x2FA8_26CD,
        ),
    ] {
        assert_eq!(murmur3_32(bytes, seed), hash, "{bytes:?} from {seed:#x}");
    }
}

/// The check of the reference implementation: the hash of the hashes of its keys `{0, 1, ..}`, each of its own length and seed.
#[test]
fn the_reference_verification_value_holds() {
    let key: Vec<u8> = (0..=255).collect();
    let hashes: Vec<u8> = (0..256)
        .flat_map(|length| murmur3_32(&key[..length], 256 - length as u32).to_le_bytes())
        .collect();
    assert_eq!(murmur3_32(&hashes, 0), 0xB0F5_7EE3);
}
