//! Backups, written: what every version of the client from 1.9 on loads, under pydantic 1 and 2.

use std::io::{self, Write};

use vdb::{CollectionConfig, Payload, PayloadIndexParams, PointId, Vector, Vectors};

use super::info;
use super::models::ModelWriter;
use crate::pickle::GROUP;

/// Writes a backup point by point, in bounded memory.
///
/// ```
/// use vdb::{CollectionConfig, Distance, Payload, VectorParams, Vectors};
/// use vdb_interop::qdrant::BackupWriter;
///
/// let config = CollectionConfig::new(VectorParams::new(2, Distance::Dot));
/// let mut writer = BackupWriter::new(Vec::new(), &config)?;
/// writer.point(7.into(), &Vectors::from([0.5, 1.0]), &Payload::new())?;
/// let bytes = writer.finish()?;
/// assert_eq!(bytes.first(), Some(&0x80));
/// # Ok::<_, std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct BackupWriter<W> {
    models: ModelWriter<W>,
    config: CollectionConfig,
    payload_indexes: Vec<(String, PayloadIndexParams)>,
    points: u64,
    /// Points since the last mark.
    open: usize,
}

impl<W: Write> BackupWriter<W> {
    /// Begins a backup of a collection with this configuration.
    ///
    /// # Errors
    /// When `to` cannot be written to, as everywhere here.
    pub fn new(to: W, config: &CollectionConfig) -> io::Result<Self> {
        let mut models = ModelWriter::new(to)?;
        models.plain.pickle.empty_dict()?;
        models.plain.pickle.mark()?;
        models.name("points")?;
        models.plain.pickle.empty_list()?;
        Ok(BackupWriter {
            models,
            config: config.clone(),
            payload_indexes: Vec::new(),
            points: 0,
            open: 0,
        })
    }

    /// Says which payload indexes the collection has.
    #[must_use]
    pub fn payload_indexes(mut self, indexes: Vec<(String, PayloadIndexParams)>) -> Self {
        self.payload_indexes = indexes;
        self
    }

    /// Adds a point. The client expects them in the order of their ids.
    ///
    /// # Errors
    /// When writing fails.
    pub fn point(&mut self, id: PointId, vectors: &Vectors, payload: &Payload) -> io::Result<()> {
        const FIELDS: [&str; 3] = ["id", "payload", "vector"];
        if self.open == 0 {
            self.models.plain.pickle.mark()?;
        }
        self.models.object("Record", &FIELDS, |models| {
            models.name("id")?;
            match id {
                PointId::Num(number) => models.plain.pickle.unsigned(number)?,
                PointId::Uuid(_) => models.plain.pickle.text(&id.to_string())?,
            }
            models.name("payload")?;
            models.payload(payload)?;
            models.name("vector")?;
            write_vectors(models, vectors)?;
            for unset in ["shard_key", "order_value"] {
                models.name(unset)?;
                models.plain.pickle.none()?;
            }
            Ok(())
        })?;
        self.points += 1;
        self.open += 1;
        if self.open == GROUP {
            self.close()?;
        }
        Ok(())
    }

    /// Puts the points since the last mark into their list.
    fn close(&mut self) -> io::Result<()> {
        if self.open > 0 {
            self.models.plain.pickle.appends()?;
            self.open = 0;
        }
        Ok(())
    }

    /// Ends the backup, and hands back what it was written to.
    ///
    /// # Errors
    /// When writing fails.
    pub fn finish(mut self) -> io::Result<W> {
        self.close()?;
        self.models.name("collection_info")?;
        let info = info::info(&self.config, &self.payload_indexes, self.points);
        self.models.model(&info)?;
        self.models.plain.pickle.set_items()?;
        self.models.plain.finish()
    }
}

/// One unnamed vector as it is, others by name.
fn write_vectors<W: Write>(models: &mut ModelWriter<W>, vectors: &Vectors) -> io::Result<()> {
    if let Some(vector) = vectors.get("").filter(|_| vectors.0.len() == 1) {
        return write_vector(models, vector);
    }
    models.plain.pickle.empty_dict()?;
    if vectors.0.is_empty() {
        return Ok(());
    }
    models.plain.pickle.mark()?;
    for (name, vector) in &vectors.0 {
        models.name(name)?;
        write_vector(models, vector)?;
    }
    models.plain.pickle.set_items()
}

fn write_vector<W: Write>(models: &mut ModelWriter<W>, vector: &Vector) -> io::Result<()> {
    match vector {
        Vector::Dense(numbers) => models.numbers(numbers),
        Vector::Multi(rows) => {
            models.plain.pickle.empty_list()?;
            for group in rows.chunks(GROUP) {
                models.plain.pickle.mark()?;
                group.iter().try_for_each(|row| models.numbers(row))?;
                models.plain.pickle.appends()?;
            }
            Ok(())
        }
        Vector::Sparse(sparse) => models.object("SparseVector", &["indices", "values"], |models| {
            models.name("indices")?;
            models.indices(&sparse.indices)?;
            models.name("values")?;
            models.numbers(&sparse.values)
        }),
    }
}

#[cfg(test)]
mod tests;
