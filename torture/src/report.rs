//! Figures for people and for programs.

use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, Value};

/// Prints figures in two columns, or as one JSON object with `_` for the spaces of their names.
pub(crate) fn print(json: bool, figures: &[(&str, Value)]) {
    if json {
        let named = figures
            .iter()
            .map(|(name, value)| (name.replace(' ', "_"), value.clone()));
        println!("{}", Value::Object(named.collect::<Map<_, _>>()));
        return;
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    for (name, value) in figures {
        let count = value
            .as_u64()
            .map(|count| indicatif::HumanCount(count).to_string());
        let shown = count.unwrap_or_else(|| value.to_string());
        table.add_row([(*name).to_owned(), shown]);
    }
    if let Some(column) = table.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    println!("{}", table.trim_fmt());
}

/// A bar on standard error, for a terminal.
pub(crate) fn bar(total: Option<u64>, what: &str) -> ProgressBar {
    let bar = match total {
        Some(total) => ProgressBar::new(total),
        None => ProgressBar::no_length(),
    };
    let template = match total {
        Some(_) => {
            format!("[{{bar:32}}] {{human_pos}}/{{human_len}} {what}, {{per_sec}}, {{eta}} left {{msg}}")
        }
        None => format!("{{spinner}} {{human_pos}} {what}, {{elapsed}} {{msg}}"),
    };
    let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style.progress_chars("=> "));
    bar
}

/// Seconds to a tenth.
pub(crate) fn seconds(time: Duration) -> Value {
    ((time.as_secs_f64() * 10.0).round() / 10.0).into()
}
