//! Graph files: written in one go, mapped to be searched.

use bytemuck::cast_slice;
use vdb_sys::kernel::Kernel;
use vdb_sys::kernel::packed::Bits;
use vdb_sys::map::Advice;
use vdb_vfs::frame::{Frame, FrameInfo, FrameWriter};
use vdb_vfs::{Disk, FileSlice};

use crate::codes::{CodesView, Layout};
use crate::error::{Error, Result};
use crate::hnsw::format::{
    BASE, CODES, ENCODING_AT, FILE, MAP, MAP_SCALES, MEAN, Meta, SECTIONS, UPPER_LINKS, UPPER_ROWS,
};
use crate::hnsw::graph::{Graph, GraphView};
use crate::hnsw::links::Links;
use crate::quant::{Projection, Quantizer};

impl Graph {
    /// Writes the graph to a new file and syncs it; the caller syncs the directory.
    ///
    /// # Errors
    /// Those of the disk. What was written is then of no use, and is the caller's to remove.
    pub fn write(&self, disk: &dyn Disk, path: &str) -> Result<FrameInfo> {
        let (codes, map) = (self.codes.as_ref(), self.quantizer.projection());
        let meta = Meta {
            rows: self.rows,
            dim: self.quantizer.mean().len() as u32,
            metric: self.quantizer.metric(),
            element: self.quantizer.element(),
            bits: codes.map(|codes| codes.layout.bits()),
            step: self.quantizer.step(),
            mapped: map.map_or(0, |map| map.len() as u32),
            params: self.params,
            growth: self.growth,
            encoding: self.encoding,
            sizes: self.upper.sizes.clone(),
        };
        // Little-endian by the platform: vdb-sys does not compile on any other.
        let sections: [&[u8]; SECTIONS] = [
            cast_slice(self.quantizer.mean()),
            codes.map_or(&[], |codes| &codes.bytes),
            cast_slice(map.map_or(&[], Projection::scales)),
            map.map_or(&[], Projection::rows),
            cast_slice(&self.base),
            cast_slice(&self.upper.rows),
            cast_slice(&self.upper.links),
        ];
        let mut writer = FrameWriter::create(disk, path, FILE, &meta.encode())?;
        for section in sections {
            writer.begin_section()?;
            writer.write(section)?;
        }
        Ok(writer.finish()?)
    }
}

/// A graph in a mapped file.
///
/// Opening checks what can be checked in constant time. Links and codes are used as they are: a damaged file can
/// make a search find less, which [`Found::damaged`](crate::hnsw::Found::damaged) reports where it is noticed, but
/// not panic and not run without end.
#[derive(Debug)]
pub struct GraphFile {
    frame: Frame,
    meta: Meta,
    quantizer: Quantizer,
    layout: Option<Layout>,
    codes: FileSlice,
    base: FileSlice,
    upper_rows: FileSlice,
    upper_links: FileSlice,
}

impl GraphFile {
    /// Opens the graph at `path` over a matrix of `rows` rows of `dim` components that `kernel` scores.
    ///
    /// # Errors
    /// [`vdb_vfs::Error::Corrupt`] and [`vdb_vfs::Error::Version`] for a file that is damaged, of another kind or
    /// version, or over another matrix; those of the disk.
    pub fn open(disk: &dyn Disk, path: &str, rows: u32, dim: usize, kernel: &Kernel) -> Result<Self> {
        Self::open_encoded(disk, path, rows, (dim, 0), kernel)
    }

    /// As [`open`](Self::open), over rows that were made in one of the ways that a file tells apart.
    pub(crate) fn open_encoded(
        disk: &dyn Disk,
        path: &str,
        rows: u32,
        (dim, encoding): (usize, u8),
        kernel: &Kernel,
    ) -> Result<Self> {
        let frame = Frame::open(disk, path, FILE, FILE.version..=FILE.version)?;
        let meta_at = frame.meta_at();
        let wrong = |at: u64, what: String| Error::from(frame.corrupt(meta_at.saturating_add(at), what));
        let meta = Meta::decode(frame.meta()).map_err(|(at, what)| wrong(at as u64, what))?;
        if meta.rows != rows || meta.dim as usize != dim {
            let what = format!("graph over {} x {}, expected {rows} x {dim}", meta.rows, meta.dim);
            return Err(wrong(0, what));
        }
        if meta.metric != kernel.metric() || meta.element != kernel.element() {
            let (metric, element) = (kernel.metric(), kernel.element());
            let found = (meta.metric, meta.element);
            return Err(wrong(
                0,
                format!("graph for {found:?}, expected {:?}", (metric, element)),
            ));
        }
        if meta.encoding != encoding {
            let found = meta.encoding;
            return Err(wrong(
                ENCODING_AT as u64,
                format!("graph over rows of encoding {found}, expected {encoding}"),
            ));
        }
        let expected = meta
            .section_lens()
            .ok_or_else(|| wrong(0, "sizes overflow".to_owned()))?;
        frame.require_sections(SECTIONS as u32)?;
        for (index, expected) in (0..).zip(expected) {
            let found = frame.section(index)?.len() as u64;
            if found != expected {
                let what = format!("section of {found} bytes, expected {expected}");
                return Err(frame.corrupt_section(index, 0, what).into());
            }
        }
        let wrong = |section, what| frame.corrupt_section(section, 0, what);
        let map = if meta.mapped == 0 {
            None
        } else {
            let scales: Vec<f32> = cast_slice(&frame.section(MAP_SCALES)?).to_vec();
            let map = Projection::from_parts(scales, &frame.section(MAP)?, dim)
                .ok_or_else(|| wrong(MAP_SCALES, "a scale of the map is not a finite number"))?;
            Some(map)
        };
        let mean: Vec<f32> = cast_slice(&frame.section(MEAN)?).to_vec();
        let bits = meta.bits.unwrap_or(Bits::Eight);
        let quantizer = Quantizer::from_parts(meta.metric, meta.element, mean, meta.step, bits, map)
            .ok_or_else(|| wrong(MEAN, "mean or width of a code is not a finite number"))?;
        let file = Self {
            layout: meta.layout(),
            codes: frame.section(CODES)?,
            base: frame.section(BASE)?,
            upper_rows: frame.section(UPPER_ROWS)?,
            upper_links: frame.section(UPPER_LINKS)?,
            frame,
            meta,
            quantizer,
        };
        // Walks jump about: reading ahead would fetch what nobody asked for. The descent reads the upper levels
        // every time, though.
        for section in [&file.codes, &file.base] {
            section.advise(Advice::Random);
        }
        for section in [&file.upper_rows, &file.upper_links] {
            section.advise(Advice::WillNeed);
        }
        Ok(file)
    }

    /// The graph, which is what a search takes.
    pub fn view(&self) -> GraphView<'_> {
        let degree = self.meta.params.degree();
        let codes = |layout| CodesView::of_checked(&self.codes, layout, self.meta.rows);
        GraphView {
            quantizer: &self.quantizer,
            rows: self.meta.rows,
            codes: self.layout.map(codes),
            base: Links {
                blocks: cast_slice(&self.base),
                degree,
            },
            params: self.meta.params,
            upper_rows: cast_slice(&self.upper_rows),
            upper_sizes: &self.meta.sizes,
            upper_links: cast_slice(&self.upper_links),
            growth: self.meta.growth,
        }
    }

    /// Rows of the graph.
    pub fn len(&self) -> u32 {
        self.meta.rows
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.meta.rows == 0
    }

    /// Length and checksum of the file, as [`Graph::write`] returned them.
    pub fn info(&self) -> FrameInfo {
        self.frame.info()
    }

    /// Reads the whole file from the disk and checks every byte of it. [`GraphView::check`] looks at the meaning.
    ///
    /// # Errors
    /// [`vdb_vfs::Error::Corrupt`] with the first damaged place; those of the disk.
    pub fn verify(&self, disk: &dyn Disk) -> Result<()> {
        Ok(self.frame.verify(disk)?)
    }
}

#[cfg(test)]
mod tests;
