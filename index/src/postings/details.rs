//! How often and where the rows of one key have it, in the order of the rows: positions of a token, elements with a value.

use super::number;

/// What is left of the details of a key.
pub(super) struct Details<'a> {
    bytes: &'a [u8],
}

impl<'a> Details<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// How often the next row has the key, at least once. `None` when there is no next row, or the bytes are damaged.
    pub(super) fn count(&mut self) -> Option<u32> {
        let count = self.frequency()?;
        number::skip(&mut self.bytes, u64::from(count))?;
        Some(count)
    }

    /// Puts the positions at which the next row has the key in the place of what is in `out`, ascending. `None` as for
    /// [`count`](Self::count).
    pub(super) fn positions(&mut self, out: &mut Vec<u64>) -> Option<()> {
        let count = self.frequency()?;
        out.clear();
        let mut position = 0_u64;
        for _ in 0..count {
            position = position.checked_add(number::take(&mut self.bytes)?)?;
            out.push(position);
        }
        Some(())
    }

    fn frequency(&mut self) -> Option<u32> {
        let count = number::take(&mut self.bytes)?;
        u32::try_from(count).ok().filter(|&count| count > 0)
    }
}
