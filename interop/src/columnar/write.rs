//! Parquet, written: ids, and a column a vector and a payload field.

mod payload;

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::Arc;

use arrow_array::builder::{
    FixedSizeListBuilder, Float32Builder, ListBuilder, StringBuilder, UInt32Builder, UInt64Builder,
};
use arrow_array::{ArrayRef, RecordBatch, StructArray};
use arrow_buffer::NullBuffer;
use arrow_schema::{ArrowError, DataType, Field, Fields, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use vdb::{CollectionConfig, Payload, PointId, Vector, Vectors};

use super::field::{FieldType, ITEM};
use super::origin::{self, ID, Origin, Payloads};
use super::survey::PayloadSurvey;
use super::vectors::{INDICES, VALUES};
use payload::PayloadColumns;

/// Bytes of points that become a batch, and of batches that become a row group, about.
const BATCH_BYTES: usize = 8 << 20;
const BATCH_ROWS: usize = 1024;
const GROUP_BYTES: usize = 64 << 20;

/// What the ids of all points are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParquetIds {
    /// Numbers, in a column of unsigned integers.
    Numbers,
    /// UUIDs or both, in a column of text.
    Texts,
}

/// Writes points as rows, in bounded memory: a row group, some 64 MiB, is held while it is made.
///
/// Columns are `id`, `vector` or `vector.NAME` for each vector, and one for each payload field, of the type that has all of its values
/// (`field.rs`). Dense vectors are fixed-size lists of 32-bit floats, multivectors lists of such, sparse vectors structs of `indices` and
/// `values`; a point that lacks one, or a field, has null. A field that is null itself is named in `payload.nulls`; fields beyond the first
/// thousand, and those with very long names, are in `payload`, an object of JSON.
/// The schema's metadata says under `vdb` what the collection is like.
pub struct ParquetWriter<W: Write + Send> {
    writer: ArrowWriter<W>,
    schema: SchemaRef,
    ids: Ids,
    vectors: Vec<(String, Column)>,
    payloads: PayloadColumns,
    rows: usize,
    bytes: usize,
}

enum Ids {
    Numbers(UInt64Builder),
    Texts(StringBuilder),
}

enum Column {
    Dense(FixedSizeListBuilder<Float32Builder>, usize),
    Multi(ListBuilder<FixedSizeListBuilder<Float32Builder>>),
    Sparse(ListBuilder<UInt32Builder>, ListBuilder<Float32Builder>, Vec<bool>),
}

fn failed(error: ParquetError) -> io::Error {
    if let ParquetError::External(inner) = error {
        match inner.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(inner) => io::Error::other(inner),
        }
    } else {
        io::Error::other(error)
    }
}

fn mistaken(error: ArrowError) -> io::Error {
    io::Error::other(error)
}

fn number() -> Field {
    Field::new(ITEM, DataType::Float32, false)
}

fn row_of(size: usize) -> io::Result<DataType> {
    Ok(DataType::FixedSizeList(Arc::new(number()), width(size)?))
}

fn width(size: usize) -> io::Result<i32> {
    i32::try_from(size).map_err(io::Error::other)
}

/// The names of fields that are null.
fn names() -> DataType {
    DataType::List(Arc::new(Field::new(ITEM, DataType::Utf8, false)))
}

/// How columns are packed.
fn properties(payload: &Payloads) -> io::Result<WriterProperties> {
    // Floats of vectors pack badly, and no reader looks for one by its value. Ids and payloads are another matter.
    let packed = Compression::ZSTD(ZstdLevel::try_new(1).map_err(failed)?);
    let list = |name: &str| ColumnPath::new(vec![name.to_owned(), "list".to_owned(), ITEM.to_owned()]);
    let field = |field: &origin::FieldColumn| match field.of {
        FieldType::Value(_) | FieldType::Json => ColumnPath::from(field.column.as_str()),
        FieldType::List(_) => list(&field.column),
    };
    let fields = payload.fields.iter().map(field);
    let rest = payload.rest.as_deref().map(ColumnPath::from);
    let columns = fields.chain(rest).chain(payload.nulls.as_deref().map(list));
    let mut properties = WriterProperties::builder()
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_column_compression(ColumnPath::from(ID), packed)
        .set_column_statistics_enabled(ColumnPath::from(ID), EnabledStatistics::Chunk);
    for column in columns {
        properties = properties
            .set_column_compression(column.clone(), packed)
            .set_column_dictionary_enabled(column.clone(), true)
            .set_column_statistics_enabled(column, EnabledStatistics::Chunk);
    }
    Ok(properties.build())
}

fn sparse_fields() -> Fields {
    let list = |name, item| {
        Field::new(
            name,
            DataType::List(Arc::new(Field::new(ITEM, item, false))),
            false,
        )
    };
    Fields::from(vec![
        list(INDICES, DataType::UInt32),
        list(VALUES, DataType::Float32),
    ])
}

fn dense(size: usize) -> io::Result<FixedSizeListBuilder<Float32Builder>> {
    Ok(FixedSizeListBuilder::new(Float32Builder::new(), width(size)?).with_field(number()))
}

impl<W: Write + Send> ParquetWriter<W> {
    /// Begins a file of a collection with this configuration, whose payloads were all looked at by `survey`.
    ///
    /// # Errors
    /// When `to` cannot be written to, as everywhere here.
    pub fn new(
        to: W,
        config: &CollectionConfig,
        ids: ParquetIds,
        survey: &PayloadSurvey,
    ) -> io::Result<Self> {
        let id = match ids {
            ParquetIds::Numbers => DataType::UInt64,
            ParquetIds::Texts => DataType::Utf8,
        };
        let mut fields = vec![Field::new(ID, id, false)];
        let mut vectors = Vec::new();
        for (name, params) in &config.vectors {
            let row = row_of(params.size)?;
            let (of, column) = if params.multivector.is_some() {
                let item = Arc::new(Field::new(ITEM, row, false));
                let builder = ListBuilder::new(dense(params.size)?).with_field(item.clone());
                (DataType::List(item), Column::Multi(builder))
            } else {
                (row, Column::Dense(dense(params.size)?, params.size))
            };
            fields.push(Field::new(origin::column(name), of, true));
            vectors.push((name.clone(), column));
        }
        for (name, _) in &config.sparse_vectors {
            let of = DataType::Struct(sparse_fields());
            fields.push(Field::new(origin::column(name), of, true));
            vectors.push((name.clone(), sparse()));
        }
        let origin = Origin::of(config, survey);
        let payload = &origin.payload;
        for field in &payload.fields {
            fields.push(Field::new(field.column.as_str(), field.of.data_type(), true));
        }
        if let Some(nulls) = &payload.nulls {
            fields.push(Field::new(nulls.as_str(), names(), true));
        }
        if let Some(rest) = &payload.rest {
            fields.push(Field::new(rest.as_str(), DataType::Utf8, true));
        }
        let payloads = PayloadColumns::new(payload);
        let properties = properties(payload)?;
        let said = HashMap::from([(origin::KEY.to_owned(), origin.to_json())]);
        let schema = Arc::new(Schema::new_with_metadata(fields, said));
        Ok(ParquetWriter {
            writer: ArrowWriter::try_new(to, schema.clone(), Some(properties)).map_err(failed)?,
            schema,
            ids: match ids {
                ParquetIds::Numbers => Ids::Numbers(UInt64Builder::new()),
                ParquetIds::Texts => Ids::Texts(StringBuilder::new()),
            },
            vectors,
            payloads,
            rows: 0,
            bytes: 0,
        })
    }

    /// Adds a point.
    ///
    /// # Errors
    /// A UUID where numbers were promised, a vector of another shape than the collection's, or what writing says.
    pub fn point(&mut self, id: PointId, vectors: &Vectors, payload: &Payload) -> io::Result<()> {
        match (&mut self.ids, id) {
            (Ids::Numbers(ids), PointId::Num(number)) => ids.append_value(number),
            (Ids::Texts(ids), _) => ids.append_value(id.to_string()),
            (Ids::Numbers(_), PointId::Uuid(_)) => return Err(unfit(format!("the id {id} is no number"))),
        }
        for (name, column) in &mut self.vectors {
            self.bytes += column
                .push(vectors.get(name))
                .map_err(|why| unfit(format!("point {id}: the vector {name:?} {why}")))?;
        }
        self.bytes += self
            .payloads
            .push(payload)
            .map_err(|why| unfit(format!("point {id}: {why}")))?;
        self.rows += 1;
        if self.rows >= BATCH_ROWS || self.bytes >= BATCH_BYTES {
            self.batch()?;
        }
        Ok(())
    }

    /// Hands the points since the last batch to the writer.
    fn batch(&mut self) -> io::Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut columns: Vec<ArrayRef> = vec![match &mut self.ids {
            Ids::Numbers(ids) => Arc::new(ids.finish()),
            Ids::Texts(ids) => Arc::new(ids.finish()),
        }];
        for (_, column) in &mut self.vectors {
            columns.push(column.finish().map_err(mistaken)?);
        }
        columns.extend(self.payloads.finish().map_err(mistaken)?);
        let batch = RecordBatch::try_new(self.schema.clone(), columns).map_err(mistaken)?;
        self.writer.write(&batch).map_err(failed)?;
        (self.rows, self.bytes) = (0, 0);
        if self.writer.in_progress_size() >= GROUP_BYTES {
            self.writer.flush().map_err(failed)?;
        }
        Ok(())
    }

    /// Ends the file, and hands back what it was written to.
    ///
    /// # Errors
    /// When writing fails.
    pub fn finish(mut self) -> io::Result<W> {
        self.batch()?;
        self.writer.into_inner().map_err(failed)
    }
}

fn unfit(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

fn sparse() -> Column {
    let indices =
        ListBuilder::new(UInt32Builder::new()).with_field(Field::new(ITEM, DataType::UInt32, false));
    Column::Sparse(
        indices,
        ListBuilder::new(Float32Builder::new()).with_field(number()),
        Vec::new(),
    )
}

impl Column {
    /// Adds the vector of a point, and says about how many bytes it took.
    fn push(&mut self, vector: Option<&Vector>) -> Result<usize, &'static str> {
        match (self, vector) {
            (Column::Dense(builder, size), Some(Vector::Dense(numbers))) if numbers.len() == *size => {
                builder.values().append_slice(numbers);
                builder.append(true);
                Ok(4 * numbers.len())
            }
            (Column::Dense(builder, size), None) => {
                builder.values().append_value_n(0.0, *size);
                builder.append(false);
                Ok(4 * *size)
            }
            (Column::Multi(builder), Some(Vector::Multi(rows))) => {
                let size = usize::try_from(builder.values().value_length()).unwrap_or(0);
                if rows.iter().any(|row| row.len() != size) {
                    return Err("has a row of another length than the collection's");
                }
                for row in rows {
                    builder.values().values().append_slice(row);
                    builder.values().append(true);
                }
                builder.append(true);
                Ok(4 * size * rows.len())
            }
            (Column::Multi(builder), None) => {
                builder.append(false);
                Ok(4)
            }
            (Column::Sparse(indices, values, there), Some(Vector::Sparse(sparse))) => {
                indices.values().append_slice(&sparse.indices);
                indices.append(true);
                values.values().append_slice(&sparse.values);
                values.append(true);
                there.push(true);
                Ok(8 * sparse.values.len())
            }
            (Column::Sparse(indices, values, there), None) => {
                // The lists of what is not there are empty.
                indices.append(true);
                values.append(true);
                there.push(false);
                Ok(8)
            }
            (Column::Dense(..) | Column::Multi(_) | Column::Sparse(..), Some(_)) => {
                Err("is of another shape than the collection's")
            }
        }
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        Ok(match self {
            Column::Dense(builder, _) => Arc::new(builder.finish()),
            Column::Multi(builder) => Arc::new(builder.finish()),
            Column::Sparse(indices, values, there) => {
                let columns: Vec<ArrayRef> = vec![Arc::new(indices.finish()), Arc::new(values.finish())];
                let there = NullBuffer::from(std::mem::take(there));
                Arc::new(StructArray::try_new(sparse_fields(), columns, Some(there))?)
            }
        })
    }
}

impl<W: Write + Send> std::fmt::Debug for ParquetWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParquetWriter")
            .field("schema", &self.schema)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}
