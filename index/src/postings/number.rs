//! Numbers of as few bytes as they need: LEB128, seven bits a byte, the lowest first.

/// Appends `number`.
pub(super) fn push(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Takes a number off the front of `bytes`; `None` when they end before it does, or it does not fit.
#[inline]
pub(super) fn take(bytes: &mut &[u8]) -> Option<u64> {
    // Most numbers are small.
    if let [byte @ ..0x80, rest @ ..] = *bytes {
        *bytes = rest;
        return Some(u64::from(*byte));
    }
    // Passed by value: what a reader has come to can then stay in registers.
    let (number, rest) = take_long(bytes)?;
    *bytes = rest;
    Some(number)
}

fn take_long(mut bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0_u64;
    let mut shift = 0;
    loop {
        let (&byte, rest) = bytes.split_first()?;
        bytes = rest;
        let bits = u64::from(byte & 0x7f);
        // Of the tenth byte one bit has room.
        if shift > 63 || (bits << shift) >> shift != bits {
            return None;
        }
        number |= bits << shift;
        if byte < 0x80 {
            return Some((number, bytes));
        }
        shift += 7;
    }
}

/// Leaves out so many numbers; `None` when there are not so many.
#[inline]
pub(super) fn skip(bytes: &mut &[u8], count: u64) -> Option<()> {
    if count == 0 {
        return Some(());
    }
    if count == 1
        && let [..0x80, rest @ ..] = *bytes
    {
        *bytes = rest;
        return Some(());
    }
    *bytes = skip_long(bytes, count)?;
    Some(())
}

fn skip_long(bytes: &[u8], count: u64) -> Option<&[u8]> {
    let mut left = count;
    let end = bytes.iter().position(|&byte| {
        left -= u64::from(byte < 0x80);
        left == 0
    })?;
    bytes.get(end + 1..)
}

#[cfg(test)]
mod tests {
    use super::{push, skip, take};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_are_read_as_they_were_written(
            numbers in prop::collection::vec(prop_oneof![0_u64..300, any::<u64>()], 0..20),
            skipped in any::<prop::sample::Index>(),
        ) {
            let mut bytes = Vec::new();
            numbers.iter().for_each(|&number| push(number, &mut bytes));
            let skipped = skipped.index(numbers.len() + 1);
            let mut rest = bytes.as_slice();
            prop_assert_eq!(skip(&mut rest, skipped as u64), Some(()));
            for &number in &numbers[skipped..] {
                prop_assert_eq!(take(&mut rest), Some(number));
            }
            prop_assert!(rest.is_empty());
            prop_assert_eq!(take(&mut rest), None);
            prop_assert_eq!(skip(&mut bytes.as_slice(), numbers.len() as u64 + 1), None);
        }
    }

    #[test]
    fn what_does_not_fit_is_none() {
        let most = [[0xff; 9].as_slice(), &[1]].concat();
        assert_eq!(take(&mut most.as_slice()), Some(u64::MAX));
        let more = [[0xff; 9].as_slice(), &[2]].concat();
        assert_eq!(take(&mut more.as_slice()), None);
        let longer = [[0x80; 10].as_slice(), &[0]].concat();
        assert_eq!(take(&mut longer.as_slice()), None);
    }
}
