//! Bytes of any length that lie where numbers of four bytes can be read in place.

use std::ops::Deref;

/// An owned copy of some bytes, aligned for numbers of four bytes.
///
/// ```
/// use vdb_sys::words::Words;
///
/// let words = Words::from(&[1, 0, 0, 0, 9][..]);
/// assert_eq!(&*words, &[1, 0, 0, 0, 9]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Words {
    words: Box<[u32]>,
    /// Bytes that count; those after them are zero.
    len: usize,
}

impl From<&[u8]> for Words {
    fn from(bytes: &[u8]) -> Self {
        let mut words = vec![0u32; bytes.len().div_ceil(size_of::<u32>())].into_boxed_slice();
        bytemuck::cast_slice_mut::<u32, u8>(&mut words)[..bytes.len()].copy_from_slice(bytes);
        Words {
            words,
            len: bytes.len(),
        }
    }
}

impl Deref for Words {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.len]
    }
}

#[cfg(test)]
mod tests;
