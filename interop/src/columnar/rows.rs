//! Rows out of batches.

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use vdb::{CollectionConfig, Vectors};
use vdb_storage::PointId;

use super::batches::Batches;
use super::layout::Layout;
use super::{ipc, parquet, payload, value, vectors};
use crate::error::{Problem, RowError};
use crate::id::{self, Given, Numbering};
use crate::input::Input;
use crate::misfit::{Lossy, Misfit};
use crate::options::ReadOptions;
use crate::row::{At, Place, Row};
use crate::source::{Progress, RowSource};
use crate::vector::not_finite_in;

/// The rows of a Parquet file, or of an Arrow file or stream.
pub struct ColumnarRows {
    batches: Box<dyn Batches>,
    layout: Layout,
    batch: Option<RecordBatch>,
    /// Rows of the batch that were handed out.
    taken: usize,
    place: Place,
    numbering: Numbering,
    lossy: bool,
    changed: u64,
    rows: u64,
    ended: bool,
}

impl ColumnarRows {
    /// A Parquet file, which is opened again at the path of `input`.
    ///
    /// # Errors
    /// A pipe, a file that is none or is damaged, or columns that are no rows of points.
    pub fn parquet(input: &Input, options: &ReadOptions) -> Result<ColumnarRows, RowError> {
        let place = input.place(At::File);
        ColumnarRows::new(
            parquet::open(input).map(|batches| Box::new(batches) as _),
            place,
            options,
        )
    }

    /// An Arrow file, or a stream of Arrow's, which may come from a pipe.
    ///
    /// # Errors
    /// As for [`parquet`](Self::parquet).
    pub fn arrow(input: Input, options: &ReadOptions) -> Result<ColumnarRows, RowError> {
        let place = input.place(At::File);
        ColumnarRows::new(ipc::open(input), place, options)
    }

    fn new(
        batches: Result<Box<dyn Batches>, Problem>,
        place: Place,
        options: &ReadOptions,
    ) -> Result<ColumnarRows, RowError> {
        let opened = batches.and_then(|batches| {
            let layout = Layout::of(&batches.schema(), options)?;
            Ok((batches, layout))
        });
        let (batches, layout) = opened.map_err(|problem| RowError::new(place.clone(), problem))?;
        Ok(ColumnarRows {
            batches,
            layout,
            batch: None,
            taken: 0,
            place,
            numbering: Numbering::of(options),
            lossy: options.lossy,
            changed: 0,
            rows: 0,
            ended: false,
        })
    }

    /// The next row of the batches, and where it is in the newest.
    fn advance(&mut self) -> Result<Option<(RecordBatch, usize)>, Problem> {
        loop {
            if let Some(batch) = &self.batch
                && self.taken < batch.num_rows()
            {
                self.taken += 1;
                return Ok(Some((batch.clone(), self.taken - 1)));
            }
            self.batch = self.batches.advance()?;
            self.taken = 0;
            if self.batch.is_none() {
                return Ok(None);
            }
        }
    }

    fn row(&mut self, batch: &RecordBatch, at: usize, place: Place) -> Result<Row, RowError> {
        let mut lossy = Lossy {
            is_allowed: self.lossy,
            changed: 0,
        };
        let name = |column: usize| batch.schema_ref().field(column).name().clone();
        let id = match self.layout.id {
            None => None,
            Some(column) => given(batch.column(column), at)
                .map_err(|problem| RowError::in_field(place.clone(), name(column), problem))?,
        };
        let mut all = Vectors::default();
        for vector in &self.layout.vectors {
            let fail = |path: String, problem| {
                RowError::in_field(place.clone(), format!("{}{path}", name(vector.column)), problem)
            };
            let read = vectors::read(batch.column(vector.column), at, vector.kind);
            let Some(numbers) = read.map_err(|misfit| fail(misfit.path, misfit.problem))? else {
                continue;
            };
            if let Some((path, problem)) = not_finite_in(&numbers) {
                return Err(fail(path, problem));
            }
            all.0.insert(vector.name.clone(), numbers);
        }
        let payload = payload::read(batch, at, &self.layout.payload, &mut lossy).map_err(
            |(column, Misfit { path, problem })| {
                RowError::in_field(place.clone(), format!("{}{path}", name(column)), problem)
            },
        )?;
        self.changed += lossy.changed;
        let number = self.rows - 1;
        let mut payload = (!payload.is_empty()).then_some(payload);
        let resolved = self.numbering.resolve(id, number, &mut payload);
        let (id, numbered) = resolved.map_err(|problem| {
            let field = self.layout.id.map_or_else(|| "id".to_owned(), name);
            RowError::in_field(place.clone(), field, problem)
        })?;
        Ok(Row {
            id,
            numbered,
            vectors: all,
            payload,
            place,
        })
    }
}

/// What a row says that its id is; `None` where that is null.
fn given(column: &dyn Array, at: usize) -> Result<Option<Given>, Problem> {
    if let Some(bytes) = column.as_fixed_size_binary_opt() {
        let bytes = bytes.is_valid(at).then(|| bytes.value(at));
        // The bytes of a UUID stand as its text reads.
        return Ok(bytes.map(|bytes| {
            let bits = bytes
                .iter()
                .fold(0u128, |bits, byte| bits << 8 | u128::from(*byte));
            Given::Id(PointId::Uuid(uuid::Uuid::from_u128(bits)))
        }));
    }
    let found =
        value::json(column, at, &mut Lossy::default()).map_err(|misfit| id::refused(misfit.problem))?;
    Given::of_json(&found)
}

impl Iterator for ColumnarRows {
    type Item = Result<Row, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let row = match self.advance() {
            Ok(None) => {
                self.ended = true;
                return None;
            }
            Ok(Some((batch, at))) => {
                let place = Place {
                    file: self.place.file.clone(),
                    at: At::Row(self.rows),
                };
                self.rows += 1;
                self.row(&batch, at, place)
            }
            Err(problem) => {
                let place = Place {
                    file: self.place.file.clone(),
                    at: At::Row(self.rows),
                };
                Err(RowError::new(place, problem))
            }
        };
        self.ended = row.as_ref().is_err_and(|error| !error.is_skippable());
        Some(row)
    }
}

impl RowSource for ColumnarRows {
    fn progress(&self) -> Progress {
        Progress {
            rows: self.rows,
            total_rows: self.batches.total_rows(),
            bytes: self.batches.bytes(),
            total_bytes: self.batches.total_bytes(),
        }
    }

    fn dim_hint(&self) -> Option<usize> {
        self.layout.vectors.iter().find_map(|vector| match vector.kind {
            vectors::Kind::Dense { size, .. } => size,
            vectors::Kind::Multi { .. } | vectors::Kind::Sparse { .. } | vectors::Kind::Text => None,
        })
    }

    fn config(&self) -> Option<CollectionConfig> {
        self.layout.config.clone()
    }

    fn notes(&self) -> &[String] {
        &self.layout.notes
    }

    fn changed(&self) -> u64 {
        self.changed
    }
}

impl std::fmt::Debug for ColumnarRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ColumnarRows")
            .field("place", &self.place)
            .field("layout", &self.layout)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}
