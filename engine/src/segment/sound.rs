//! Is what the files of a segment hold what was written? Opening them looks at their ends only.

use vdb_index::Control;
use vdb_storage::Component;

use super::Segment;
use super::column::Column;
use crate::error::{Error, Result};

impl Segment {
    /// Reads all of the primary files and compares them with their checksums. For whoever is about to make other files
    /// of them: those would get checksums that fit, and the damage would never be noticed again.
    ///
    /// # Errors
    /// [`Error::Damaged`] names the file that is; [`Error::Cancelled`]; those of the disk.
    pub(crate) fn check_primary(&self, control: &Control<'_>) -> Result<()> {
        let disk = &*self.files.disk;
        self.check(control, || Ok(self.points.verify(disk)?))?;
        let covered = self.record.min_seq..=self.record.max_seq;
        if let Some((row, _, version)) = self
            .points
            .iter_from(0)
            .find(|(_, _, version)| !covered.contains(version))
        {
            let what = format!("row {row} has version {version}, expected one of {covered:?}");
            let file = self
                .record
                .files()
                .find(|file| file.component == Component::Points);
            let file = file.map_or_else(String::new, |file| disk.display(&file.path(&self.dir)));
            return self.check(control, || Err(Error::Damaged { file, what }));
        }
        self.check_payload(control)?;
        (0..self.columns.len()).try_for_each(|slot| self.check_vectors(slot, control))?;
        // Somebody has put a file right.
        *self.damaged.lock() = None;
        Ok(())
    }

    /// As [`check_primary`](Self::check_primary), for the payloads alone.
    ///
    /// # Errors
    /// As [`check_primary`](Self::check_primary).
    pub(crate) fn check_payload(&self, control: &Control<'_>) -> Result<()> {
        self.check(control, || Ok(self.payload.verify(&*self.files.disk)?))
    }

    /// As [`check_primary`](Self::check_primary), for the vectors of a slot alone.
    ///
    /// # Errors
    /// As [`check_primary`](Self::check_primary).
    pub(crate) fn check_vectors(&self, slot: usize, control: &Control<'_>) -> Result<()> {
        let disk = &*self.files.disk;
        match self.column(slot) {
            None => Ok(()),
            Some(Column::Dense(vectors)) => self.check(control, || Ok(vectors.file.verify(disk)?)),
            Some(Column::Sparse(sparse)) => self.check(control, || Ok(sparse.file.verify(disk)?)),
            Some(Column::Multi(multi)) => self.check(control, || Ok(multi.file.verify(disk)?)),
        }
    }

    /// The payload of a row, for whoever makes another row of it: what lies around it is compared with its checksums, once while
    /// the segment is open.
    ///
    /// # Errors
    /// [`Error::Damaged`] names the file that is.
    pub(crate) fn sound_payload(&self, row: u32) -> Result<&[u8]> {
        self.note(|| Ok(self.payload.checked(row)?))
    }

    /// As [`sound_payload`](Self::sound_payload), for the stored bytes of its vector in a slot.
    ///
    /// # Errors
    /// As [`sound_payload`](Self::sound_payload).
    pub(crate) fn sound_vector(&self, slot: usize, row: u32) -> Result<Option<&[u8]>> {
        let Some(column) = self.column(slot) else {
            return Ok(None);
        };
        self.note(|| column.checked_vector(row))
    }

    fn check(&self, control: &Control<'_>, check: impl FnOnce() -> Result<()>) -> Result<()> {
        if control.is_cancelled() {
            return Err(Error::Cancelled);
        }
        self.note(check)
    }

    /// Notes damage that a check finds: no job is to make anything of the segment then.
    fn note<T>(&self, check: impl FnOnce() -> Result<T>) -> Result<T> {
        check().map_err(|error| {
            let is_damage = error.is_confined();
            let error = error.with_advice();
            if is_damage {
                *self.damaged.lock() = Some(error.to_string());
            }
            error
        })
    }

    /// Why nothing can be made of this segment, once that has been found out.
    pub(crate) fn damage(&self) -> Option<String> {
        self.damaged.lock().clone()
    }
}
