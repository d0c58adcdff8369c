//! How one number of a vector is stored, and matrices of them.

use crate::aligned::ALIGN;
use bytemuck::{cast_slice, try_cast_slice};
use half::f16;
use half::slice::HalfFloatSliceExt;

/// The type of one component of a vector, as it lies in files and buffers (little-endian).
///
/// The discriminants are the codes that files use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Element {
    /// IEEE 754 single precision, 4 bytes.
    F32 = 0,
    /// IEEE 754 half precision, 2 bytes.
    F16 = 1,
    /// Unsigned integer 0..=255, 1 byte.
    U8 = 2,
}

impl Element {
    /// Every element type, in the order of the codes.
    pub const ALL: [Self; 3] = [Self::F32, Self::F16, Self::U8];

    /// Bytes of one component.
    pub const fn size(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 => 2,
            Self::U8 => 1,
        }
    }

    /// The code that stands for this type in files.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The type that `code` stands for, if there is one.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::F32),
            1 => Some(Self::F16),
            2 => Some(Self::U8),
            _ => None,
        }
    }

    /// Bytes of a row of `dim` components; `None` if that overflows.
    pub const fn row_bytes(self, dim: usize) -> Option<usize> {
        dim.checked_mul(self.size())
    }
}

/// Appends `values` to `out` in the encoding of `element`.
///
/// `F16` rounds to the nearest, ties to even, and overflows to infinity. `U8` cuts the fraction off
/// and saturates, as Rust's `as u8`: NaN becomes 0.
pub fn encode_f32(values: &[f32], element: Element, out: &mut Vec<u8>) {
    match element {
        Element::F32 => out.extend_from_slice(cast_slice(values)),
        Element::F16 => {
            // A stack buffer keeps the conversion vectorised whatever the alignment of `out`.
            let mut halves = [f16::ZERO; 256];
            for part in values.chunks(halves.len()) {
                let halves = &mut halves[..part.len()];
                halves.convert_from_f32_slice(part);
                out.extend_from_slice(cast_slice(halves));
            }
        }
        Element::U8 => out.extend(values.iter().map(|&value| value as u8)),
    }
}

/// Appends `values`, each multiplied by `scale` and rounded to single precision, to `out` as [`encode_f32`] does.
pub fn encode_scaled(values: &[f32], scale: f64, element: Element, out: &mut Vec<u8>) {
    let mut scaled = [0.0f32; 256];
    for part in values.chunks(scaled.len()) {
        let scaled = &mut scaled[..part.len()];
        for (to, &from) in scaled.iter_mut().zip(part) {
            *to = (f64::from(from) * scale) as f32;
        }
        encode_f32(scaled, element, out);
    }
}

/// Decodes a row of `element` into `out`, exactly.
///
/// # Panics
/// If `row` is not `out.len()` components long.
pub fn decode_to_f32(row: &[u8], element: Element, out: &mut [f32]) {
    assert_eq!(
        Some(row.len()),
        element.row_bytes(out.len()),
        "length of the encoded row"
    );
    match element {
        Element::F32 => {
            let (values, _) = row.as_chunks();
            for (out, &bytes) in out.iter_mut().zip(values) {
                *out = f32::from_le_bytes(bytes);
            }
        }
        Element::F16 => match try_cast_slice::<u8, f16>(row) {
            Ok(halves) => halves.convert_to_f32_slice(out),
            Err(_) => {
                let (values, _) = row.as_chunks();
                for (out, &bytes) in out.iter_mut().zip(values) {
                    *out = f16::from_le_bytes(bytes).to_f32();
                }
            }
        },
        Element::U8 => {
            for (out, &value) in out.iter_mut().zip(row) {
                *out = f32::from(value);
            }
        }
    }
}

/// Rows of one length, back to back: row `i` is the bytes `i * row_bytes .. (i + 1) * row_bytes`.
///
/// The start is aligned to [`ALIGN`]; single rows are aligned only as far as their length is.
#[derive(Debug, Clone, Copy)]
pub struct MatrixView<'a> {
    element: Element,
    dim: usize,
    row_bytes: usize,
    rows: u32,
    bytes: &'a [u8],
}

impl<'a> MatrixView<'a> {
    /// Views `bytes` as rows of `dim` components.
    ///
    /// `None` if `dim` is 0, if `bytes` is not a whole number of rows or more than `u32::MAX` of
    /// them, or does not start at a multiple of [`ALIGN`].
    pub fn new(element: Element, dim: usize, bytes: &'a [u8]) -> Option<Self> {
        let row_bytes = element.row_bytes(dim).filter(|&bytes| bytes != 0)?;
        if !bytes.len().is_multiple_of(row_bytes)
            || !(bytes.is_empty() || bytes.as_ptr().addr().is_multiple_of(ALIGN))
        {
            return None;
        }
        let rows = u32::try_from(bytes.len() / row_bytes).ok()?;
        Some(Self {
            element,
            dim,
            row_bytes,
            rows,
            bytes,
        })
    }

    /// The type of a component.
    pub fn element(&self) -> Element {
        self.element
    }

    /// Components of a row.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Bytes of a row, which is also the distance between rows.
    pub fn row_bytes(&self) -> usize {
        self.row_bytes
    }

    /// Number of rows.
    pub fn len(&self) -> u32 {
        self.rows
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// All rows.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The bytes of one row, if there is such a row.
    #[inline]
    pub fn row(&self, row: u32) -> Option<&'a [u8]> {
        if row >= self.rows {
            return None;
        }
        let start = row as usize * self.row_bytes;
        self.bytes.get(start..start + self.row_bytes)
    }

    /// The bytes of the rows in `range`, back to back; `None` if not all of them exist.
    pub fn rows(&self, range: std::ops::Range<u32>) -> Option<&'a [u8]> {
        if range.start > range.end || range.end > self.rows {
            return None;
        }
        self.bytes
            .get(range.start as usize * self.row_bytes..range.end as usize * self.row_bytes)
    }
}

#[cfg(test)]
mod tests;
