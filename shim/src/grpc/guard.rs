//! Who may call what.

use std::sync::Arc;

use http::{Extensions, HeaderMap};

use crate::service::access::{Needs, of_method};
use crate::service::{Caller, Keys, Service, ServiceError};

/// What callers are known by, and where conditions of tokens are looked up.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    pub(super) keys: Arc<Keys>,
    pub(super) service: Service,
}

/// Who makes a call and what it needs, until its message is there and says of which collection.
#[derive(Clone, Debug)]
pub(super) struct Admitted {
    pub(super) caller: Caller,
    needs: Needs,
}

impl Admitted {
    /// Whether the caller may make the call, of which the message names this collection.
    ///
    /// # Errors
    /// [`Forbidden`](crate::service::ErrorKind::Forbidden) when he may not.
    pub(super) fn check(&self, collection: Option<&str>) -> Result<(), ServiceError> {
        self.needs.check(self.caller.access(), collection)
    }
}

impl Guard {
    /// Who makes a call of this path.
    ///
    /// # Errors
    /// When nobody may make it, or the caller may not, whatever it says.
    pub(super) async fn admit(&self, path: &str, headers: &HeaderMap) -> Result<Admitted, ServiceError> {
        let needs = of_method(path);
        if needs == Needs::Nothing {
            let caller = Caller::with(crate::service::access::Access::nothing());
            return Ok(Admitted { caller, needs });
        }
        let caller = self.keys.identify(key(headers))?;
        self.service.check_condition(&caller).await?;
        // What concerns one collection has to wait for its name.
        if !matches!(needs, Needs::On(_)) {
            needs.check(caller.access(), None)?;
        }
        Ok(Admitted { caller, needs })
    }
}

/// The key of a call: the header `api-key`, or the token of a bearer.
fn key(headers: &HeaderMap) -> Option<&str> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    text("api-key").or_else(|| {
        let (scheme, token) = text("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    })
}

/// Who makes a call, of which the message names this collection.
///
/// # Errors
/// [`Forbidden`](crate::service::ErrorKind::Forbidden) when he may not make it.
pub(super) fn caller<'a>(
    extensions: &'a Extensions,
    collection: Option<&str>,
) -> Result<&'a Caller, ServiceError> {
    let admitted: Option<&Admitted> = extensions.get();
    let admitted = admitted.ok_or_else(|| ServiceError::internal("nobody has asked who calls"))?;
    admitted.check(collection)?;
    Ok(&admitted.caller)
}

#[cfg(test)]
mod tests;
