//! Progress bars on standard error, for whoever watches.

use std::fmt::Write;
use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::out::Out;

/// What a bar counts.
#[derive(Clone, Copy)]
pub(crate) enum Unit {
    /// Rows, points, vectors.
    Rows,
    /// Bytes.
    Bytes,
}

/// A bar that is visible only on a terminal and without `--quiet`. Without a total it shows count and rate alone.
pub(crate) fn bar(out: &Out, label: &'static str, total: Option<u64>, unit: Unit) -> ProgressBar {
    let bar = match total {
        Some(total) => ProgressBar::new(total),
        None => ProgressBar::no_length(),
    };
    bar.set_draw_target(if out.is_watched() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    });
    bar.set_style(style(total.is_some(), unit));
    bar.set_prefix(label);
    // Redrawn on its own account, so that the time left moves on while one long step is under way.
    if out.is_watched() {
        bar.enable_steady_tick(Duration::from_millis(200));
    }
    bar
}

/// Sets how far a job has come whose total is known only once it runs.
pub(crate) fn report(bar: &ProgressBar, unit: Unit, done: u64, total: u64) {
    if bar.length() != Some(total) {
        bar.set_length(total);
        bar.set_style(style(true, unit));
    }
    bar.set_position(done);
}

fn style(known: bool, unit: Unit) -> ProgressStyle {
    let template = match (known, unit) {
        (true, Unit::Rows) => "{prefix:>10} [{bar:32}] {human_pos}/{human_len} rows, {rate}, {eta} left",
        (true, Unit::Bytes) => "{prefix:>10} [{bar:32}] {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left",
        (false, Unit::Rows) => "{prefix:>10} {spinner} {human_pos} rows, {rate}, {elapsed}",
        (false, Unit::Bytes) => "{prefix:>10} {spinner} {bytes}, {bytes_per_sec}, {elapsed}",
    };
    // The bars' own rate has four digits after the point; what stands after a colon in a template is a colour.
    let rate = |state: &ProgressState, text: &mut dyn Write| {
        let _ = write!(text, "{}/s", HumanCount(state.per_sec().round().max(0.0) as u64));
    };
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("rate", rate)
        .progress_chars("=> ")
}
