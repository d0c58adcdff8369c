//! How often and where the rows of one key have it, in the order of the rows: positions of a token, elements with a value.
//!
//! Of a key with many rows every [`STRIDE`]th row is marked, so that few of them are found without reading all.

use std::ops::Range;

use super::format::u64_at;
use super::number;
use crate::RowSet;

/// From one marked row to the next.
const STRIDE: u64 = 128;
const MARK_LEN: u64 = 8;

/// What stands before these details of all rows of a key: where those of every 128th row start, but of the first.
pub(super) fn marks(details: &[u8]) -> Vec<u8> {
    let mut marks = Vec::new();
    let mut rest = details;
    let mut row = 0;
    while !rest.is_empty() {
        if row > 0 && row % STRIDE == 0 {
            marks.extend(((details.len() - rest.len()) as u64).to_le_bytes());
        }
        row += 1;
        // What was written here can be read.
        let count = number::take(&mut rest).unwrap_or_default();
        if number::skip(&mut rest, count).is_none() {
            break;
        }
    }
    marks
}

/// The details of a key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Details<'a> {
    marks: &'a [u8],
    /// Of all rows.
    details: &'a [u8],
    /// Of the row numbered `next` among those of the key, and of those after it.
    rest: &'a [u8],
    next: u64,
}

impl<'a> Details<'a> {
    /// Of a key of so many rows. `None` when the bytes are damaged; so for what is asked of them.
    pub(super) fn new(bytes: &'a [u8], rows: u64) -> Option<Self> {
        let marks = rows.saturating_sub(1) / STRIDE * MARK_LEN;
        let (marks, details) = bytes.split_at_checked(usize::try_from(marks).ok()?)?;
        Some(Self {
            marks,
            details,
            rest: details,
            next: 0,
        })
    }

    /// Goes on to the row that has so many of the key before it, which must not be before the next one.
    pub(super) fn seek(&mut self, row: u64) -> Option<()> {
        let mark = row / STRIDE;
        if mark > self.next / STRIDE {
            let at = u64_at(self.marks, ((mark - 1) * MARK_LEN) as usize);
            self.rest = self.details.get(usize::try_from(at).ok()?..)?;
            self.next = mark * STRIDE;
        }
        while self.next < row {
            self.count()?;
        }
        (self.next == row).then_some(())
    }

    /// How often the next row has the key, at least once.
    #[inline]
    pub(super) fn count(&mut self) -> Option<u32> {
        let count = self.frequency()?;
        number::skip(&mut self.rest, u64::from(count))?;
        Some(count)
    }

    /// Passes the places at which the next row has the key to `take`, ascending.
    #[inline]
    pub(super) fn each(&mut self, mut take: impl FnMut(u64)) -> Option<()> {
        // Most rows have a key once, in a place that takes a byte.
        if let [1, place @ ..0x80, rest @ ..] = self.rest {
            self.rest = rest;
            self.next += 1;
            take(u64::from(*place));
            return Some(());
        }
        let count = self.frequency()?;
        let mut place = 0_u64;
        for _ in 0..count {
            place = place.checked_add(number::take(&mut self.rest)?)?;
            take(place);
        }
        Some(())
    }

    /// How many of the rows are read: the number of the next one.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// The first 64 places at which the next row has the key, as bits, and whether there are others.
    #[inline(always)]
    fn places(&mut self) -> Option<(u64, bool)> {
        // How often a row has a key nobody can foresee; few have it more than three times, or farther on. So no branch hangs on
        // how often that is.
        if let Some((&[count @ 1..=3, first, second, third], _)) = self.rest.split_first_chunk()
            && (first | second | third) < 0x80
        {
            let places = [first, second, third].map(u32::from);
            let [first, second, third] = [places[0], places[0] + places[1], places.iter().sum()];
            if third < u64::BITS {
                let bit = |place: u32, least: u8| u64::from(count >= least) << place;
                self.rest = self.rest.get(1 + usize::from(count)..)?;
                self.next += 1;
                return Some((bit(first, 1) | bit(second, 2) | bit(third, 3), false));
            }
        }
        let (mut bits, mut others) = (0, false);
        self.each(|place| match u32::try_from(place) {
            Ok(place @ ..u64::BITS) => bits |= 1 << place,
            Ok(_) | Err(_) => others = true,
        })?;
        Some((bits, others))
    }

    /// As [`each_within`](Self::each_within), with the first 64 places as bits, and whether there are others.
    #[inline]
    pub(super) fn marks_within(
        &mut self,
        rows: &RowSet,
        window: &Range<u32>,
        mut take: impl FnMut(u32, u64, bool),
    ) -> Option<()> {
        let mut details = *self;
        let mut is_sound = true;
        for row in rows.within(window) {
            match details.places() {
                Some((bits, others)) => take(row, bits, others),
                None => is_sound = false,
            }
        }
        *self = details;
        is_sound.then_some(())
    }

    /// Passes each of these rows, which are all that have the key, to `take`, with the places at which it has it: those of a window
    /// that starts at a multiple of 64, and ends at one or behind all, and begins with the next one.
    #[inline]
    pub(super) fn each_within(
        &mut self,
        rows: &RowSet,
        window: &Range<u32>,
        mut take: impl FnMut(u32, u64),
    ) -> Option<()> {
        // What is read is kept in this function, and need not be kept in memory from row to row.
        let mut details = *self;
        let mut is_sound = true;
        for row in rows.within(window) {
            is_sound &= details.each(|place| take(row, place)).is_some();
        }
        *self = details;
        is_sound.then_some(())
    }

    #[inline]
    fn frequency(&mut self) -> Option<u32> {
        let count = number::take(&mut self.rest)?;
        self.next += 1;
        u32::try_from(count).ok().filter(|&count| count > 0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Details, marks};
    use crate::postings::number;

    fn written(rows: &[Vec<u64>]) -> Vec<u8> {
        let mut details = Vec::new();
        for places in rows {
            number::push(places.len() as u64, &mut details);
            let mut last = 0;
            for place in places {
                number::push(place - last, &mut details);
                last = *place;
            }
        }
        [marks(&details), details].concat()
    }

    fn rows() -> impl Strategy<Value = Vec<Vec<u64>>> {
        let places = prop::collection::btree_set(prop_oneof![0_u64..200, any::<u64>()], 1..4);
        prop::collection::vec(places.prop_map(Vec::from_iter), 1..700)
    }

    proptest! {
        #[test]
        fn places_are_those_of_the_row_whichever_are_left_out(
            rows in rows(),
            asked in prop::collection::vec(any::<prop::sample::Index>(), 1..20),
        ) {
            let bytes = written(&rows);
            let mut details = Details::new(&bytes, rows.len() as u64).unwrap();
            let mut asked: Vec<usize> = asked.iter().map(|at| at.index(rows.len())).collect();
            asked.sort_unstable();
            asked.dedup();
            for row in asked {
                let mut found = Vec::new();
                prop_assert_eq!(details.seek(row as u64), Some(()));
                prop_assert_eq!(details.each(|place| found.push(place)), Some(()));
                prop_assert_eq!(&found, &rows[row]);
                prop_assert!(details.seek(row as u64).is_none());
            }
        }

        #[test]
        fn damaged_bytes_end_early(rows in rows(), at: prop::sample::Index, byte: u8, asked: prop::sample::Index) {
            let mut bytes = written(&rows);
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let Some(mut details) = Details::new(&bytes, rows.len() as u64) {
                let _ = details.seek(asked.index(rows.len()) as u64);
                while details.each(|_| ()).is_some() {}
            }
            prop_assert!(Details::new(&[0; 8], 1_000).is_none());
        }
    }
}
