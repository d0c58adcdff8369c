//! A look at all payloads, before a file is begun whose columns follow from them.

use vdb::{Collection, CollectionConfig, ScrollRequest, Select};
use vdb_interop::columnar::PayloadSurvey;

use super::pages::Pages;
use crate::failure::Outcome;
use crate::out::Out;
use crate::progress::{self, Unit};

/// Points of a page.
const PAGE: usize = 1000;

/// Looks at the payloads of a collection, page by page.
pub(super) fn survey(
    collection: &Collection,
    name: &str,
    config: &CollectionConfig,
    total: u64,
    out: &Out,
) -> Outcome<PayloadSurvey> {
    let bar = progress::bar(out, "looking at payloads", Some(total), Unit::Rows);
    let payloads = Select {
        payload: true.into(),
        vectors: false.into(),
    };
    let request = ScrollRequest::new().select(payloads);
    let mut pages = Pages::new(collection, name, request, PAGE, config);
    let (mut survey, mut seen) = (PayloadSurvey::default(), 0);
    let outcome = loop {
        match pages.advance() {
            Ok(Some(points)) => {
                for payload in points.iter().filter_map(|point| point.payload.as_ref()) {
                    survey.note(payload);
                }
                seen += points.len() as u64;
                bar.set_position(seen);
            }
            Ok(None) => break Ok(survey),
            Err(failure) => break Err(failure),
        }
    };
    bar.finish_and_clear();
    outcome
}
