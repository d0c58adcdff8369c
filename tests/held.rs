//! What a query holds, as the system sees it: of the whole process, so that this is the only test in it.

use vdb::{Control, Distance, MAX_LIMIT, ScrollRequest, SearchRequest};
use vdb_tests::{config, memory, points};

/// Most bytes this process has held at a time.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
        .unwrap_or(0u64)
        * 1024
}

#[test]
fn huge_limits_take_no_memory_for_what_is_not_there() {
    let db = memory();
    let c = db.create_collection("c", config(8, Distance::Cosine)).unwrap();
    c.upsert(points(0..2_500, 8, 1)).unwrap();
    let ask = |huge: usize, offset: usize| {
        let request = SearchRequest::new([0.5; 8]).limit(huge).offset(offset);
        for request in [request.clone(), request.exact(true)] {
            let found = c.search(&request).unwrap().len();
            assert_eq!(
                found,
                2_500usize.saturating_sub(offset),
                "limit {huge}, offset {offset}"
            );
        }
        assert_eq!(
            c.scroll(&ScrollRequest::new().limit(huge)).unwrap().points.len(),
            2_500
        );
    };
    ask(MAX_LIMIT, 0);
    let before = peak_bytes();
    for stage in 0..3 {
        match stage {
            1 => c.flush().unwrap(),
            2 => c.optimize(&Control::none()).unwrap(),
            _ => {}
        }
        ask(MAX_LIMIT, 0);
        ask(MAX_LIMIT, MAX_LIMIT);
        ask(MAX_LIMIT - 1, 7);
    }
    assert!(
        peak_bytes() - before < 64 << 20,
        "{} bytes",
        peak_bytes() - before
    );
}
