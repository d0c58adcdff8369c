//! `vdb scroll`: points in the order of their ids.

use serde::Serialize;
use vdb::{Collection, Control, PointId, ScrollRequest};

use crate::args::{Filtering, InCollection, Patience, Selection, id};
use crate::failure::Outcome;
use crate::out::Out;
use crate::points::{PointJson, PointsJson};
use crate::{parse, table};

/// Points that are held at once when all are printed.
const PAGE: usize = 1000;

const AFTER: &str = "\
With --json the answer is {\"points\": [{\"id\": .., \"version\": N, \"payload\": ..}], \"next_offset\": ID or null}, with --before the latter is \"before\", for \
the page before this one. With --all --json every point is a line \
of its own, in the form that `vdb load` reads: that is an export.

Examples:
  vdb scroll my.db words --limit 20
  vdb scroll my.db words --before 1000
  vdb scroll my.db words --offset 1000 --filter '{\"must\": [{\"key\": \"lemmas\", \"range\": {\"gte\": 3}}]}'
  vdb scroll my.db words --all --with-vectors --json > words.jsonl";

/// Print points in the order of their ids, page by page
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    #[command(flatten)]
    place: InCollection,

    /// Start at this id, or at the first one after it
    #[arg(long, value_name = "ID", allow_negative_numbers = true, value_parser = id)]
    offset: Option<PointId>,

    /// The points before this id; the last ones of the collection with an id beyond all
    #[arg(long, value_name = "ID", conflicts_with_all = ["offset", "all"])]
    #[arg(allow_negative_numbers = true, value_parser = id)]
    before: Option<PointId>,

    /// Most points to print
    #[arg(long, value_name = "N", default_value_t = 10, conflicts_with = "all")]
    #[arg(allow_negative_numbers = true, value_parser = parse::limit)]
    limit: usize,

    /// Print every point
    #[arg(long)]
    all: bool,

    #[command(flatten)]
    filtering: Filtering,

    #[command(flatten)]
    selection: Selection,

    #[command(flatten)]
    patience: Patience,
}

#[derive(Serialize)]
struct Page<'a> {
    #[serde(flatten)]
    points: PointsJson<'a>,
    next_offset: Option<PointId>,
}

#[derive(Serialize)]
struct Before<'a> {
    #[serde(flatten)]
    points: PointsJson<'a>,
    before: Option<PointId>,
}

pub(crate) fn run(args: Args, out: &mut Out) -> Outcome {
    let (_db, collection) = args.place.read()?;
    let control = args.patience.control();
    let mut request = ScrollRequest::new().select(args.selection.select());
    request.limit = if args.all { PAGE } else { args.limit };
    request.offset = args.offset;
    request.filter = args.filtering.filter;
    if args.before.is_some() {
        request.offset = args.before;
        return back(&collection, &request, &control, out);
    }
    loop {
        let page = collection.scroll_with(&request, &control)?;
        match (args.all, out.json) {
            (true, true) => page
                .points
                .iter()
                .try_for_each(|point| out.value(&PointJson::exported(point)))?,
            (false, true) => out.value(&Page {
                points: PointsJson::of(&page.points),
                next_offset: page.next_offset,
            })?,
            (_, false) => out.line(table::points(&page.points))?,
        }
        match page.next_offset {
            Some(next) if args.all => request.offset = Some(next),
            Some(next) => {
                if !out.json {
                    out.note(format_args!("more with --offset {next}"));
                }
                return Ok(());
            }
            None => return Ok(()),
        }
    }
}

/// The page before an id, in the order of ids like every page.
fn back(collection: &Collection, request: &ScrollRequest, control: &Control<'_>, out: &mut Out) -> Outcome {
    let mut page = collection.scroll_back_with(request, control)?;
    page.points.reverse();
    let answer = Before {
        points: PointsJson::of(&page.points),
        before: page.next_offset,
    };
    out.answer(&answer, || table::points(&page.points))?;
    if let (Some(before), false) = (page.next_offset, out.json) {
        out.note(format_args!("more with --before {before}"));
    }
    Ok(())
}
