//! Commits manifests, and finds the one that counts.

use std::marker::PhantomData;

use vdb_vfs::frame::{Frame, FrameInfo, FrameWriter, Salvage};
use vdb_vfs::replace::replace_with;
use vdb_vfs::{DynDisk, path};

use super::format::{ManifestRecord, file_name, generation_of, parse_spare_name, spare_name};
use crate::{Error, Result, codec};

/// The manifests of one kind in one directory. Each generation is a file; the newest counts. The one before it is kept
/// for repair under another name, so that it never counts when the newest is missing.
#[derive(Debug)]
pub struct ManifestStore<T> {
    disk: DynDisk,
    dir: String,
    record: PhantomData<fn() -> T>,
}

impl<T: ManifestRecord> ManifestStore<T> {
    /// The manifests in `dir`, which must exist by the first commit.
    pub fn new(disk: DynDisk, dir: impl Into<String>) -> Self {
        ManifestStore {
            disk,
            dir: dir.into(),
            record: PhantomData,
        }
    }

    /// The generations that are there, ascending, readable or not; spares aside.
    pub fn generations(&self) -> Result<Vec<u64>> {
        self.listed(generation_of::<T>)
    }

    /// The generations that are kept as spares, ascending, readable or not.
    pub fn spares(&self) -> Result<Vec<u64>> {
        self.listed(parse_spare_name::<T>)
    }

    fn listed(&self, parse: impl Fn(&str) -> Option<u64>) -> Result<Vec<u64>> {
        let names = self.disk.list(&self.dir)?;
        let mut generations: Vec<u64> = names.iter().filter_map(|name| parse(name)).collect();
        generations.sort_unstable();
        Ok(generations)
    }

    /// The newest generation; `None` where there never was one.
    ///
    /// # Errors
    /// [`Error::Manifest`] when it is damaged, [`Error::ManifestMissing`] when only a spare is there. An older one is
    /// never taken in its place unasked: what was committed since then would be lost without a word.
    pub fn load(&self) -> Result<Option<T>> {
        let generations = self.generations()?;
        let spare = || -> Result<Option<String>> {
            let newest = self.spares()?.pop();
            Ok(newest.map(|generation| self.disk.display(&self.spare_path(generation))))
        };
        let Some((&newest, older)) = generations.split_last() else {
            return match spare()? {
                None => Ok(None),
                Some(previous) => Err(Error::ManifestMissing {
                    dir: self.disk.display(&self.dir),
                    previous,
                }),
            };
        };
        match self.load_generation(newest) {
            Err(error) if error.is_corruption() => Err(Error::Manifest {
                path: self.shown(newest),
                previous: match older.last() {
                    Some(&generation) => Some(self.shown(generation)),
                    None => spare()?,
                },
                source: Box::new(error),
            }),
            loaded => loaded.map(Some),
        }
    }

    /// One generation that may count.
    pub fn load_generation(&self, generation: u64) -> Result<T> {
        self.read(&self.path(generation), generation)
    }

    /// One generation that is kept as a spare, for repair.
    pub fn load_spare(&self, generation: u64) -> Result<T> {
        self.read(&self.spare_path(generation), generation)
    }

    /// A generation, or a spare, whose record is what was written although its file is damaged elsewhere.
    ///
    /// # Errors
    /// As [`load_generation`](Self::load_generation), when the record itself is damaged.
    pub fn salvage(&self, generation: u64, spare: bool) -> Result<T> {
        let path = match spare {
            true => self.spare_path(generation),
            false => self.path(generation),
        };
        let file = Salvage::open(&*self.disk, &path, T::KIND, T::VERSIONS, 1..=1, None)?;
        let Some(bytes) = file.get(0, 0..file.len_of(0)) else {
            return Err(file.into_fault().into());
        };
        let record: T = codec::decode(bytes, file.display(), 0)?;
        match contradiction(&record, generation) {
            None => Ok(record),
            Some(what) => Err(Error::corrupt(file.display(), 0, what)),
        }
    }

    fn read(&self, path: &str, generation: u64) -> Result<T> {
        let disk = &*self.disk;
        let frame = Frame::open(disk, path, T::KIND, T::VERSIONS)?;
        frame.verify(disk)?;
        let section = frame.section(0)?;
        let at = section
            .as_ptr()
            .addr()
            .saturating_sub(frame.view().as_ptr().addr()) as u64;
        let record: T = codec::decode(&section, frame.display(), at)?;
        match contradiction(&record, generation) {
            None => Ok(record),
            Some(what) => Err(frame.corrupt_section(0, 0, what).into()),
        }
    }

    /// Keeps a record that is about to be the first generation as a spare of its own, so that what it says is in two
    /// files from the start. Counts for nothing without the commit that follows, which makes its name durable.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn keep_spare(&self, record: &T) -> Result<()> {
        self.write(record, &self.spare_path(record.generation()))?;
        Ok(())
    }

    /// Ends a commit that was cut short by the death of its process: makes the name of the newest generation durable, and sees
    /// to it that no older one counts should the newest be lost. To be called before anything that only an older generation
    /// needs is removed, or anything is built on the newest.
    ///
    /// Nothing tells of the first generation of a directory whether its commit ended; who names the directory must know that.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn settle(&self) -> Result<()> {
        let generations = self.generations()?;
        // A commit retires the one before it when its own name is durable.
        let Some((_, older)) = generations.split_last().filter(|(_, older)| !older.is_empty()) else {
            return Ok(());
        };
        self.disk.sync_dir(&self.dir)?;
        // What fails from here on is tried again by the next commit.
        let _ = self.retire(older);
        Ok(())
    }

    /// Makes `record` the newest generation, durably, together with the names of all files that were created in the
    /// directory before. The previous one becomes the spare, older ones are removed.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a record that contradicts itself and [`Error::StaleGeneration`] for one that is not
    /// newer than all that are there: nothing has changed then. After an error of the disk either generation may
    /// be the newest.
    pub fn commit(&self, record: &T) -> Result<FrameInfo> {
        let generation = record.generation();
        if let Some(reason) = record.contradiction() {
            return Err(Error::Invalid {
                path: self.shown(generation),
                reason,
            });
        }
        let generations = self.generations()?;
        if let Some(&newest) = generations.last().filter(|&&newest| newest >= generation) {
            return Err(Error::StaleGeneration {
                path: self.shown(generation),
                generation,
                newest,
            });
        }
        let disk = &*self.disk;
        // A crash may keep the new manifest's name and lose those of files it lists, unless they are safe before.
        disk.sync_dir(&self.dir)?;
        let name = file_name::<T>(generation);
        let info = replace_with(disk, &self.dir, &name, |temp| self.write(record, temp))?;
        // The commit has happened: what fails from here on is tried again by the next one.
        let _ = self.retire(&generations);
        Ok(info)
    }

    /// Writes a record into a new file, and syncs that.
    fn write(&self, record: &T, path: &str) -> Result<FrameInfo> {
        let mut frame = FrameWriter::create(&*self.disk, path, T::KIND, &[])?;
        frame.write(&codec::encode(record)?)?;
        Ok(frame.finish()?)
    }

    /// Makes the last of these generations the spare and removes what is older.
    fn retire(&self, generations: &[u64]) -> Result<()> {
        let Some((&previous, older)) = generations.split_last() else {
            return Ok(());
        };
        let spares = self.spares()?;
        self.disk
            .rename(&self.path(previous), &self.spare_path(previous))?;
        for &generation in older {
            self.disk.remove(&self.path(generation))?;
        }
        for &generation in spares.iter().filter(|&&spare| spare != previous) {
            self.disk.remove(&self.spare_path(generation))?;
        }
        Ok(())
    }

    fn path(&self, generation: u64) -> String {
        path::join(&self.dir, &file_name::<T>(generation))
    }

    fn spare_path(&self, generation: u64) -> String {
        path::join(&self.dir, &spare_name::<T>(generation))
    }

    fn shown(&self, generation: u64) -> String {
        self.disk.display(&self.path(generation))
    }
}

/// Why a record is not the one that its file should hold.
fn contradiction<T: ManifestRecord>(record: &T, generation: u64) -> Option<String> {
    match record.generation() {
        found if found != generation => Some(format!("generation {found}, expected {generation}")),
        _ => record.contradiction(),
    }
}
