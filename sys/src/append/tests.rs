use super::{ALIGN, AppendRows, FULL_CHUNK_BYTES, Shape, shelf_of};
use std::sync::atomic::{AtomicBool, Ordering};

/// A row that tells its number in every byte's position.
fn row_of(number: u32, row_bytes: usize) -> Vec<u8> {
    let seed = number.wrapping_mul(0x9e37_79b1).to_le_bytes();
    (0..row_bytes)
        .map(|i| seed[i % 4].wrapping_add(i as u8))
        .collect()
}

#[test]
fn places_cover_every_chunk_once_and_in_order() {
    for row_bytes in [1, 3, 64, 4096, 5000, 300_000, 2 << 20] {
        let shape = Shape::new(row_bytes);
        let (mut chunk, mut place) = (0, 0);
        for row in 0..if cfg!(miri) { 2000 } else { 200_000 } {
            assert_eq!(shape.place(row), (chunk, place), "{row_bytes} bytes, row {row}");
            place += 1;
            if place == shape.rows(chunk) {
                (chunk, place) = (chunk + 1, 0);
            }
        }
    }
}

#[test]
fn the_last_row_number_has_a_place_on_the_shelves() {
    for row_bytes in [1, 1024, FULL_CHUNK_BYTES] {
        let (chunk, place) = Shape::new(row_bytes).place(u32::MAX - 1);
        assert!(place < Shape::new(row_bytes).rows(chunk));
        let (shelf, place) = shelf_of(chunk);
        assert!(shelf < super::SHELVES && place < 1 << shelf);
    }
}

#[test]
fn shelves_cover_every_chunk_once_and_in_order() {
    let (mut shelf, mut place) = (0, 0);
    for chunk in 0..10_000 {
        assert_eq!(shelf_of(chunk), (shelf, place));
        place += 1;
        if place == 1 << shelf {
            (shelf, place) = (shelf + 1, 0);
        }
    }
}

#[test]
fn rows_come_back_as_pushed_and_never_move() {
    for (row_bytes, count) in [(1, 3000), (7, 1000), (1536, 300), (5000, 10)] {
        let count = if cfg!(miri) { count / 10 } else { count };
        let rows = AppendRows::new(row_bytes);
        assert!(rows.is_empty() && rows.bytes() == 0 && rows.row(0).is_none());
        assert_eq!(rows.push(&row_of(0, row_bytes)), 0);
        let first = rows.row(0).unwrap();
        for number in 1..count {
            assert_eq!(rows.push(&row_of(number, row_bytes)), number);
        }
        assert_eq!(rows.len(), count);
        assert_eq!(rows.row(count), None);
        for number in 0..count {
            assert_eq!(rows.row(number).unwrap(), row_of(number, row_bytes));
        }
        assert!(std::ptr::eq(first, rows.row(0).unwrap()));
    }
}

#[test]
fn chunks_are_aligned_and_make_up_all_rows() {
    let count = if cfg!(miri) { 200 } else { 2000 };
    let rows = AppendRows::new(100);
    for number in 0..count {
        rows.push(&row_of(number, 100));
    }
    let mut next = 0;
    for (first, bytes) in rows.chunks() {
        assert_eq!(first, next);
        assert_eq!(bytes.as_ptr().addr() % ALIGN, 0);
        for row in bytes.chunks(100) {
            assert_eq!(row, row_of(next, 100));
            next += 1;
        }
    }
    assert_eq!(next, count);
}

#[test]
fn a_tiny_collection_stays_tiny_and_a_large_one_wastes_little() {
    let rows = AppendRows::new(1536);
    rows.push(&[0; 1536]);
    assert!(rows.bytes() <= 4096);
    let pushed = if cfg!(miri) { 20 } else { 10_000 };
    for _ in 1..pushed {
        rows.push(&[0; 1536]);
    }
    assert!(rows.bytes() <= pushed * 1536 * 2);
    assert!(rows.bytes() <= pushed * 1536 + FULL_CHUNK_BYTES);
}

#[test]
fn readers_see_whole_rows_while_several_writers_push() {
    const ROW: usize = 48;
    let per_writer = if cfg!(miri) { 60 } else { 20_000 };
    let rows = AppendRows::new(ROW);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..2u8)
            .map(|writer| {
                let rows = &rows;
                scope.spawn(move || {
                    let mut last = None;
                    for i in 0..per_writer {
                        let byte = writer * 128 + (i % 128) as u8;
                        let number = rows.push(&[byte; ROW]);
                        assert!(last < Some(number), "numbers rise");
                        assert_eq!(rows.row(number).unwrap(), [byte; ROW], "own row is visible");
                        last = Some(number);
                    }
                })
            })
            .collect();
        for _ in 0..2 {
            scope.spawn(|| {
                let mut seen = 0;
                loop {
                    let last_round = done.load(Ordering::Acquire);
                    let len = rows.len();
                    assert!(len >= seen, "the length never falls");
                    seen = len;
                    let mut next = 0;
                    for (first, bytes) in rows.chunks() {
                        assert_eq!(first, next);
                        for row in bytes.chunks(ROW) {
                            assert!(row.iter().all(|&byte| byte == row[0]), "torn row");
                            next += 1;
                        }
                    }
                    assert!(next >= len, "chunks reach the length seen before");
                    if len > 0 {
                        let row = rows.row(len - 1).unwrap();
                        assert!(row.iter().all(|&byte| byte == row[0]), "torn row");
                    }
                    if last_round {
                        break;
                    }
                }
            });
        }
        for writer in writers {
            writer.join().unwrap();
        }
        done.store(true, Ordering::Release);
    });
    assert_eq!(rows.len(), 2 * per_writer);
}

#[test]
#[should_panic(expected = "length of a row")]
fn a_row_of_another_length_is_refused() {
    AppendRows::new(4).push(&[1, 2, 3]);
}
