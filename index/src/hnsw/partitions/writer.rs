//! Files of partitions, written one partition at a time.

use bytemuck::cast_slice;
use vdb_vfs::Disk;
use vdb_vfs::frame::{FrameInfo, FrameWriter};

use super::PartitionView;
use super::format::{Entry, FILE, Meta, Value};
use crate::error::{Error, Result};
use crate::hnsw::params::HnswParams;

/// Writes a file of partitions. Links go to the disk as they come; the rest, some 9 bytes a row, is held until the end.
#[derive(Debug)]
pub struct PartitionsWriter {
    writer: FrameWriter,
    /// Rows of the graph of all, and what partitions are built with.
    of: (u32, HnswParams),
    rows: Vec<u32>,
    upper_rows: Vec<u32>,
    upper_sizes: Vec<u32>,
    upper_links: Vec<u32>,
    entries: Vec<Entry>,
    values: Vec<(Vec<u8>, u32)>,
}

impl PartitionsWriter {
    /// Begins a new file, of partitions of a graph of `rows` rows that are built with `params`.
    ///
    /// # Errors
    /// Those of the disk; so for all methods. What was written is then of no use, and is the caller's to remove.
    pub fn create(disk: &dyn Disk, path: &str, rows: u32, params: &HnswParams) -> Result<Self> {
        let mut writer = FrameWriter::create(disk, path, FILE, &[])?;
        writer.begin_section()?;
        Ok(Self {
            writer,
            of: (rows, *params),
            rows: Vec::new(),
            upper_rows: Vec::new(),
            upper_sizes: Vec::new(),
            upper_links: Vec::new(),
            entries: Vec::new(),
            values: Vec::new(),
        })
    }

    /// Adds a partition, and answers its number.
    ///
    /// # Errors
    /// [`Error::BadParameter`] too for one that was built with another `m`.
    pub fn add(&mut self, partition: PartitionView<'_>) -> Result<u32> {
        let (found, wanted) = (partition.base.degree, self.of.1.degree());
        if found != wanted {
            return Err(Error::BadParameter {
                parameter: "links a node of a partition",
                value: found as u64,
                range: "those of the file",
            });
        }
        let number = self.entries.len() as u32;
        self.entries.push(Entry {
            first_row: self.rows.len() as u64,
            first_upper_link: self.upper_links.len() as u64,
            rows: partition.len(),
            first_upper_row: self.upper_rows.len() as u32,
            upper_rows: partition.upper_rows.len() as u32,
            first_size: self.upper_sizes.len() as u32,
            levels: partition.upper_sizes.len() as u32,
            follows: partition.follows.into(),
        });
        self.rows.extend_from_slice(partition.rows);
        self.upper_rows.extend_from_slice(partition.upper_rows);
        self.upper_sizes.extend_from_slice(partition.upper_sizes);
        self.upper_links.extend_from_slice(partition.upper_links);
        // Little-endian by the platform: vdb-sys does not compile on any other.
        self.writer.write(cast_slice(partition.base.blocks))?;
        Ok(number)
    }

    /// Says by what label the partition of a number is found.
    pub fn name(&mut self, label: Vec<u8>, partition: u32) {
        self.values.push((label, partition));
    }

    /// Writes the rest and syncs the file; the caller syncs the directory. `covered` is what was looked through for values.
    pub fn finish(mut self, covered: &[u16]) -> Result<FrameInfo> {
        self.values.sort_unstable();
        self.values.dedup_by(|a, b| a.0 == b.0);
        let mut covered = covered.to_vec();
        covered.sort_unstable();
        let (rows, params) = self.of;
        let meta = Meta {
            rows,
            params,
            total: self.rows.len() as u64,
            partitions: self.entries.len() as u32,
            values: self.values.len() as u32,
        };
        let entries: Vec<u8> = self.entries.iter().flat_map(Entry::encode).collect();
        let (mut values, mut labels) = (Vec::new(), Vec::new());
        for (label, partition) in &self.values {
            let value = Value {
                start: labels.len() as u64,
                len: label.len() as u32,
                partition: *partition,
            };
            values.extend_from_slice(&value.encode());
            labels.extend_from_slice(label);
        }
        let sections: [&[u8]; 8] = [
            cast_slice(&self.rows),
            cast_slice(&self.upper_rows),
            cast_slice(&self.upper_sizes),
            cast_slice(&self.upper_links),
            &entries,
            &values,
            &labels,
            cast_slice(&covered),
        ];
        for section in sections {
            self.writer.begin_section()?;
            self.writer.write(section)?;
        }
        self.writer.set_meta(&meta.encode())?;
        Ok(self.writer.finish()?)
    }
}
