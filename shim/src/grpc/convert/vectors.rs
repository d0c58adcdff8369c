//! Vectors as they are written, read and asked for.

use qdrant_client::qdrant as proto;
use qdrant_client::qdrant::{
    vector, vector_input, vector_output, vectors, vectors_output, with_vectors_selector,
};
use vdb::{SparseVector, Vector, VectorInput, VectorSelector, Vectors};

use super::ids;
use super::inference::{self, Models, Role};
use super::rejection::{Rejection, Result, Within, each, required};

/// The vectors of a point to write. No vectors at all are none.
pub(crate) fn vectors(message: Option<proto::Vectors>, models: &mut Models<'_>) -> Result<Vectors> {
    match message.and_then(|message| message.vectors_options) {
        None => Ok(Vectors::default()),
        Some(vectors::VectorsOptions::Vector(one)) => vector(one, Role::Document, models).map(Vectors::from),
        Some(vectors::VectorsOptions::Vectors(named)) => {
            let read = |(name, one)| {
                let vector = vector(one, Role::Document, models).within(format_args!("vectors[{name:?}]"))?;
                Ok((name, vector))
            };
            named
                .vectors
                .into_iter()
                .map(read)
                .collect::<Result<_>>()
                .map(Vectors)
        }
    }
}

/// A vector, in today's form or in that of three fields that was there before it.
#[expect(deprecated, reason = "older clients send these fields")]
pub(crate) fn vector(message: proto::Vector, role: Role, models: &mut Models<'_>) -> Result<Vector> {
    let proto::Vector {
        data,
        indices,
        vectors_count,
        vector,
    } = message;
    match vector {
        None => legacy(data, indices, vectors_count),
        Some(vector::Vector::Dense(dense)) => Ok(Vector::Dense(dense.data)),
        Some(vector::Vector::Sparse(sparse)) => {
            sparse_vector(sparse.indices, sparse.values).map(Vector::Sparse)
        }
        Some(vector::Vector::MultiDense(multi)) => Ok(rows(multi)),
        Some(vector::Vector::Document(document)) => {
            inference::document(document, role, models).within("document")
        }
        Some(vector::Vector::Image(image)) => inference::image(image).within("image"),
        Some(vector::Vector::Object(object)) => inference::object(object).within("object"),
    }
}

/// A vector given as numbers, with indices for a sparse one and with a count for a multivector.
pub(crate) fn legacy(
    data: Vec<f32>,
    indices: Option<proto::SparseIndices>,
    count: Option<u32>,
) -> Result<Vector> {
    match (indices, count) {
        (Some(_), Some(_)) => Err(Rejection::invalid(
            "vectors_count",
            "a vector is sparse or a multivector, not both",
        )),
        (Some(indices), None) => sparse_vector(indices.data, data).map(Vector::Sparse),
        (None, None) => Ok(Vector::Dense(data)),
        (None, Some(count)) => {
            let size = data.len().checked_div(count as usize).unwrap_or(0);
            if size == 0 || size * count as usize != data.len() {
                let problem = format_args!("{} numbers are not {count} vectors of one size", data.len());
                return Err(Rejection::invalid("vectors_count", problem));
            }
            Ok(Vector::Multi(
                data.chunks_exact(size).map(<[f32]>::to_vec).collect(),
            ))
        }
    }
}

fn sparse_vector(indices: Vec<u32>, values: Vec<f32>) -> Result<SparseVector> {
    if indices.len() != values.len() {
        let problem = format_args!(
            "must be the same length as indices: {} indices, {} values",
            indices.len(),
            values.len()
        );
        return Err(Rejection::invalid("values", problem));
    }
    let mut sorted = indices.clone();
    sorted.sort_unstable();
    if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Rejection::invalid(
            "indices",
            format_args!("must be unique, {} is there twice", twice[0]),
        ));
    }
    Ok(SparseVector { indices, values })
}

fn rows(multi: proto::MultiDenseVector) -> Vector {
    Vector::Multi(multi.vectors.into_iter().map(|row| row.data).collect())
}

/// A vector that a query gives, or the point that has it.
pub(crate) fn input(message: proto::VectorInput, models: &mut Models<'_>) -> Result<VectorInput> {
    use vector_input::Variant;
    Ok(match required("variant", message.variant)? {
        Variant::Id(id) => VectorInput::Id(ids::point_id(id).within("id")?),
        Variant::Dense(dense) => VectorInput::Vector(Vector::Dense(dense.data)),
        Variant::Sparse(sparse) => {
            let sparse = sparse_vector(sparse.indices, sparse.values).within("sparse")?;
            VectorInput::Vector(Vector::Sparse(sparse))
        }
        Variant::MultiDense(multi) => VectorInput::Vector(rows(multi)),
        Variant::Document(document) => {
            VectorInput::Vector(inference::document(document, Role::Query, models).within("document")?)
        }
        Variant::Image(image) => VectorInput::Vector(inference::image(image).within("image")?),
        Variant::Object(object) => VectorInput::Vector(inference::object(object).within("object")?),
    })
}

/// A vector that must be there.
pub(crate) fn required_input(
    field: &str,
    message: Option<proto::VectorInput>,
    models: &mut Models<'_>,
) -> Result<VectorInput> {
    input(required(field, message)?, models).within(field)
}

/// The vectors of a list.
pub(crate) fn inputs(
    field: &str,
    list: Vec<proto::VectorInput>,
    models: &mut Models<'_>,
) -> Result<Vec<VectorInput>> {
    each(field, list, |message| input(message, models))
}

/// Which vectors are asked for; none where nobody says.
pub(crate) fn selector(selector: Option<proto::WithVectorsSelector>) -> VectorSelector {
    use with_vectors_selector::SelectorOptions;
    match selector.and_then(|selector| selector.selector_options) {
        None => VectorSelector::None,
        Some(SelectorOptions::Enable(all)) => all.into(),
        Some(SelectorOptions::Include(list)) => VectorSelector::Names(list.names),
    }
}

/// The message of a point's vectors: one where it has only the default one, else all by name.
pub(crate) fn to_proto(vectors: Vectors) -> proto::VectorsOutput {
    use vectors_output::VectorsOptions;
    let Vectors(mut by_name) = vectors;
    let only_default = by_name.len() == 1;
    let options = match by_name.remove("") {
        Some(vector) if only_default => VectorsOptions::Vector(vector_to_proto(vector)),
        default => {
            let default = default.map(|vector| (String::new(), vector));
            let all = default.into_iter().chain(by_name);
            VectorsOptions::Vectors(proto::NamedVectorsOutput {
                vectors: all
                    .map(|(name, vector)| (name, vector_to_proto(vector)))
                    .collect(),
            })
        }
    };
    proto::VectorsOutput {
        vectors_options: Some(options),
    }
}

fn vector_to_proto(vector: Vector) -> proto::VectorOutput {
    use vector_output::Vector as Output;
    let vector = match vector {
        Vector::Dense(data) => Output::Dense(proto::DenseVector { data }),
        Vector::Sparse(SparseVector { indices, values }) => {
            Output::Sparse(proto::SparseVector { values, indices })
        }
        Vector::Multi(rows) => Output::MultiDense(proto::MultiDenseVector {
            vectors: rows.into_iter().map(|data| proto::DenseVector { data }).collect(),
        }),
    };
    // The fields before this one would carry the same numbers a second time.
    proto::VectorOutput {
        vector: Some(vector),
        ..proto::VectorOutput::default()
    }
}

#[cfg(test)]
mod tests;
