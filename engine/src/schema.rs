//! What a collection holds, as the engine works with it, and its form in the manifest.

use vdb_index::Quantization;
use vdb_index::hnsw::HnswParams;
use vdb_storage::schema::{HnswRecord, OptimizerRecord, PayloadIndexRecord, SchemaRecord, VectorRecord};
use vdb_sys::element::Element;
use vdb_sys::kernel::Kernel;

use crate::config::{CollectionConfig, Distance, OptimizerConfig, VectorParams};
use crate::error::{Error, Result};
use crate::payload::{PayloadIndexKind, PayloadIndexOptions, PayloadIndexParams};

/// A named vector and the kernel that scores it.
#[derive(Clone, Debug)]
pub(crate) struct VectorSchema {
    pub(crate) name: String,
    pub(crate) params: VectorParams,
    pub(crate) kernel: Kernel,
}

/// An index over one payload path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PayloadIndexSchema {
    /// Names its files; never given to another index of the collection.
    pub(crate) number: u16,
    pub(crate) path: String,
    pub(crate) params: PayloadIndexParams,
}

/// What a collection holds. A vector's place in the list is its slot everywhere else.
#[derive(Clone, Debug)]
pub(crate) struct Schema {
    pub(crate) vectors: Vec<VectorSchema>,
    pub(crate) payload_indexes: Vec<PayloadIndexSchema>,
    pub(crate) next_payload_index: u16,
    pub(crate) optimizer: OptimizerConfig,
}

impl Schema {
    pub(crate) fn new(config: CollectionConfig) -> Self {
        let vectors = config.vectors.into_iter().map(|(name, mut params)| {
            // What the manifest keeps is what counts from the start, not from the next opening on.
            params.hnsw.alpha = from_thousandths(to_thousandths(params.hnsw.alpha));
            let kernel = params.kernel();
            VectorSchema { name, params, kernel }
        });
        Schema {
            vectors: vectors.collect(),
            payload_indexes: Vec::new(),
            next_payload_index: 0,
            optimizer: OptimizerConfig {
                deleted_share: from_thousandths(to_thousandths(config.optimizer.deleted_share)),
                ..config.optimizer
            },
        }
    }

    pub(crate) fn config(&self) -> CollectionConfig {
        CollectionConfig {
            vectors: self
                .vectors
                .iter()
                .map(|v| (v.name.clone(), v.params.clone()))
                .collect(),
            sparse_vectors: Vec::new(),
            optimizer: self.optimizer.clone(),
        }
    }

    /// The slot of a vector by name.
    pub(crate) fn slot(&self, name: &str) -> Option<usize> {
        self.vectors.iter().position(|v| v.name == name)
    }

    /// The slot of a vector by name, or an error that lists the names.
    pub(crate) fn require(&self, name: &str) -> Result<usize> {
        self.slot(name).ok_or_else(|| {
            let names: Vec<String> = self.vectors.iter().map(|v| format!("{:?}", v.name)).collect();
            let known = if names.is_empty() {
                "no vectors".to_owned()
            } else {
                names.join(", ")
            };
            Error::UnknownVector {
                name: name.to_owned(),
                known,
            }
        })
    }
}

fn to_thousandths(value: f32) -> u16 {
    (value * 1000.0).round() as u16
}

fn from_thousandths(value: u16) -> f32 {
    f32::from(value) / 1000.0
}

impl Schema {
    /// The form in the manifest.
    pub(crate) fn to_record(&self) -> SchemaRecord {
        let vectors = (0u16..).zip(&self.vectors).map(|(number, v)| VectorRecord {
            number,
            name: v.name.clone(),
            size: v.params.size as u32,
            distance: v.params.distance.code(),
            element: v.params.element.code(),
            hnsw: HnswRecord {
                m: v.params.hnsw.m,
                ef_construct: v.params.hnsw.ef_construct,
                ef_refine: v.params.hnsw.ef_refine,
                alpha_thousandths: to_thousandths(v.params.hnsw.alpha),
                seed: v.params.hnsw.seed,
                quantization: v.params.hnsw.quantization.code(),
            },
        });
        let indexes = self.payload_indexes.iter().map(|i| PayloadIndexRecord {
            number: i.number,
            path: i.path.clone(),
            kind: i.params.kind.code(),
            options: i.params.options.map(PayloadIndexOptions::to_record),
        });
        SchemaRecord {
            vectors: vectors.collect(),
            next_vector: self.vectors.len() as u16,
            payload_indexes: indexes.collect(),
            next_payload_index: self.next_payload_index,
            optimizer: OptimizerRecord {
                index_min_rows: self.optimizer.index_min_rows,
                max_segment_rows: self.optimizer.max_segment_rows,
                deleted_thousandths: to_thousandths(self.optimizer.deleted_share),
                merge_fan_in: self.optimizer.merge_fan_in,
            },
        }
    }

    /// From the form in the manifest of the collection in `dir`.
    pub(crate) fn from_record(record: &SchemaRecord, dir: &str) -> Result<Schema> {
        let damaged = |what: String| Error::Damaged {
            file: format!("{dir}: manifest"),
            what,
        };
        let mut vectors = Vec::with_capacity(record.vectors.len());
        for (slot, v) in record.vectors.iter().enumerate() {
            let distance = Distance::from_code(v.distance).ok_or_else(|| {
                damaged(format!(
                    "vector {:?} has the unknown distance {}",
                    v.name, v.distance
                ))
            })?;
            let element = Element::from_code(v.element).ok_or_else(|| {
                damaged(format!(
                    "vector {:?} has the unknown element {}",
                    v.name, v.element
                ))
            })?;
            if usize::from(v.number) != slot {
                return Err(damaged(format!(
                    "vector {:?} has number {}, expected {slot}",
                    v.name, v.number
                )));
            }
            let hnsw = HnswParams {
                m: v.hnsw.m,
                ef_construct: v.hnsw.ef_construct,
                ef_refine: v.hnsw.ef_refine,
                alpha: from_thousandths(v.hnsw.alpha_thousandths),
                seed: v.hnsw.seed,
                quantization: Quantization::from_code(v.hnsw.quantization).ok_or_else(|| {
                    damaged(format!(
                        "vector {:?} has the unknown quantization {}",
                        v.name, v.hnsw.quantization
                    ))
                })?,
            };
            let params = VectorParams {
                size: v.size as usize,
                distance,
                element,
                hnsw,
                multivector: None,
            };
            let kernel = params.kernel();
            vectors.push(VectorSchema {
                name: v.name.clone(),
                params,
                kernel,
            });
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
            payload_indexes.push(PayloadIndexSchema {
                number: index.number,
                path: index.path.clone(),
                params: PayloadIndexParams { kind, options },
            });
        }
        let optimizer = OptimizerConfig {
            index_min_rows: record.optimizer.index_min_rows,
            max_segment_rows: record.optimizer.max_segment_rows,
            deleted_share: from_thousandths(record.optimizer.deleted_thousandths),
            merge_fan_in: record.optimizer.merge_fan_in,
        };
        let schema = Schema {
            vectors,
            payload_indexes,
            next_payload_index: record.next_payload_index,
            optimizer,
        };
        schema.config().validate().map_err(|e| damaged(e.to_string()))?;
        Ok(schema)
    }
}
