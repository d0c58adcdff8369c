//! The service as somebody sees it.

use vdb::{Condition, Filter, MatchValue, ScrollRequest, Select};

use super::access::{Access, Caller, Match, ValueExists};
use super::error::{ErrorKind, Result, ServiceError};
use super::{ReadOptions, ScrollAsk, Service};

impl Service {
    /// The same service for this caller: what it lists is what he may see, and what its queries take from other collections
    /// is what he may read. Whether he may make a call at all is for the wire to ask, before it reads what comes with it.
    #[must_use]
    pub fn on_behalf_of(&self, caller: &Caller) -> Service {
        Service {
            inner: self.inner.clone(),
            caller: caller.clone(),
        }
    }

    /// What whoever this is for may do.
    pub(super) fn access(&self) -> &Access {
        self.caller.access()
    }

    /// Whether the point is there that the token of a caller depends on. It is looked for each time: taking it away is how
    /// tokens are taken back.
    ///
    /// # Errors
    /// [`Unauthorized`](ErrorKind::Unauthorized) when it is not, or cannot be looked for.
    pub async fn check_condition(&self, caller: &Caller) -> Result<()> {
        let Some(condition) = caller.condition() else {
            return Ok(());
        };
        let refused =
            || ServiceError::new(ErrorKind::Unauthorized, "Invalid JWT, stateful validation failed");
        let ask = ScrollAsk {
            scroll: ScrollRequest {
                offset: None,
                limit: 1,
                filter: Some(filter(condition).ok_or_else(refused)?),
                select: Select::default(),
                timeout: None,
            },
            order_by: None,
        };
        let page = self
            .scroll(&condition.collection, ask, ReadOptions::default())
            .await;
        match page {
            Ok(page) if !page.points.is_empty() => Ok(()),
            Ok(_) => Err(refused()),
            // That others keep it waiting says nothing of the token.
            Err(error) if matches!(error.kind, ErrorKind::Timeout | ErrorKind::RateLimited { .. }) => {
                Err(error)
            }
            Err(error) => {
                tracing::warn!(%error, "the condition of a token cannot be looked for");
                Err(refused())
            }
        }
    }
}

fn filter(condition: &ValueExists) -> Option<Filter> {
    let matches = |wanted: &Match| Some(Condition::matches(wanted.key.as_str(), value(&wanted.value)?));
    let conditions: Option<Vec<Condition>> = condition.matches.iter().map(matches).collect();
    conditions.map(Filter::must)
}

fn value(value: &serde_json::Value) -> Option<MatchValue> {
    let text = value.as_str().map(MatchValue::from);
    let integer = || value.as_i64().map(MatchValue::from);
    text.or_else(integer)
        .or_else(|| value.as_bool().map(MatchValue::from))
}
