//! Filters that hold together.

use vdb_storage::PointId;

use crate::error::Result;
use crate::filter::{CompiledFilter, Condition, Filter, TextFields};

/// All of these filters together, without points of these ids; `None` where that is every point.
pub(crate) fn narrow(
    filters: &[&Filter],
    without: &[PointId],
    texts: &dyn TextFields,
) -> Result<Option<CompiledFilter>> {
    if filters.is_empty() && without.is_empty() {
        return Ok(None);
    }
    let mut all = Filter::default();
    for &filter in filters {
        let Filter {
            must,
            should,
            must_not,
            min_should,
        } = filter.clone();
        all.must.extend(must);
        all.must_not.extend(must_not);
        // The other clauses of a filter are not a list that grows: they come in as filters of their own.
        let own = |own: Filter| Condition::Filter(Box::new(own));
        if should.is_some() {
            all.must.push(own(Filter {
                should,
                ..Filter::default()
            }));
        }
        if min_should.is_some() {
            all.must.push(own(Filter {
                min_should,
                ..Filter::default()
            }));
        }
    }
    if !without.is_empty() {
        all.must_not.push(Condition::HasId(without.to_vec()));
    }
    let compiled = CompiledFilter::new(&all, texts)?;
    Ok(Some(compiled).filter(|filter| !filter.is_unconditional()))
}
