//! What a collection holds, as the engine works with it, and its form in the manifest.

use vdb_index::Quantization;
use vdb_index::hnsw::HnswParams;
use vdb_storage::Component;
use vdb_storage::schema::{
    HnswRecord, OptimizerRecord, PayloadIndexRecord, SchemaRecord, SparseVectorRecord, VectorRecord,
};
use vdb_sys::element::Element;
use vdb_sys::kernel::Kernel;

use crate::config::vectors::{Modifier, MultiVectorComparator, NamedVectorParams, SparseVectorParams};
use crate::config::{CollectionConfig, Distance, OptimizerConfig, VectorParams};
use crate::error::{Error, Result, within};
use crate::payload::{PayloadIndexKind, PayloadIndexOptions, PayloadIndexParams};

/// A named vector.
#[derive(Clone, Debug)]
pub(crate) struct VectorSchema {
    pub(crate) name: String,
    pub(crate) kind: VectorKind,
}

/// What is kept under a name.
#[derive(Clone, Debug)]
pub(crate) enum VectorKind {
    /// A vector.
    Dense(DenseSchema),
    /// Any number of vectors.
    Multi(DenseSchema),
    /// Values at a few dimensions.
    Sparse(SparseVectorParams),
}

impl VectorKind {
    /// The primary file of a segment that holds the vectors of this kind under a number.
    pub(crate) fn component(&self, number: u16) -> Component {
        match self {
            VectorKind::Dense(_) => Component::Vectors(number),
            VectorKind::Multi(_) => Component::Multi(number),
            VectorKind::Sparse(_) => Component::Sparse(number),
        }
    }
}

/// What dense vectors are, and the kernel that scores two of them.
#[derive(Clone, Debug)]
pub(crate) struct DenseSchema {
    pub(crate) params: VectorParams,
    pub(crate) kernel: Kernel,
}

impl VectorSchema {
    fn new(name: String, params: NamedVectorParams) -> Self {
        let kind = match params {
            NamedVectorParams::Dense(mut params) => {
                // What the manifest keeps is what counts from the start, not from the next opening on.
                params.hnsw.alpha = from_thousandths(to_thousandths(params.hnsw.alpha));
                let kernel = params.kernel();
                let is_multi = params.multivector.is_some();
                let dense = DenseSchema { params, kernel };
                if is_multi {
                    VectorKind::Multi(dense)
                } else {
                    VectorKind::Dense(dense)
                }
            }
            NamedVectorParams::Sparse(params) => VectorKind::Sparse(params),
        };
        VectorSchema { name, kind }
    }

    /// What the user has set.
    pub(crate) fn params(&self) -> NamedVectorParams {
        match &self.kind {
            VectorKind::Dense(dense) | VectorKind::Multi(dense) => {
                NamedVectorParams::Dense(dense.params.clone())
            }
            VectorKind::Sparse(params) => NamedVectorParams::Sparse(*params),
        }
    }

    /// Of a plain dense vector.
    pub(crate) fn dense(&self) -> Option<&DenseSchema> {
        match &self.kind {
            VectorKind::Dense(dense) => Some(dense),
            VectorKind::Multi(_) | VectorKind::Sparse(_) => None,
        }
    }

    /// What scores are: products for sparse vectors.
    pub(crate) fn distance(&self) -> Distance {
        match &self.kind {
            VectorKind::Dense(dense) | VectorKind::Multi(dense) => dense.params.distance,
            VectorKind::Sparse(_) => Distance::Dot,
        }
    }

    /// As [`Vector::kind`](crate::Vector::kind).
    pub(crate) fn kind_name(&self) -> &'static str {
        match &self.kind {
            VectorKind::Dense(_) => "dense",
            VectorKind::Multi(_) => "multi",
            VectorKind::Sparse(_) => "sparse",
        }
    }
}

/// An index over one payload path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PayloadIndexSchema {
    /// Names its files; never given to another index of the collection.
    pub(crate) number: u16,
    pub(crate) path: String,
    pub(crate) params: PayloadIndexParams,
}

/// What a collection holds.
#[derive(Clone, Debug)]
pub(crate) struct Schema {
    /// Named vectors by number, which is their slot everywhere else; none where one was dropped. No number is given twice.
    vectors: Vec<Option<VectorSchema>>,
    pub(crate) payload_indexes: Vec<PayloadIndexSchema>,
    pub(crate) next_payload_index: u16,
    pub(crate) optimizer: OptimizerConfig,
}

impl Schema {
    pub(crate) fn new(config: CollectionConfig) -> Self {
        let dense = config.vectors.into_iter();
        let dense = dense.map(|(name, params)| VectorSchema::new(name, params.into()));
        let sparse = config.sparse_vectors.into_iter();
        let sparse = sparse.map(|(name, params)| VectorSchema::new(name, params.into()));
        Schema {
            vectors: dense.chain(sparse).map(Some).collect(),
            payload_indexes: Vec::new(),
            next_payload_index: 0,
            optimizer: OptimizerConfig {
                deleted_share: from_thousandths(to_thousandths(config.optimizer.deleted_share)),
                ..config.optimizer
            },
        }
    }

    pub(crate) fn config(&self) -> CollectionConfig {
        let mut config = CollectionConfig::default().optimizer(self.optimizer.clone());
        for (_, vector) in self.vectors() {
            match vector.params() {
                NamedVectorParams::Dense(params) => config.vectors.push((vector.name.clone(), params)),
                NamedVectorParams::Sparse(params) => {
                    config.sparse_vectors.push((vector.name.clone(), params));
                }
            }
        }
        config
    }

    /// The named vectors, each with its slot.
    pub(crate) fn vectors(&self) -> impl Iterator<Item = (usize, &VectorSchema)> {
        let vectors = self.vectors.iter().enumerate();
        vectors.filter_map(|(slot, vector)| Some((slot, vector.as_ref()?)))
    }

    /// The vector of a slot, unless it was dropped.
    pub(crate) fn vector(&self, slot: usize) -> Option<&VectorSchema> {
        self.vectors.get(slot)?.as_ref()
    }

    /// The plain dense vector of a slot.
    pub(crate) fn dense(&self, slot: usize) -> Option<&DenseSchema> {
        self.vector(slot)?.dense()
    }

    /// Slots that were ever given, those of dropped vectors included.
    pub(crate) fn slots(&self) -> usize {
        self.vectors.len()
    }

    /// The slot of a vector by name.
    pub(crate) fn slot(&self, name: &str) -> Option<usize> {
        self.vectors().find(|(_, v)| v.name == name).map(|(slot, _)| slot)
    }

    /// A vector and its slot by name, or an error that lists the names.
    pub(crate) fn require(&self, name: &str) -> Result<(usize, &VectorSchema)> {
        self.vectors().find(|(_, v)| v.name == name).ok_or_else(|| {
            let names: Vec<String> = self.vectors().map(|(_, v)| format!("{:?}", v.name)).collect();
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

    /// Adds a named vector, under a slot that none has had. False when it is there with the same parameters.
    ///
    /// # Errors
    /// When there is one of that name with other parameters, or what is to be added is not valid.
    pub(crate) fn add_vector(&mut self, name: &str, params: NamedVectorParams) -> Result<bool> {
        let vector = VectorSchema::new(name.to_owned(), params);
        if let Ok((_, known)) = self.require(name) {
            if known.params() == vector.params() {
                return Ok(false);
            }
            return Err(Error::InvalidRequest(format!(
                "the collection has a vector {name:?} with other parameters: drop it first, which takes it from all points"
            )));
        }
        let ever = self.vectors.len() + 1;
        within(
            "vectors ever created in a collection",
            usize::from(u16::MAX),
            ever,
        )?;
        self.vectors.push(Some(vector));
        self.config().validate()?;
        Ok(true)
    }

    /// Drops a named vector. False when there is none.
    pub(crate) fn drop_vector(&mut self, name: &str) -> bool {
        let dropped = self
            .vectors
            .iter_mut()
            .find(|v| v.as_ref().is_some_and(|v| v.name == name));
        dropped.is_some_and(|vector| vector.take().is_some())
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
                    hnsw: HnswRecord {
                        m: params.hnsw.m,
                        ef_construct: params.hnsw.ef_construct,
                        ef_refine: params.hnsw.ef_refine,
                        alpha_thousandths: to_thousandths(params.hnsw.alpha),
                        seed: params.hnsw.seed,
                        quantization: params.hnsw.quantization.code(),
                    },
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
            options: i.params.options.map(PayloadIndexOptions::to_record),
        });
        SchemaRecord {
            vectors,
            sparse_vectors,
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
        let mut vectors = vec![None; usize::from(record.next_vector)];
        let mut place = |number: u16, vector: VectorSchema| match vectors.get_mut(usize::from(number)) {
            Some(place @ None) => {
                *place = Some(vector);
                Ok(())
            }
            Some(Some(_)) | None => Err(damaged(format!(
                "vector {:?} has the number {number}, which is another\'s or was never given",
                vector.name
            ))),
        };
        for v in &record.vectors {
            place(
                v.number,
                VectorSchema::new(v.name.clone(), dense_params(v).map_err(damaged)?.into()),
            )?;
        }
        for v in &record.sparse_vectors {
            let params = sparse_params(v).map_err(damaged)?;
            place(v.number, VectorSchema::new(v.name.clone(), params.into()))?;
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

/// The parameters of a record, or what is wrong with it.
fn dense_params(v: &VectorRecord) -> Result<VectorParams, String> {
    let unknown = |what: &str, code: u8| format!("vector {:?} has the unknown {what} {code}", v.name);
    let distance = Distance::from_code(v.distance).ok_or_else(|| unknown("distance", v.distance))?;
    let element = Element::from_code(v.element).ok_or_else(|| unknown("element", v.element))?;
    let quantization = Quantization::from_code(v.hnsw.quantization)
        .ok_or_else(|| unknown("quantization", v.hnsw.quantization))?;
    let comparator =
        |code| MultiVectorComparator::from_code(code).ok_or_else(|| unknown("multivector comparator", code));
    Ok(VectorParams {
        size: v.size as usize,
        distance,
        element,
        hnsw: HnswParams {
            m: v.hnsw.m,
            ef_construct: v.hnsw.ef_construct,
            ef_refine: v.hnsw.ef_refine,
            alpha: from_thousandths(v.hnsw.alpha_thousandths),
            seed: v.hnsw.seed,
            quantization,
        },
        multivector: v.multivector.map(comparator).transpose()?,
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

#[cfg(test)]
mod tests;
