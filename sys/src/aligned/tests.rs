use super::{ALIGN, AlignedBuf, HUGE_FROM};

#[test]
fn every_buffer_starts_on_a_cache_line() {
    for len in [0, 1, 63, 64, 65, 10_000, HUGE_FROM + 1] {
        assert_eq!(AlignedBuf::zeroed(len).as_ptr().addr() % ALIGN, 0);
        assert_eq!(AlignedBuf::with_capacity(len).as_ptr().addr() % ALIGN, 0);
    }
    assert_eq!(AlignedBuf::new().as_ptr().addr() % ALIGN, 0);
}

#[test]
fn a_buffer_grows_like_a_vector_and_stays_aligned() {
    let mut buf = AlignedBuf::new();
    let mut oracle = Vec::new();
    for i in 0..300u32 {
        let piece: Vec<u8> = (0..i % 37).map(|j| (i + j) as u8).collect();
        buf.extend_from_slice(&piece);
        oracle.extend_from_slice(&piece);
        assert_eq!(buf.as_ptr().addr() % ALIGN, 0);
    }
    assert_eq!(&*buf, &oracle[..]);
    buf.truncate(10);
    assert_eq!(&*buf, &oracle[..10]);
    buf.truncate(20);
    assert_eq!(buf.len(), 10);
    buf.clear();
    assert!(buf.is_empty() && buf.capacity() >= 10);
}

#[test]
fn a_clone_is_independent() {
    let mut a = AlignedBuf::from_slice(b"abc");
    let b = a.clone();
    a[0] = b'x';
    a.extend_from_slice(b"def");
    assert_eq!((&*a, &*b), (&b"xbcdef"[..], &b"abc"[..]));
}

#[test]
fn zeroed_memory_is_zero_at_every_size() {
    for len in [1, 4096, HUGE_FROM] {
        let buf = AlignedBuf::zeroed(len);
        assert_eq!(buf.len(), len);
        // Every byte would take minutes under Miri.
        let step = if cfg!(miri) { 1021 } else { 1 };
        assert!(buf.iter().step_by(step).all(|&byte| byte == 0));
    }
}

#[test]
fn bytes_survive_growing_into_huge_pages() {
    let mut buf = AlignedBuf::from_slice(b"first");
    buf.reserve(HUGE_FROM);
    buf.extend_from_slice(b", second");
    assert_eq!(&*buf, b"first, second");
    drop(std::thread::spawn(move || buf.len()).join());
}
