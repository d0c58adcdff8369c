//! Several changes that take effect together.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use vdb_sys::element::Element;

use super::fields::Fields;
use super::{
    HnswConfig, Modifier, OptimizerUpdate, QuantizationConfig, QuantizationUpdate, StrictModeUpdate,
};
use crate::error::Result;

/// A change of a collection's settings: what is given replaces, the rest stays. Sizes and distances of vectors never change.
///
/// It takes effect as one, and is durable when [`update_config`](crate::Collection::update_config) returns. Graphs that were built
/// in another way go on serving until new ones are there.
///
/// ```
/// # use vdb::{CollectionConfig, Database, Distance, VectorParams};
/// use serde_json::json;
/// use vdb::{CollectionUpdate, Control, HnswConfig, QuantizationConfig};
/// # let db = Database::builder().open_in_memory()?;
/// # let books = db.create_collection("books", CollectionConfig::new(VectorParams::new(2, Distance::Dot)))?;
/// let update = CollectionUpdate::new()
///     .hnsw(HnswConfig { m: Some(32), ..HnswConfig::default() })
///     .quantization(QuantizationConfig::scalar())
///     .metadata(json!({"owner": "library"}).as_object().unwrap().clone());
/// books.update_config(&update)?;
/// books.optimize(&Control::none())?; // Not needed; who waits for it has graphs of the new kind.
/// assert_eq!(books.config().metadata["owner"], "library");
/// // The same in JSON, which has Qdrant's names.
/// let same = json!({"hnsw_config": {"m": 32}, "quantization_config": {"scalar": {"type": "int8"}},
///     "metadata": {"owner": "library"}});
/// assert_eq!(CollectionUpdate::from_json(&same)?, update);
/// # Ok::<_, vdb::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CollectionUpdate {
    /// Of single dense vectors and multivectors, by name; each must be there.
    pub vectors: BTreeMap<String, VectorUpdate>,
    /// Of single sparse vectors, by name; each must be there.
    pub sparse_vectors: BTreeMap<String, SparseVectorUpdate>,
    /// Of all vectors that do not say it themselves.
    pub hnsw: HnswConfig,
    /// Of all vectors that do not say it themselves.
    pub quantization: Option<QuantizationUpdate>,
    /// When segments are indexed and merged.
    pub optimizer: OptimizerUpdate,
    /// Limits that are given are set or taken back, the others stay.
    pub strict_mode: Option<StrictModeUpdate>,
    /// Keys at the top level are set; a null removes its key.
    pub metadata: Map<String, Value>,
    /// A JSON merge patch (RFC 7396) of the hints.
    pub hints: Map<String, Value>,
}

/// A change of one vector's settings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VectorUpdate {
    /// What is given replaces.
    pub hnsw: HnswConfig,
    /// What graph walks read of each vector.
    pub quantization: Option<QuantizationUpdate>,
}

/// A change of one sparse vector's settings. Neither is anything that its index is built of: all that begins later goes by them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SparseVectorUpdate {
    /// What is done to the weights of a query.
    pub modifier: Option<Modifier>,
    /// As [`SparseVectorParams::element`](crate::SparseVectorParams::element).
    pub element: Option<Element>,
}

impl CollectionUpdate {
    /// A change of nothing.
    pub fn new() -> Self {
        CollectionUpdate::default()
    }

    /// Changes the settings of one vector.
    #[must_use]
    pub fn vector(mut self, name: impl Into<String>, update: VectorUpdate) -> Self {
        self.vectors.insert(name.into(), update);
        self
    }

    /// Changes the settings of one sparse vector.
    #[must_use]
    pub fn sparse_vector(mut self, name: impl Into<String>, update: SparseVectorUpdate) -> Self {
        self.sparse_vectors.insert(name.into(), update);
        self
    }

    /// Changes how graphs are built.
    #[must_use]
    pub fn hnsw(mut self, hnsw: HnswConfig) -> Self {
        self.hnsw = hnsw;
        self
    }

    /// Changes what graph walks read of each vector.
    #[must_use]
    pub fn quantization(mut self, quantization: QuantizationConfig) -> Self {
        self.quantization = Some(QuantizationUpdate::Set(quantization));
        self
    }

    /// Changes when segments are indexed and merged.
    #[must_use]
    pub fn optimizer(mut self, optimizer: OptimizerUpdate) -> Self {
        self.optimizer = optimizer;
        self
    }

    /// Changes what requests may ask.
    #[must_use]
    pub fn strict_mode(mut self, strict_mode: impl Into<StrictModeUpdate>) -> Self {
        self.strict_mode = Some(strict_mode.into());
        self
    }

    /// Changes the metadata.
    #[must_use]
    pub fn metadata(mut self, metadata: Map<String, Value>) -> Self {
        self.metadata = metadata;
        self
    }

    /// Changes the hints.
    #[must_use]
    pub fn hints(mut self, hints: Map<String, Value>) -> Self {
        self.hints = hints;
        self
    }

    /// From the JSON form: `vectors` (by name, each with `hnsw_config` and `quantization_config`), `sparse_vectors` (by name,
    /// each with `modifier` and `datatype`), `hnsw_config`, `quantization_config` (`"Disabled"` takes back what was said),
    /// `optimizers_config`, `strict_mode_config` (a limit that is null is taken back), `metadata`, `hints`.
    ///
    /// # Errors
    /// When it is none, or has a key that is unknown.
    pub fn from_json(value: &Value) -> Result<Self> {
        Self::read(Fields::new("", value)?)
    }

    /// From an object of the JSON form.
    pub(crate) fn read(mut fields: Fields<'_>) -> Result<Self> {
        let hnsw = |fields: &mut Fields<'_>| -> Result<HnswConfig> {
            let said = fields.fields("hnsw_config")?.map(HnswConfig::read);
            Ok(said.transpose()?.unwrap_or_default())
        };
        let mut vectors = BTreeMap::new();
        for (name, mut of) in fields.named("vectors")? {
            let update = VectorUpdate {
                hnsw: hnsw(&mut of)?,
                quantization: QuantizationUpdate::read(&mut of)?,
            };
            of.finish()?;
            vectors.insert(name.to_owned(), update);
        }
        let mut sparse_vectors = BTreeMap::new();
        for (name, of) in fields.named("sparse_vectors")? {
            sparse_vectors.insert(name.to_owned(), SparseVectorUpdate::read(of)?);
        }
        let optimizer = fields.fields("optimizers_config")?.map(OptimizerUpdate::read);
        let strict_mode = fields.fields("strict_mode_config")?.map(StrictModeUpdate::read);
        let update = CollectionUpdate {
            vectors,
            sparse_vectors,
            hnsw: hnsw(&mut fields)?,
            quantization: QuantizationUpdate::read(&mut fields)?,
            optimizer: optimizer.transpose()?.unwrap_or_default(),
            strict_mode: strict_mode.transpose()?,
            metadata: fields.map("metadata")?.cloned().unwrap_or_default(),
            hints: fields.map("hints")?.cloned().unwrap_or_default(),
        };
        fields.finish()?;
        Ok(update)
    }
}

impl SparseVectorUpdate {
    fn read(mut fields: Fields<'_>) -> Result<Self> {
        let update = SparseVectorUpdate {
            modifier: fields.word("modifier", &[Modifier::None, Modifier::Idf], Modifier::name)?,
            element: fields.word("datatype", &[Element::F32, Element::F16, Element::U8], datatype)?,
        };
        fields.finish()?;
        Ok(update)
    }
}

fn datatype(element: Element) -> &'static str {
    match element {
        Element::F32 => "float32",
        Element::F16 => "float16",
        Element::U8 => "uint8",
    }
}
