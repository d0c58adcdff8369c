//! A schema in the form that manifests and points files carry.

use vdb_storage::codec;
use vdb_storage::payload::decode_payload;
use vdb_storage::schema::{PayloadIndexRecord, SchemaRecord, SparseVectorRecord, VectorRecord};
use vdb_sys::element::Element;

use super::{DenseSchema, PayloadIndexSchema, Schema, VectorKind};
use crate::config::vectors::{MultiVectorComparator, SparseVectorParams};
use crate::config::{CollectionConfig, Distance, VectorParams};
use crate::error::{Error, Result, within};
use crate::limits::MAX_SCHEMA_BYTES;
use crate::payload::{PayloadIndexKind, PayloadIndexOptions, PayloadIndexParams};
use crate::settings::Modifier;
use crate::settings::{CollectionUpdate, Fields};
use crate::ttl::Ttl;

impl Schema {
    /// The form in the manifest.
    pub(crate) fn to_record(&self) -> SchemaRecord {
        let (mut vectors, mut sparse_vectors) = (Vec::new(), Vec::new());
        for (slot, vector) in self.vectors() {
            let (number, name) = (slot as u16, vector.name.clone());
            match &vector.kind {
                VectorKind::Dense(DenseSchema { params, .. })
                | VectorKind::Multi(DenseSchema { params, .. }) => vectors.push(VectorRecord {
                    number,
                    name,
                    size: params.size as u32,
                    distance: params.distance.code(),
                    element: params.element.code(),
                    multivector: params.multivector.map(MultiVectorComparator::code),
                }),
                VectorKind::Sparse(params) => sparse_vectors.push(SparseVectorRecord {
                    number,
                    name,
                    modifier: params.modifier.code(),
                    element: params.element.code(),
                }),
            }
        }
        let indexes = self.payload_indexes.iter().map(|i| PayloadIndexRecord {
            number: i.number,
            path: i.path.clone(),
            kind: i.params.kind.code(),
            options: i.params.options.as_ref().map(PayloadIndexOptions::to_record),
        });
        SchemaRecord {
            vectors,
            sparse_vectors,
            next_vector: self.vectors.len() as u16,
            payload_indexes: indexes.collect(),
            next_payload_index: self.next_payload_index,
            settings: self.stored.clone(),
            ttl: self.ttl.as_ref().map(|ttl| ttl.field.clone()),
            revision: self.revision,
        }
    }

    /// The form in the manifest of a schema that is about to come into force.
    ///
    /// # Errors
    /// When it takes more than a points file can carry.
    pub(crate) fn to_bounded_record(&self) -> Result<SchemaRecord> {
        let record = self.to_record();
        let bytes = codec::encode(&record)?.len();
        within(
            "bytes that the schema of a collection takes, with its settings and the options of its payload indexes",
            MAX_SCHEMA_BYTES,
            bytes,
        )?;
        Ok(record)
    }

    /// From the form in the manifest of the collection in `dir`.
    pub(crate) fn from_record(record: &SchemaRecord, dir: &str) -> Result<Schema> {
        let damaged = |what: String| Error::Damaged {
            file: format!("{dir}: manifest"),
            what,
        };
        let mut slots = vec![None; usize::from(record.next_vector)];
        let dense = record.vectors.iter().map(|v| (v.number, v.name.as_str()));
        let sparse = record.sparse_vectors.iter().map(|v| (v.number, v.name.as_str()));
        for (number, name) in dense.chain(sparse) {
            match slots.get_mut(usize::from(number)) {
                Some(place @ None) => *place = Some(name),
                Some(Some(_)) | None => {
                    return Err(damaged(format!(
                        "vector {name:?} has the number {number}, which is another's or was never given"
                    )));
                }
            }
        }
        let mut config = CollectionConfig {
            ttl: record.ttl.as_ref().map(Ttl::new),
            ..CollectionConfig::default()
        };
        for v in &record.vectors {
            config
                .vectors
                .push((v.name.clone(), dense_params(v).map_err(damaged)?));
        }
        for v in &record.sparse_vectors {
            config
                .sparse_vectors
                .push((v.name.clone(), sparse_params(v).map_err(damaged)?));
        }
        let mut payload_indexes = Vec::with_capacity(record.payload_indexes.len());
        for index in &record.payload_indexes {
            let kind = PayloadIndexKind::from_code(index.kind).ok_or_else(|| {
                damaged(format!(
                    "index {:?} has the unknown kind {}",
                    index.path, index.kind
                ))
            })?;
            let read = |options| {
                PayloadIndexOptions::from_record(options)
                    .ok_or_else(|| damaged(format!("index {:?} has unknown options", index.path)))
            };
            let options = index.options.as_ref().map(read).transpose()?;
            let params = PayloadIndexParams { kind, options };
            let made = PayloadIndexSchema::new(index.number, index.path.clone(), params);
            payload_indexes.push(made.map_err(|error| damaged(format!("index {:?}: {error}", index.path)))?);
        }
        // What is kept is what makes the settings of those that nobody has touched.
        let settle = |config: &mut CollectionConfig| -> Result<()> {
            let settings = decode_payload(&record.settings)?;
            config.update(&CollectionUpdate::read(Fields::of("settings", &settings))?)
        };
        settle(&mut config).map_err(|e| damaged(e.to_string()))?;
        let fresh = Schema::new(config).and_then(|schema| schema.under(schema.config(), &slots));
        Ok(Schema {
            payload_indexes,
            next_payload_index: record.next_payload_index,
            revision: record.revision,
            ..fresh.map_err(|e| damaged(e.to_string()))?
        })
    }
}

/// The parameters of a record, or what is wrong with it.
fn dense_params(v: &VectorRecord) -> Result<VectorParams, String> {
    let unknown = |what: &str, code: u8| format!("vector {:?} has the unknown {what} {code}", v.name);
    let distance = Distance::from_code(v.distance).ok_or_else(|| unknown("distance", v.distance))?;
    let element = Element::from_code(v.element).ok_or_else(|| unknown("element", v.element))?;
    let comparator =
        |code| MultiVectorComparator::from_code(code).ok_or_else(|| unknown("multivector comparator", code));
    Ok(VectorParams {
        multivector: v.multivector.map(comparator).transpose()?,
        ..VectorParams::new(v.size as usize, distance).element(element)
    })
}

/// The parameters of a record, or what is wrong with it.
fn sparse_params(v: &SparseVectorRecord) -> Result<SparseVectorParams, String> {
    let unknown = |what: &str, code: u8| format!("vector {:?} has the unknown {what} {code}", v.name);
    Ok(SparseVectorParams {
        modifier: Modifier::from_code(v.modifier).ok_or_else(|| unknown("modifier", v.modifier))?,
        element: Element::from_code(v.element).ok_or_else(|| unknown("element", v.element))?,
    })
}
