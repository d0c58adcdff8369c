//! Rows into a serialised roaring bitmap, and out of one straight into bits or a list.
//!
//! The bytes are those of the portable format of Roaring bitmaps (RoaringFormatSpec, section "General layout"):
//! containers of 2^16 rows, each a list, bits, or runs. A filter reads such a bitmap for every query, so nothing is
//! made in between.

use roaring::RoaringBitmap;

use crate::rowset::RowBits;

/// First number of a bitmap without runs; the number of containers follows.
const NO_RUNS: u32 = 12346;
/// Low half of the first number of a bitmap with runs; the high half is the number of containers less one.
const RUNS: u32 = 12347;
/// A bitmap with runs and fewer containers than this has no table of offsets.
const OFFSETS_FROM: usize = 4;
/// A container with more rows than this is bits.
const MOST_LISTED: usize = 4096;
const BITS_BYTES: usize = 1 << 13;

/// Appends the serialised bitmap, and returns its length.
pub(super) fn append(rows: &mut RoaringBitmap, out: &mut Vec<u8>) -> u32 {
    rows.optimize();
    let before = out.len();
    // Writing to a Vec does not fail; should it do so, the reader finds the bitmap cut short.
    let written = rows.serialize_into(&mut *out);
    debug_assert!(written.is_ok());
    (out.len() - before) as u32
}

/// One container: pairs of bytes, little-endian.
enum Container<'a> {
    List(&'a [[u8; 2]]),
    /// First row and rows less one, alternating.
    Runs(&'a [[u8; 2]]),
    Bits(&'a [[u8; 8]]),
}

fn take<'a>(bytes: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(len)?;
    *bytes = rest;
    Some(taken)
}

fn number(bytes: &mut &[u8]) -> Option<u32> {
    Some(u32::from_le_bytes(take(bytes, 4)?.try_into().ok()?))
}

/// Passes the containers to `each` with their first rows; `None` when the bytes end early or `each` says so.
fn containers<'a>(mut bytes: &'a [u8], mut each: impl FnMut(u32, Container<'a>) -> Option<()>) -> Option<()> {
    let cookie = number(&mut bytes)?;
    let (count, runs) = match cookie {
        NO_RUNS => (number(&mut bytes)? as usize, None),
        _ if cookie & 0xffff == RUNS => {
            let count = (cookie >> 16) as usize + 1;
            (count, Some(take(&mut bytes, count.div_ceil(8))?))
        }
        _ => return None,
    };
    if count > 1 << 16 {
        return None;
    }
    let (headers, _) = take(&mut bytes, count * 4)?.as_chunks::<4>();
    if runs.is_none() || count >= OFFSETS_FROM {
        take(&mut bytes, count * 4)?;
    }
    for (at, &[key_low, key_high, low, high]) in headers.iter().enumerate() {
        let first = u32::from(u16::from_le_bytes([key_low, key_high])) << 16;
        let rows = usize::from(u16::from_le_bytes([low, high])) + 1;
        let container = if runs.is_some_and(|flags| flags[at / 8] >> (at % 8) & 1 == 1) {
            let count = take(&mut bytes, 2)?;
            let count = usize::from(u16::from_le_bytes([count[0], count[1]]));
            Container::Runs(take(&mut bytes, count * 4)?.as_chunks().0)
        } else if rows > MOST_LISTED {
            Container::Bits(take(&mut bytes, BITS_BYTES)?.as_chunks().0)
        } else {
            Container::List(take(&mut bytes, rows * 2)?.as_chunks().0)
        };
        each(first, container)?;
    }
    bytes.is_empty().then_some(())
}

/// First and last row of each run.
fn runs(first: u32, pairs: &[[u8; 2]]) -> impl Iterator<Item = (u32, u32)> {
    pairs.as_chunks::<2>().0.iter().map(move |&[start, more]| {
        let start = u16::from_le_bytes(start);
        // A run that leaves its container is damaged; the count of rows tells.
        let end = start.saturating_add(u16::from_le_bytes(more));
        (first + u32::from(start), first + u32::from(end))
    })
}

/// Adds the rows to `bits`, those beyond their length left out. `None` when the bytes are no bitmap.
pub(super) fn add_to_bits(bytes: &[u8], bits: &mut RowBits) -> Option<()> {
    containers(bytes, |first, container| {
        match container {
            Container::List(list) => list
                .iter()
                .for_each(|&low| bits.insert(first + u32::from(u16::from_le_bytes(low)))),
            Container::Runs(pairs) => {
                runs(first, pairs).for_each(|(start, end)| bits.insert_range(start, end))
            }
            Container::Bits(words) => bits.unite_words(first, words),
        }
        Some(())
    })?;
    bits.recount();
    Some(())
}

/// Appends the rows to `list`. `None` when the bytes are no bitmap or hold more than `most` rows.
pub(super) fn add_to_list(bytes: &[u8], most: usize, list: &mut Vec<u32>) -> Option<()> {
    let most = list.len() + most;
    containers(bytes, |first, container| {
        match container {
            Container::List(lows) => {
                list.extend(lows.iter().map(|&low| first + u32::from(u16::from_le_bytes(low))));
            }
            Container::Runs(pairs) => {
                for (start, end) in runs(first, pairs) {
                    // Checked run by run: damaged ones may be many and long.
                    if list.len() + (end - start) as usize >= most {
                        return None;
                    }
                    list.extend(start..=end);
                }
            }
            Container::Bits(words) => {
                for (&word, at) in words.iter().zip(0u32..) {
                    let mut rest = u64::from_le_bytes(word);
                    while rest != 0 {
                        list.push(first + at * 64 + rest.trailing_zeros());
                        rest &= rest - 1;
                    }
                }
            }
        }
        (list.len() <= most).then_some(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn serialised(rows: &RoaringBitmap) -> Vec<u8> {
        let mut bytes = Vec::new();
        rows.serialize_into(&mut bytes).expect("memory");
        bytes
    }

    /// Lists, runs and bits over a few containers.
    fn bitmap() -> impl Strategy<Value = RoaringBitmap> {
        let part = (0u32..400_000, prop_oneof![1u32..200, 5_000u32..70_000], 1u32..20);
        (prop::collection::vec(part, 0..6), any::<bool>()).prop_map(|(parts, optimised)| {
            let mut rows: RoaringBitmap = parts
                .into_iter()
                .flat_map(|(start, len, step)| (start..start + len).step_by(step as usize))
                .collect();
            if optimised {
                rows.optimize();
            }
            rows
        })
    }

    proptest! {
        #[test]
        fn rows_are_read_as_they_were_written(rows in bitmap()) {
            let bytes = serialised(&rows);
            let len = rows.max().map_or(0, |last| last + 1);
            let mut bits = RowBits::empty(len);
            prop_assert!(add_to_bits(&bytes, &mut bits).is_some());
            prop_assert_eq!(bits.count(), rows.len());
            prop_assert!(bits.iter().eq(rows.iter()));
            let mut list = vec![1];
            prop_assert!(add_to_list(&bytes, rows.len() as usize, &mut list).is_some());
            prop_assert!(list[1..].iter().copied().eq(rows.iter()));
            if let Some(less) = rows.len().checked_sub(1) {
                prop_assert!(add_to_list(&bytes, less as usize, &mut Vec::new()).is_none());
            }
        }

        #[test]
        fn damaged_bytes_are_refused_or_read_within_bounds(
            rows in bitmap(), cut in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), byte: u8,
        ) {
            let mut bytes = serialised(&rows);
            let short = &bytes[..cut.index(bytes.len())];
            prop_assert!(add_to_bits(short, &mut RowBits::empty(1000)).is_none());
            prop_assert!(add_to_list(short, usize::MAX >> 1, &mut Vec::new()).is_none());
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let mut bits = RowBits::empty(1000);
            let _ = add_to_bits(&bytes, &mut bits);
            prop_assert!(bits.iter().all(|row| row < 1000));
            let _ = add_to_list(&bytes, 1 << 20, &mut Vec::new());
        }
    }
}
