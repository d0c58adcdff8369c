//! What a file of ours says of its collection, in its metadata: which column is what, and how vectors compare.

use serde::{Deserialize, Serialize};
use vdb::{
    CollectionConfig, Distance, Element, Modifier, MultiVectorComparator, SparseVectorParams, VectorParams,
};

/// The key in the file's metadata.
pub(super) const KEY: &str = "vdb";
/// The version of what is there.
const VERSION: u32 = 1;

/// The columns of ids, payloads and vectors.
pub(super) const ID: &str = "id";
pub(super) const PAYLOAD: &str = "payload";
const VECTOR: &str = "vector";

/// A file's collection.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Origin {
    version: u32,
    vectors: Vec<Column>,
}

/// A column of vectors.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Column {
    column: String,
    name: String,
    kind: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    size: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    distance: Option<String>,
    element: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    idf: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Dense,
    Multi,
    Sparse,
}

const DISTANCES: [Distance; 4] = [
    Distance::Cosine,
    Distance::Dot,
    Distance::Euclid,
    Distance::Manhattan,
];
const ELEMENTS: [(Element, &str); 3] = [
    (Element::F32, "float32"),
    (Element::F16, "float16"),
    (Element::U8, "uint8"),
];

fn element_name(element: Element) -> String {
    let found = ELEMENTS.iter().find(|(known, _)| *known == element);
    found.map_or("", |(_, name)| name).to_owned()
}

/// The column of a vector.
pub(super) fn column(name: &str) -> String {
    if name.is_empty() {
        VECTOR.to_owned()
    } else {
        format!("{VECTOR}.{name}")
    }
}

impl Origin {
    pub(super) fn of(config: &CollectionConfig) -> Origin {
        let dense = config.vectors.iter().map(|(name, params)| Column {
            column: column(name),
            name: name.clone(),
            kind: if params.multivector.is_some() {
                Kind::Multi
            } else {
                Kind::Dense
            },
            size: Some(params.size),
            distance: Some(params.distance.name().to_owned()),
            element: element_name(params.element),
            idf: false,
        });
        let sparse = config.sparse_vectors.iter().map(|(name, params)| Column {
            column: column(name),
            name: name.clone(),
            kind: Kind::Sparse,
            size: None,
            distance: None,
            element: element_name(params.element),
            idf: params.modifier == Modifier::Idf,
        });
        Origin {
            version: VERSION,
            vectors: dense.chain(sparse).collect(),
        }
    }

    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// `None` where the text is of another version or none of ours.
    pub(super) fn from_json(text: &str) -> Option<Origin> {
        serde_json::from_str(text)
            .ok()
            .filter(|origin: &Origin| origin.version == VERSION)
    }

    /// Names of vectors with their columns.
    pub(super) fn columns(&self) -> impl Iterator<Item = (&str, &str)> {
        self.vectors
            .iter()
            .map(|vector| (vector.name.as_str(), vector.column.as_str()))
    }

    /// The collection; `None` where it is of kinds that are not known here.
    pub(super) fn config(&self) -> Option<CollectionConfig> {
        let mut config = CollectionConfig::default();
        for vector in &self.vectors {
            let (element, _) = ELEMENTS.iter().find(|(_, name)| *name == vector.element)?;
            config = match vector.kind {
                Kind::Sparse => {
                    let mut params = SparseVectorParams::new().element(*element);
                    if vector.idf {
                        params = params.modifier(Modifier::Idf);
                    }
                    config.sparse_vector(vector.name.clone(), params)
                }
                Kind::Dense | Kind::Multi => {
                    let named = vector.distance.as_deref()?;
                    let distance = DISTANCES.iter().find(|distance| distance.name() == named)?;
                    let mut params = VectorParams::new(vector.size?, *distance).element(*element);
                    if vector.kind == Kind::Multi {
                        params = params.multivector(MultiVectorComparator::MaxSim);
                    }
                    config.vector(vector.name.clone(), params)
                }
            };
        }
        Some(config)
    }
}
