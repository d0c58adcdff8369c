//! Queries that nothing but a comparison with all vectors answers.

use super::{Strict, refused};
use crate::compose::kind::Query;
use crate::compose::request::Stage;
use crate::error::Result;
use crate::schema::VectorSchema;

impl Strict<'_> {
    /// Refuses a query of vectors that are to have no graph, where exact searches are refused: it would be one. A filter by tenants
    /// may leave few of them, if these are to have graphs of their own.
    pub(super) fn scan(&self, stage: &Stage<'_>) -> Result<()> {
        if self.limits.search_allow_exact != Some(false) || !stage.query.is_some_and(Query::is_about_vectors)
        {
            return Ok(());
        }
        let schema = &self.tables.schema;
        let vector = schema.slot(stage.using).and_then(|slot| schema.vector(slot));
        // Sparse vectors have an index at all times; one that is not there is told by whoever looks for it.
        let dense = vector.and_then(VectorSchema::graphed);
        let Some(dense) = dense.filter(|dense| dense.graph.is_none()) else {
            return Ok(());
        };
        let on = if stage.using.is_empty() {
            String::new()
        } else {
            format!(" on '{}'", stage.using)
        };
        let (why, help) = if !stage.filter.is_some_and(|filter| self.names_tenant(filter)) {
            (
                "global vector indexing is disabled (hnsw_config.m = 0)",
                "Use tenant-specific filter, enable global vector indexing or enable strict mode `search_allow_exact` option",
            )
        } else if schema.payload_links(dense) == 0 {
            (
                "vector indexing is disabled (hnsw_config.m = 0 and hnsw_config.payload_m = 0)",
                "Enable vector indexing, use a prefetch query with indexed vectors or enable strict mode `search_allow_exact` option",
            )
        } else {
            return Ok(());
        };
        Err(refused(
            "search_allow_exact",
            format!("Request is forbidden{on} because {why}"),
            help,
        ))
    }
}
