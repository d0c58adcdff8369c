//! What can go wrong, in the words and classes that clients of Qdrant know.

use std::time::Duration;

use vdb::Error;

/// The result of a call of the service.
pub type Result<T, E = ServiceError> = std::result::Result<T, E>;

/// What class an error is of. The wire makes a status of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Something named is not there.
    NotFound,
    /// The engine refuses what was given: a vector of the wrong size, an unknown vector.
    BadInput,
    /// A request that makes no sense as it stands.
    BadRequest,
    /// A limit that the collection sets is exceeded.
    StrictMode,
    /// The name is taken.
    AlreadyExists,
    /// A value is out of its range. The message is a list of `field: what is wrong`, separated by `; `; the wire says which
    /// part of the request it is about.
    Validation,
    /// Nothing can have the name that a call gives to a collection or a vector: where names stand in the path, the path is wrong.
    /// The message is as of [`Validation`](ErrorKind::Validation).
    Name,
    /// No key, or one that is not known.
    Unauthorized,
    /// The key does not allow it, or the database does not.
    Forbidden,
    /// It took longer than it may.
    Timeout,
    /// Too many requests.
    RateLimited {
        /// When to try again.
        retry_after: Duration,
    },
    /// The disk is full.
    OutOfStorage,
    /// A file does not have the checksum that was given with it.
    Checksum,
    /// Only a cluster can do that.
    Standalone,
    /// Nobody can do that here.
    Unimplemented,
    /// Something failed that the caller did not cause.
    Internal,
}

impl ErrorKind {
    /// Whole seconds after which there is room again for who asked too often.
    pub(crate) fn retry_after(self) -> Option<u64> {
        let ErrorKind::RateLimited { retry_after } = self else {
            return None;
        };
        Some(retry_after.as_secs_f64().ceil().max(1.0) as u64)
    }

    /// What stands before the message.
    pub fn prefix(self) -> &'static str {
        match self {
            ErrorKind::NotFound => "Not found: ",
            ErrorKind::BadInput | ErrorKind::AlreadyExists => "Wrong input: ",
            ErrorKind::BadRequest => "Bad request: ",
            ErrorKind::Forbidden => "Forbidden: ",
            ErrorKind::Timeout => "Timeout: ",
            ErrorKind::RateLimited { .. } => "Rate limiting exceeded: ",
            ErrorKind::OutOfStorage => "Insufficient storage: ",
            ErrorKind::Internal => "Service internal error: ",
            ErrorKind::StrictMode
            | ErrorKind::Validation
            | ErrorKind::Name
            | ErrorKind::Unauthorized
            | ErrorKind::Checksum
            | ErrorKind::Standalone
            | ErrorKind::Unimplemented => "",
        }
    }
}

/// Why a call failed. Its text is what a client is told: the prefix of its class and the message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", .kind.prefix())]
pub struct ServiceError {
    /// The class.
    pub kind: ErrorKind,
    /// What happened, without the prefix.
    pub message: String,
}

impl ServiceError {
    /// An error of a class.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        ServiceError {
            kind,
            message: message.into(),
        }
    }

    /// The engine refuses what was given.
    pub fn bad_input(message: impl Into<String>) -> Self {
        ServiceError::new(ErrorKind::BadInput, message)
    }

    /// The request makes no sense as it stands.
    pub fn bad_request(message: impl Into<String>) -> Self {
        ServiceError::new(ErrorKind::BadRequest, message)
    }

    /// Something named is not there.
    pub fn not_found(message: impl Into<String>) -> Self {
        ServiceError::new(ErrorKind::NotFound, message)
    }

    /// The key does not allow it, or the database does not.
    pub fn forbidden(message: impl Into<String>) -> Self {
        ServiceError::new(ErrorKind::Forbidden, message)
    }

    /// Something failed that the caller did not cause.
    pub fn internal(message: impl Into<String>) -> Self {
        ServiceError::new(ErrorKind::Internal, message)
    }

    /// One value is out of its range.
    pub fn validation(field: &str, detail: impl std::fmt::Display) -> Self {
        ServiceError::new(ErrorKind::Validation, format!("{field}: {detail}"))
    }

    /// Nothing can have a name; `field` is what it would be the name of.
    pub fn name(field: &str, detail: impl std::fmt::Display) -> Self {
        ServiceError::new(ErrorKind::Name, format!("{field}: {detail}"))
    }

    /// There is no such collection.
    pub fn no_collection(name: &str) -> Self {
        ServiceError::not_found(format!("Collection `{name}` doesn't exist!"))
    }

    /// A single node has no cluster to do that with.
    pub fn standalone() -> Self {
        ServiceError::new(ErrorKind::Standalone, "Qdrant is running in standalone mode")
    }
}

/// Values out of their ranges, gathered to be told together.
#[derive(Clone, Debug, Default)]
pub struct Problems(Vec<String>);

impl Problems {
    /// None yet.
    pub fn new() -> Self {
        Problems::default()
    }

    /// Adds one.
    pub fn add(&mut self, field: impl std::fmt::Display, detail: impl std::fmt::Display) {
        self.0.push(format!("{field}: {detail}"));
    }

    /// Adds one if there is a value and it is below `min`. Numbers with a fraction are told with one: 1.0, not 1.
    pub fn at_least<N: PartialOrd + std::fmt::Debug>(
        &mut self,
        field: impl std::fmt::Display,
        value: Option<N>,
        min: N,
    ) {
        // What is no number at all is not that large either.
        if let Some(value) = value.filter(|value| !(&min..).contains(&value)) {
            self.add(
                field,
                format_args!("value {value:?} invalid, must be {min:?} or larger"),
            );
        }
    }

    /// Adds one if there is a value and it is not from `min` to `max`.
    pub fn within<N: PartialOrd + std::fmt::Debug>(
        &mut self,
        field: impl std::fmt::Display,
        value: Option<N>,
        min: N,
        max: N,
    ) {
        if let Some(value) = value.filter(|value| !(&min..=&max).contains(&value)) {
            self.add(
                field,
                format_args!("value {value:?} invalid, must be from {min:?} to {max:?}"),
            );
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same, of something that stands at this place.
    #[must_use]
    pub(crate) fn at(self, place: &str) -> Self {
        Problems(
            self.0
                .into_iter()
                .map(|problem| format!("{place}{problem}"))
                .collect(),
        )
    }

    /// All of them as one error, if there are any.
    ///
    /// # Errors
    /// Of the kind [`ErrorKind::Validation`].
    pub fn finish(self) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(ServiceError::new(ErrorKind::Validation, self.0.join("; ")))
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is not told apart here is a failure of the service, and new kinds are too"
)]
impl From<Error> for ServiceError {
    fn from(error: Error) -> Self {
        if error.is_no_space() {
            return ServiceError::new(ErrorKind::OutOfStorage, error.to_string());
        }
        match error {
            Error::Unfinished { points, source } => {
                let reason = ServiceError::from(*source);
                let message = format!("{} (after {points} points, which stay changed)", reason.message);
                ServiceError { message, ..reason }
            }
            Error::CollectionNotFound { name } => ServiceError::no_collection(&name),
            Error::AliasNotFound { name } => {
                ServiceError::not_found(format!("Alias {name} does not exists!"))
            }
            Error::NameTaken { name, taken_by } => {
                let what = if taken_by == "an alias" {
                    "Alias"
                } else {
                    "Collection"
                };
                ServiceError::new(
                    ErrorKind::AlreadyExists,
                    format!("{what} `{name}` already exists!"),
                )
            }
            Error::PointNotFound { id } => ServiceError::not_found(format!("No point with id {id} found")),
            Error::PointWithoutVector { id, vector } => ServiceError::not_found(format!(
                "Vector with name {vector:?} for point with id {id} not found"
            )),
            Error::UnknownVector { name, .. } => {
                ServiceError::bad_input(format!("Not existing vector name error: {name}"))
            }
            Error::WrongDimension { expected, found, .. } => ServiceError::bad_input(format!(
                "Vector dimension error: expected dim: {expected}, got {found}"
            )),
            Error::WrongKind { expected, found, .. } => {
                // Of a multivector and a sparse vector it is told as what was given.
                let kind = if found == "dense" { expected } else { found };
                ServiceError::bad_input(format!(
                    "Conversion between {kind} and regular vectors failed: {error}"
                ))
            }
            Error::Timeout { .. } | Error::Cancelled => {
                ServiceError::new(ErrorKind::Timeout, error.to_string())
            }
            Error::StrictMode { .. } => ServiceError::new(ErrorKind::StrictMode, error.to_string()),
            Error::RateLimit {
                limit,
                most,
                retry_after,
            } => {
                let what = if limit == "write_rate_limit" {
                    "Write"
                } else {
                    "Read"
                };
                let seconds = retry_after.as_secs_f64().ceil();
                let text = format!(
                    "{what} rate limit exceeded, retry later: there are {most} a minute, and room again in {seconds} s"
                );
                ServiceError::new(ErrorKind::RateLimited { retry_after }, text)
            }
            Error::ReadOnly | Error::Forked { .. } => ServiceError::forbidden(error.to_string()),
            Error::WriteBufferFull { .. } => ServiceError::new(ErrorKind::OutOfStorage, error.to_string()),
            Error::Conflict { .. }
            | Error::InvalidName { .. }
            | Error::NotFinite { .. }
            | Error::OutOfRange { .. }
            | Error::Filter(_)
            | Error::InvalidRequest(_)
            | Error::Limit { .. } => ServiceError::bad_input(error.to_string()),
            Error::Index(vdb::IndexError::BadParameter { .. }) => ServiceError::bad_input(error.to_string()),
            other => ServiceError::internal(other.to_string()),
        }
    }
}

impl From<vdb::FilterError> for ServiceError {
    fn from(error: vdb::FilterError) -> Self {
        ServiceError::bad_request(error.to_string())
    }
}

#[cfg(test)]
mod tests;
