//! Named vectors that a collection gets and loses after it was made.

use std::collections::BTreeMap;

use vdb::{CollectionConfig, NamedVectorParams};

use super::error::{Problems, Result, ServiceError};
use super::names::check_vector_name;
use super::settings::{CollectionSettings, SparseVectorSettings, VectorSettings, VectorsSettings, kept};
use super::write::{UpdateResult, UpdateStatus, WriteOptions, within};
use super::{Inner, Service};

/// A named vector that a collection is to have.
#[derive(Clone, Debug, PartialEq)]
pub enum NamedVectorSettings {
    /// A dense one.
    Dense(VectorSettings),
    /// A sparse one.
    Sparse(SparseVectorSettings),
}

/// What a change got that its caller has not waited for.
const LATE: UpdateResult = UpdateResult {
    operation_id: None,
    status: UpdateStatus::WaitTimeout,
};

impl Service {
    /// Adds a named vector to a collection; points have it once they are given it. One that is there already changes
    /// nothing, whatever else was set for it since: sizes, distances and how numbers are stored count, and modifiers.
    ///
    /// # Errors
    /// When there is no such collection, another vector has the name, or a value is out of its range.
    pub async fn create_vector(
        &self,
        collection: &str,
        name: &str,
        vector: NamedVectorSettings,
        options: WriteOptions,
    ) -> Result<UpdateResult> {
        check_vector_name(name)?;
        let (collection, name) = (collection.to_owned(), name.to_owned());
        let work = self.to_the_end(move |inner| create(inner, &collection, name, vector, options.wait));
        within(options, work, LATE).await
    }

    /// Drops a named vector of a collection, from all its points.
    ///
    /// # Errors
    /// When there is no such collection or vector.
    pub async fn delete_vector(
        &self,
        collection: &str,
        name: &str,
        options: WriteOptions,
    ) -> Result<UpdateResult> {
        check_vector_name(name)?;
        let (collection, name) = (collection.to_owned(), name.to_owned());
        let work = self.to_the_end(move |inner| delete(inner, &collection, &name, options.wait));
        within(options, work, LATE).await
    }
}

fn create(
    inner: &Inner,
    collection: &str,
    name: String,
    vector: NamedVectorSettings,
    wait: bool,
) -> Result<UpdateResult> {
    let handle = inner.collection(collection)?;
    inner.quotas.admit()?;
    let mut alone = CollectionSettings::default();
    match &vector {
        NamedVectorSettings::Dense(dense) => {
            let mut problems = Problems::new();
            dense.check("dense", &mut problems);
            problems.finish()?;
            alone.vectors = VectorsSettings(BTreeMap::from([(name.clone(), dense.clone())]));
        }
        NamedVectorSettings::Sparse(sparse) => {
            alone.sparse_vectors = Some(BTreeMap::from([(name.clone(), sparse.clone())]));
        }
    }
    alone.validate()?;
    let mut config = alone.to_config()?;
    let dense = config
        .vectors
        .pop()
        .map(|(_, params)| NamedVectorParams::Dense(params));
    let sparse = config
        .sparse_vectors
        .pop()
        .map(|(_, params)| NamedVectorParams::Sparse(params));
    let params = dense.or(sparse);
    let params = params.ok_or_else(|| ServiceError::internal("a vector has no parameters"))?;
    let _alone = inner.changes.to(&handle);
    if has(&handle.config(), &name, &params) {
        return done(&handle, wait);
    }
    let mut settings = kept::recall(&handle);
    handle.create_vector(&name, params)?;
    match vector {
        NamedVectorSettings::Dense(dense) => {
            settings.vectors.0.insert(name, dense);
        }
        NamedVectorSettings::Sparse(sparse) => {
            settings
                .sparse_vectors
                .get_or_insert_default()
                .insert(name, sparse);
        }
    }
    kept::keep(&handle, &settings)?;
    done(&handle, wait)
}

/// Whether a collection has the vector: what can be changed of a dense one afterwards makes it no other.
fn has(config: &CollectionConfig, name: &str, asked: &NamedVectorParams) -> bool {
    match asked {
        NamedVectorParams::Dense(asked) => config.vectors.iter().any(|(known, params)| {
            known == name
                && (params.size, params.distance) == (asked.size, asked.distance)
                && (params.element, params.multivector) == (asked.element, asked.multivector)
        }),
        NamedVectorParams::Sparse(asked) => {
            let mut sparse = config.sparse_vectors.iter();
            sparse.any(|(known, params)| known == name && params == asked)
        }
    }
}

fn delete(inner: &Inner, collection: &str, name: &str, wait: bool) -> Result<UpdateResult> {
    let handle = inner.collection(collection)?;
    let _alone = inner.changes.to(&handle);
    let mut settings = kept::recall(&handle);
    if !handle.delete_vector(name)? {
        return Err(ServiceError::bad_input(format!(
            "Not existing vector name error: {name}"
        )));
    }
    settings.vectors.0.remove(name);
    if let Some(sparse) = &mut settings.sparse_vectors {
        sparse.remove(name);
    }
    kept::keep(&handle, &settings)?;
    done(&handle, wait)
}

fn done(handle: &vdb::Collection, wait: bool) -> Result<UpdateResult> {
    let status = if wait {
        UpdateStatus::Completed
    } else {
        UpdateStatus::Acknowledged
    };
    Ok(UpdateResult {
        operation_id: Some(handle.info()?.last_sequence),
        status,
    })
}
