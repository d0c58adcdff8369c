//! A look at all payloads, before a file is begun whose columns follow from them.

use vdb::{Collection, ScrollRequest, Select};
use vdb_interop::columnar::PayloadSurvey;

use super::write::interrupted;
use crate::failure::Outcome;
use crate::interrupt;
use crate::out::Out;
use crate::progress::{self, Unit};

/// Points of a page.
const PAGE: usize = 1000;

/// Looks at the payloads of a collection, page by page.
pub(super) fn survey(collection: &Collection, name: &str, total: u64, out: &Out) -> Outcome<PayloadSurvey> {
    let bar = progress::bar(out, "looking at payloads", Some(total), Unit::Rows);
    let payloads = Select {
        payload: true.into(),
        vectors: false.into(),
    };
    let mut request = ScrollRequest::new().select(payloads).limit(PAGE);
    let (mut survey, mut seen) = (PayloadSurvey::default(), 0);
    loop {
        if interrupt::asked_to_stop() {
            bar.finish_and_clear();
            return Err(interrupted(name));
        }
        let found = collection.scroll(&request)?;
        for point in &found.points {
            if let Some(payload) = &point.payload {
                survey.note(payload);
            }
            seen += 1;
        }
        bar.set_position(seen);
        match found.next_offset {
            Some(next) => request.offset = Some(next),
            None => break,
        }
    }
    bar.finish_and_clear();
    Ok(survey)
}
