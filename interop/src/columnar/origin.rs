//! What a file of ours says of its collection, in its metadata: which column is what, of which type, and how vectors compare.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vdb::{
    CollectionConfig, Distance, Element, Modifier, MultiVectorComparator, SparseVectorParams, VectorParams,
};

use super::field::FieldType;
use super::survey::PayloadSurvey;
use super::vectors;

/// The key in the file's metadata.
pub(super) const KEY: &str = "vdb";
/// The version of what is there.
const VERSION: u32 = 2;

/// The columns of ids, of the fields without a column of their own, of the names of fields that are null, and of vectors.
pub(super) const ID: &str = "id";
const PAYLOAD: &str = "payload";
const NULLS: &str = "payload.nulls";
const VECTOR: &str = "vector";

/// A file's collection.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Origin {
    version: u32,
    vectors: Vec<Column>,
    pub(super) payload: Payloads,
}

/// Where payloads are.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Payloads {
    /// Fields that have a column, in the order of the columns.
    pub(super) fields: Vec<FieldColumn>,
    /// The column with the names of a point's fields that are there and null, where any are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) nulls: Option<String>,
    /// The column with all other fields as an object of JSON, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) rest: Option<String>,
}

/// A column of a payload field.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct FieldColumn {
    pub(super) column: String,
    pub(super) key: String,
    #[serde(rename = "type")]
    pub(super) of: FieldType,
}

/// A column of vectors.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Column {
    pub(super) column: String,
    pub(super) name: String,
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

impl Payloads {
    /// A field has a column of its name, and `payload.` before it where that is taken or empty.
    fn of(survey: &PayloadSurvey, vectors: &[Column]) -> Payloads {
        let mut taken: BTreeSet<String> = [ID, PAYLOAD, NULLS].map(str::to_owned).into();
        taken.extend(vectors.iter().map(|vector| vector.column.clone()));
        let is_free = |key: &str| !key.is_empty() && !taken.contains(key);
        // Names that are free are not taken away by fields that need another one.
        let free: BTreeSet<&str> = survey
            .fields()
            .map(|(key, _)| key)
            .filter(|key| is_free(key))
            .collect();
        taken.extend(free.iter().map(ToString::to_string));
        let field = |(key, of): (&str, FieldType)| {
            let mut column = key.to_owned();
            if !free.contains(key) {
                column = format!("{PAYLOAD}.{column}");
                while !taken.insert(column.clone()) {
                    column = format!("{PAYLOAD}.{column}");
                }
            }
            FieldColumn {
                column,
                key: key.to_owned(),
                of,
            }
        };
        Payloads {
            fields: survey.fields().map(field).collect(),
            nulls: survey.has_nulls().then(|| NULLS.to_owned()),
            rest: survey.has_others().then(|| PAYLOAD.to_owned()),
        }
    }
}

impl Origin {
    pub(super) fn of(config: &CollectionConfig, survey: &PayloadSurvey) -> Origin {
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
        let vectors: Vec<Column> = dense.chain(sparse).collect();
        Origin {
            version: VERSION,
            payload: Payloads::of(survey, &vectors),
            vectors,
        }
    }

    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What the text says; else why it says nothing here.
    pub(super) fn from_json(text: &str) -> Result<Origin, String> {
        let said: Value =
            serde_json::from_str(text).map_err(|error| format!("what it says is no JSON ({error})"))?;
        match said.get("version").and_then(Value::as_u64) {
            Some(version) if version == u64::from(VERSION) => {}
            Some(version) => {
                return Err(format!(
                    "what it says is of version {version}, of which this program, which knows {VERSION}, may not keep all: another \
                     version of it reads the file"
                ));
            }
            None => return Err("what it says has no version".to_owned()),
        }
        serde_json::from_value(said).map_err(|error| format!("what it says is not understood ({error})"))
    }

    /// With `name` for the vector without one, unless a vector is called so; else why there is none.
    pub(super) fn with_name(mut self, name: &str) -> Result<Origin, String> {
        if name.is_empty() || self.vectors.iter().any(|vector| vector.name == name) {
            return Ok(self);
        }
        let unnamed = self.vectors.iter_mut().find(|vector| vector.name.is_empty());
        let unnamed = unnamed
            .ok_or_else(|| format!("it has neither a vector {name:?} (--using) nor one without a name"))?;
        name.clone_into(&mut unnamed.name);
        Ok(self)
    }

    /// The columns of vectors.
    pub(super) fn vectors(&self) -> &[Column] {
        &self.vectors
    }

    /// The collection with the vectors whose names `keeps` accepts; else what is not known here.
    pub(super) fn config(&self, keeps: impl Fn(&str) -> bool) -> Result<CollectionConfig, String> {
        let mut config = CollectionConfig::default();
        for vector in self.vectors.iter().filter(|vector| keeps(&vector.name)) {
            let Column { column, .. } = vector;
            let known = ELEMENTS.iter().find(|(_, name)| *name == vector.element);
            let (element, _) = known
                .ok_or_else(|| format!("of {column:?} the element {:?} is not known", vector.element))?;
            config = match vector.kind {
                Kind::Sparse => {
                    let mut params = SparseVectorParams::new().element(*element);
                    if vector.idf {
                        params = params.modifier(Modifier::Idf);
                    }
                    config.sparse_vector(vector.name.clone(), params)
                }
                Kind::Dense | Kind::Multi => {
                    let named = vector.distance.as_deref().unwrap_or_default();
                    let known = DISTANCES.iter().find(|distance| distance.name() == named);
                    let distance =
                        known.ok_or_else(|| format!("of {column:?} the distance {named:?} is not known"))?;
                    let size = vector
                        .size
                        .ok_or_else(|| format!("of {column:?} it says no size"))?;
                    let mut params = VectorParams::new(size, *distance).element(*element);
                    if vector.kind == Kind::Multi {
                        params = params.multivector(MultiVectorComparator::MaxSim);
                    }
                    config.vector(vector.name.clone(), params)
                }
            };
        }
        Ok(config)
    }
}

impl Column {
    /// Whether a column of that kind can be it.
    pub(super) fn is(&self, kind: vectors::Kind) -> bool {
        match (self.kind, kind) {
            (Kind::Dense, vectors::Kind::Dense { size, .. }) => size.is_none() || size == self.size,
            (Kind::Multi, vectors::Kind::Multi { .. }) | (Kind::Sparse, vectors::Kind::Sparse { .. }) => true,
            (Kind::Dense | Kind::Multi | Kind::Sparse, _) => false,
        }
    }
}
