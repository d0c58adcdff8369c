//! Hands out the matrix, and tells slots and rows from each other.

use vdb_sys::element::{Element, MatrixView};
use vdb_sys::map::Advice;
use vdb_vfs::frame::{Frame, FrameInfo};
use vdb_vfs::{Disk, FileSlice};

use super::format::{KIND, MATRIX, Meta, ROWS, VERSIONS};
use crate::Result;
use crate::section::{self, Array};

/// An open file of vectors.
#[derive(Debug)]
pub struct VectorsReader {
    frame: Frame,
    meta: Meta,
    element: Element,
    matrix: FileSlice,
    /// The matrix in a mapping of its own, for reads that have nothing to do with each other.
    scattered: Option<FileSlice>,
    /// The row of each slot; none when they are equal.
    sparse: Option<Array<u32>>,
}

impl VectorsReader {
    /// Maps the file at `path`, in time independent of its size.
    pub fn open(disk: &dyn Disk, path: &str) -> Result<Self> {
        let frame = Frame::open(disk, path, KIND, VERSIONS)?;
        let meta: Meta = section::meta(&frame)?;
        let Some(element) = Element::from_code(meta.element) else {
            return Err(frame
                .corrupt(frame.meta_at(), format!("unknown element code {}", meta.element))
                .into());
        };
        if meta.slots > meta.rows {
            let what = format!(
                "{} slots, expected at most one for each of {} rows",
                meta.slots, meta.rows
            );
            return Err(frame.corrupt(frame.meta_at(), what).into());
        }
        let sparse = match meta.slots < meta.rows {
            true => Some(Array::open(&frame, ROWS, u64::from(meta.slots))?),
            false => None,
        };
        let matrix = frame.section(MATRIX)?;
        if MatrixView::new(element, meta.dim as usize, &matrix).is_none_or(|view| view.len() != meta.slots) {
            let (found, slots, dim) = (matrix.len(), meta.slots, meta.dim);
            let what = format!("matrix has {found} bytes, expected {slots} vectors of {dim} {element:?}");
            return Err(frame.corrupt_section(MATRIX, 0, what).into());
        }
        Ok(VectorsReader {
            frame,
            meta,
            element,
            matrix,
            scattered: None,
            sparse,
        })
    }

    /// Maps the same file, at `path`, once more for [`scattered`](Self::scattered).
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub fn map_scattered(&mut self, disk: &dyn Disk, path: &str) -> Result<()> {
        let again = Frame::open(disk, path, KIND, VERSIONS)?;
        self.scattered = Some(section::scattered(&self.frame, &again, MATRIX)?);
        Ok(())
    }

    /// Length and checksum of the file, as its writer returned them.
    pub fn info(&self) -> FrameInfo {
        self.frame.info()
    }

    /// How a component is stored.
    pub fn element(&self) -> Element {
        self.element
    }

    /// Components of a vector.
    pub fn dim(&self) -> u32 {
        self.meta.dim
    }

    /// How many rows have the vector: the slots of the matrix.
    pub fn len(&self) -> u32 {
        self.meta.slots
    }

    /// True when no row has the vector.
    pub fn is_empty(&self) -> bool {
        self.meta.slots == 0
    }

    /// Rows of the segment, those without the vector included.
    pub fn rows(&self) -> u32 {
        self.meta.rows
    }

    /// The vectors by slot, for reading many in their order.
    pub fn matrix(&self) -> MatrixView<'_> {
        self.view(&self.matrix)
    }

    /// The same vectors, for reading a few here and there: where they are not in memory, no more is read from the disk
    /// than what is asked for, if they have been [mapped](Self::map_scattered) for that.
    pub fn scattered(&self) -> MatrixView<'_> {
        self.view(self.scattered.as_ref().unwrap_or(&self.matrix))
    }

    /// Asks the disk for a vector that is [read here and there](Self::scattered), without waiting for it.
    pub fn read_ahead(&self, slot: u32) {
        if let (Some(matrix), true) = (&self.scattered, slot < self.meta.slots) {
            let bytes = self.matrix().row_bytes();
            let start = slot as usize * bytes;
            matrix.advise_part(start..start + bytes, Advice::WillNeed);
        }
    }

    #[expect(
        clippy::expect_used,
        reason = "open has made the same view, and mappings neither move nor shrink"
    )]
    fn view<'a>(&self, matrix: &'a FileSlice) -> MatrixView<'a> {
        MatrixView::new(self.element, self.meta.dim as usize, matrix).expect("the matrix that was opened")
    }

    /// The vector of a row, in the encoding of the element.
    pub fn vector_of(&self, row: u32) -> Option<&[u8]> {
        self.scattered().row(self.slot_of(row)?)
    }

    /// As [`vector_of`](Self::vector_of), compared with its checksums: for whoever writes the vector into another file. Reads the
    /// chunk that it lies in, and the rows of all slots, once while the file is open.
    ///
    /// # Errors
    /// Damage to the vector or what lies near it, and to the rows: with one of them wrong, others would seem not to be there.
    pub fn checked(&self, row: u32) -> Result<Option<&[u8]>> {
        if let Some(rows) = &self.sparse {
            let bytes = size_of_val::<[u32]>(rows) as u64;
            self.frame.check_part(ROWS, 0..bytes)?;
        }
        let Some(slot) = self.slot_of(row) else {
            return Ok(None);
        };
        let matrix = self.matrix();
        let bytes = matrix.row_bytes() as u64;
        let start = u64::from(slot) * bytes;
        self.frame.check_part(MATRIX, start..start + bytes)?;
        Ok(matrix.row(slot))
    }

    /// The row of a slot; `None` where there is no such slot.
    pub fn row_of(&self, slot: u32) -> Option<u32> {
        match &self.sparse {
            None => Some(slot),
            Some(rows) => rows.get(slot as usize).copied(),
        }
        .filter(|&row| slot < self.meta.slots && row < self.meta.rows)
    }

    /// The slot of a row; `None` where the row does not have the vector.
    pub fn slot_of(&self, row: u32) -> Option<u32> {
        if row >= self.meta.rows {
            return None;
        }
        let Some(rows) = &self.sparse else {
            return Some(row);
        };
        // Of the rows before this one between none and all of those without a slot are missing.
        let first = row.saturating_sub(self.meta.rows - self.meta.slots) as usize;
        let end = (row as usize + 1).min(rows.len());
        let at = rows.get(first..end)?.binary_search(&row).ok()?;
        Some((first + at) as u32)
    }

    /// The rows that have the vector, ascending; `None` when all have it.
    pub fn sparse_rows(&self) -> Option<&[u32]> {
        self.sparse.as_deref()
    }

    /// Reads the whole file and checks every byte and the order of the rows.
    ///
    /// # Errors
    /// The first damage, and those of the disk.
    pub fn verify(&self, disk: &dyn Disk) -> Result<()> {
        self.frame.verify(disk)?;
        let Some(rows) = &self.sparse else { return Ok(()) };
        let mut next = 0;
        for (slot, &row) in rows.iter().enumerate() {
            if row < next || row >= self.meta.rows {
                let what = format!(
                    "slot {slot} has row {row}, expected {next} to {}",
                    self.meta.rows - 1
                );
                return Err(self.frame.corrupt_section(ROWS, slot as u64 * 4, what).into());
            }
            next = row + 1;
        }
        Ok(())
    }
}
