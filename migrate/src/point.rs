//! Points as they are read and as they are written.

use std::collections::{BTreeMap, HashMap};

use prost::Message;
use qdrant_client::qdrant as proto;
use qdrant_client::qdrant::point_id::PointIdOptions;
use qdrant_client::qdrant::value::Kind;
use qdrant_client::qdrant::{vector, vector_output, vectors, vectors_output};
use vdb::PointId;

/// The first whole number that is no `i64`, and the first that is no `u64`, which the largest of these are rounded to.
const BEYOND_I64: f64 = 9_223_372_036_854_775_808.0;
const BEYOND_U64: f64 = 18_446_744_073_709_551_616.0;

/// A point that was read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) id: PointId,
    pub(crate) payload: HashMap<String, proto::Value>,
    /// By name, the one without a name as `""`.
    pub(crate) vectors: BTreeMap<String, Numbers>,
    /// Bytes of its message.
    pub(crate) bytes: usize,
    /// The first field, by name, that is or may have been an integer between 2^63 and 2^64, which messages have no place for.
    pub(crate) beyond: Option<String>,
    /// Its payload as the engine has it, where that is more than the message says.
    pub(crate) exact: Option<vdb::Payload>,
}

/// A vector of any kind.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Numbers {
    Dense(Vec<f32>),
    /// Indices and values, by index.
    Sparse(Vec<(u32, f32)>),
    Multi(Vec<Vec<f32>>),
}

/// The id of a message, or what is wrong with it.
pub(crate) fn id_of(id: Option<&proto::PointId>) -> Result<PointId, String> {
    match id.and_then(|id| id.point_id_options.as_ref()) {
        Some(PointIdOptions::Num(number)) => Ok(PointId::Num(*number)),
        Some(PointIdOptions::Uuid(text)) => match text.parse() {
            Ok(id @ PointId::Uuid(_)) => Ok(id),
            Ok(PointId::Num(_)) | Err(_) => {
                let cut: String = text.chars().take(64).collect();
                Err(format!("the id {cut:?} is no UUID"))
            }
        },
        None => Err("a point has no id".to_owned()),
    }
}

/// The message of an id.
pub(crate) fn id_to_proto(id: PointId) -> proto::PointId {
    let options = match id {
        PointId::Num(number) => PointIdOptions::Num(number),
        PointId::Uuid(_) => PointIdOptions::Uuid(id.to_string()),
    };
    proto::PointId {
        point_id_options: Some(options),
    }
}

impl Point {
    /// A point of an answer, or what is wrong with it.
    pub(crate) fn read(message: proto::RetrievedPoint) -> Result<Self, String> {
        let bytes = message.encoded_len();
        let id = id_of(message.id.as_ref())?;
        let vectors = match message.vectors.and_then(|vectors| vectors.vectors_options) {
            None => BTreeMap::new(),
            Some(vectors_output::VectorsOptions::Vector(one)) => BTreeMap::from([(
                String::new(),
                numbers(one).map_err(|why| format!("point {id}: {why}"))?,
            )]),
            Some(vectors_output::VectorsOptions::Vectors(named)) => {
                let read = |(name, one): (String, proto::VectorOutput)| {
                    let vector = numbers(one).map_err(|why| format!("point {id}, vector {name:?}: {why}"))?;
                    Ok((name, vector))
                };
                named
                    .vectors
                    .into_iter()
                    .map(read)
                    .collect::<Result<_, String>>()?
            }
        };
        Ok(Point {
            id,
            beyond: first(&message.payload, may_be_rounded),
            payload: message.payload,
            vectors,
            bytes,
            exact: None,
        })
    }

    /// The same to be written.
    pub(crate) fn write(self) -> proto::PointStruct {
        let mut vectors = self.vectors;
        let only_default = vectors.len() == 1;
        let options = match vectors.remove("") {
            Some(one) if only_default => vectors::VectorsOptions::Vector(one.write()),
            default => {
                let all = default.map(|one| (String::new(), one)).into_iter().chain(vectors);
                // A point without vectors has an empty map of them: nothing at all is refused by some servers.
                vectors::VectorsOptions::Vectors(proto::NamedVectors {
                    vectors: all.map(|(name, one)| (name, one.write())).collect(),
                })
            }
        };
        proto::PointStruct {
            id: Some(id_to_proto(self.id)),
            payload: self.payload,
            vectors: Some(proto::Vectors {
                vectors_options: Some(options),
            }),
        }
    }

    /// Its payload as the engine has it, where the message leaves a doubt.
    pub(crate) fn set_exact(&mut self, payload: vdb::Payload) {
        self.beyond = first(&payload, is_rounded);
        self.exact = self.beyond.is_some().then_some(payload);
    }
}

/// The first field, by name, of which something is so.
fn first<'a, V: 'a>(
    fields: impl IntoIterator<Item = (&'a String, &'a V)>,
    is: impl Fn(&V) -> bool,
) -> Option<String> {
    let found = fields.into_iter().filter(|(_, value)| is(value));
    found.map(|(name, _)| name).min().cloned()
}

/// Whether a value has an integer that is no `i64`.
fn is_rounded(value: &serde_json::Value) -> bool {
    use serde_json::Value;
    match value {
        Value::Number(number) => number.is_u64() && !number.is_i64(),
        Value::Array(list) => list.iter().any(is_rounded),
        Value::Object(object) => object.values().any(is_rounded),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}

fn may_be_rounded(value: &proto::Value) -> bool {
    match &value.kind {
        Some(Kind::DoubleValue(number)) => (BEYOND_I64..=BEYOND_U64).contains(number),
        Some(Kind::StructValue(object)) => object.fields.values().any(may_be_rounded),
        Some(Kind::ListValue(list)) => list.values.iter().any(may_be_rounded),
        Some(Kind::NullValue(_) | Kind::IntegerValue(_) | Kind::StringValue(_) | Kind::BoolValue(_))
        | None => false,
    }
}

/// A vector of an answer, in today's form or in that of three fields that older servers send.
#[expect(deprecated, reason = "older servers send these fields")]
fn numbers(message: proto::VectorOutput) -> Result<Numbers, String> {
    let proto::VectorOutput {
        data,
        indices,
        vectors_count,
        vector,
    } = message;
    match (vector, indices, vectors_count) {
        (Some(vector_output::Vector::Dense(dense)), ..) => Ok(Numbers::Dense(dense.data)),
        (Some(vector_output::Vector::Sparse(sparse)), ..) => self::sparse(sparse.indices, sparse.values),
        (Some(vector_output::Vector::MultiDense(multi)), ..) => Ok(Numbers::Multi(
            multi.vectors.into_iter().map(|row| row.data).collect(),
        )),
        (None, Some(indices), _) => sparse(indices.data, data),
        (None, None, None) => Ok(Numbers::Dense(data)),
        (None, None, Some(count)) => {
            let size = data.len().checked_div(count as usize).unwrap_or(0);
            if size == 0 || size * count as usize != data.len() {
                return Err(format!(
                    "{} numbers are not {count} vectors of one size",
                    data.len()
                ));
            }
            Ok(Numbers::Multi(
                data.chunks_exact(size).map(<[f32]>::to_vec).collect(),
            ))
        }
    }
}

fn sparse(indices: Vec<u32>, values: Vec<f32>) -> Result<Numbers, String> {
    if indices.len() != values.len() {
        return Err(format!("{} indices and {} values", indices.len(), values.len()));
    }
    let mut pairs: Vec<(u32, f32)> = indices.into_iter().zip(values).collect();
    pairs.sort_unstable_by_key(|(index, _)| *index);
    Ok(Numbers::Sparse(pairs))
}

impl Numbers {
    fn write(self) -> proto::Vector {
        let vector = match self {
            Numbers::Dense(data) => vector::Vector::Dense(proto::DenseVector { data }),
            Numbers::Sparse(pairs) => {
                let (indices, values) = pairs.into_iter().unzip();
                vector::Vector::Sparse(proto::SparseVector { values, indices })
            }
            Numbers::Multi(rows) => vector::Vector::MultiDense(proto::MultiDenseVector {
                vectors: rows.into_iter().map(|data| proto::DenseVector { data }).collect(),
            }),
        };
        proto::Vector {
            vector: Some(vector),
            ..proto::Vector::default()
        }
    }
}

#[cfg(test)]
mod tests;
