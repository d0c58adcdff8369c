//! Plots as SVG, drawn by `plotters` without any font of the machine.

use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use vdb_benches::{Error, Result};

const SIZE: (u32, u32) = (1000, 560);
/// Room for names at the right of what is drawn.
const NAMES: i32 = 290;
const FONT: &str = "sans-serif";
/// How many series a reader can tell apart at a glance.
pub(crate) const APART: usize = 8;
/// Colours that the colour-blind can tell apart too (Wong, "Points of view: Color blindness", Nature Methods 2011).
const COLOURS: [RGBColor; APART] = [
    RGBColor(213, 94, 0),
    RGBColor(0, 114, 178),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(90, 90, 90),
    RGBColor(150, 130, 60),
];

/// What tells one of many series from the others: a colour, and other dots whenever all colours were used.
#[derive(Clone, Copy)]
struct Look {
    colour: RGBColor,
    round: usize,
}

impl Look {
    fn of(number: usize) -> Look {
        Look {
            colour: COLOURS[number % COLOURS.len()],
            round: number / COLOURS.len(),
        }
    }

    /// Filled, hollow, hollow and larger, and so on.
    fn dot<C>(self, at: C) -> Circle<C, i32> {
        let style = if self.round == 0 {
            self.colour.filled()
        } else {
            self.colour.stroke_width(1)
        };
        Circle::new(at, 2 + self.round.max(1) as i32, style)
    }
}

/// Points of one system, joined.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

impl Series {
    /// Adds a point to the one of that name, which is the last if there was none.
    pub(crate) fn add(all: &mut Vec<Series>, name: &str, point: (f64, f64)) {
        match all.iter_mut().find(|one| one.name == name) {
            Some(one) => one.points.push(point),
            None => all.push(Series {
                name: name.to_owned(),
                points: vec![point],
            }),
        }
    }
}

/// What is written around a plot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Titles<'a> {
    pub(crate) title: &'a str,
    pub(crate) x: &'a str,
    pub(crate) y: &'a str,
}

type Canvas<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Draws onto a new file.
fn draw(file: &Path, paint: impl FnOnce(&Canvas<'_>) -> Result<(), String>) -> Result<()> {
    let canvas = SVGBackend::new(file, SIZE).into_drawing_area();
    let painted = paint(&canvas).and_then(|()| canvas.present().map_err(|e| e.to_string()));
    painted.map_err(|message| Error::data(file, message))
}

/// Writes the names of several series beside what is drawn, one below the other, each with what `sample` draws at the place that
/// it is given.
fn names(
    area: &Canvas<'_>,
    series: &[Series],
    sample: impl Fn(&Canvas<'_>, Look, (i32, i32)) -> Result<(), String>,
) -> Result<(), String> {
    let step = (SIZE.1 as i32 - 60) / series.len().max(1) as i32;
    for (number, one) in series.iter().enumerate() {
        let y = 40 + number as i32 * step.min(19);
        sample(area, Look::of(number), (6, y))?;
        let name = Text::new(one.name.as_str(), (34, y - 7), (FONT, step.clamp(9, 13)));
        area.draw(&name).map_err(|e| e.to_string())?;
    }
    Ok(())
}

/// The least and the greatest, with room on both sides where all are one.
fn bounds(numbers: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = numbers.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), number| {
        (low.min(number), high.max(number))
    });
    if low < high {
        (low, high)
    } else {
        (low * 0.9, high * 1.1 + 1e-9)
    }
}

/// Whole powers of ten around two numbers: an axis between others would have few labels or none.
fn decades(low: f64, high: f64) -> std::ops::Range<f64> {
    let (low, high) = (low.log10().floor(), high.log10().ceil());
    10_f64.powf(low)..10_f64.powf(high.max(low + 1.0))
}

/// Joined points; logarithmic upwards, and to the right where `log_x` says so.
pub(crate) fn lines(file: &Path, titles: Titles<'_>, series: &[Series], log_x: bool) -> Result<()> {
    let all = || series.iter().flat_map(|one| one.points.iter().copied());
    if all().next().is_none() {
        return Ok(());
    }
    let (left, right) = bounds(all().map(|(x, _)| x));
    let (low, high) = bounds(all().map(|(_, y)| y));
    let y = decades(low, high).log_scale();
    draw(file, |canvas| {
        canvas.fill(&WHITE).map_err(|e| e.to_string())?;
        let (drawn, beside) = canvas.split_horizontally(SIZE.0 as i32 - NAMES);
        let mut chart = ChartBuilder::on(&drawn);
        chart
            .caption(titles.title, (FONT, 20))
            .margin(12)
            .x_label_area_size(44)
            .y_label_area_size(84);
        // The two axes are of different types.
        macro_rules! paint {
            ($x:expr) => {{
                let mut chart = chart.build_cartesian_2d($x, y).map_err(|e| e.to_string())?;
                chart
                    .configure_mesh()
                    .x_desc(titles.x)
                    .y_desc(titles.y)
                    .x_label_formatter(&|x| short(*x))
                    .y_label_formatter(&|y| short(*y))
                    .light_line_style(BLACK.mix(0.05))
                    .bold_line_style(BLACK.mix(0.15))
                    .label_style((FONT, 14))
                    .draw()
                    .map_err(|e| e.to_string())?;
                for (number, one) in series.iter().enumerate() {
                    let look = Look::of(number);
                    chart
                        .draw_series(LineSeries::new(
                            one.points.iter().copied(),
                            look.colour.stroke_width(2),
                        ))
                        .map_err(|e| e.to_string())?;
                    let dots = one.points.iter().map(|at| look.dot(*at));
                    chart.draw_series(dots).map_err(|e| e.to_string())?;
                }
            }};
        }
        if log_x {
            paint!(decades(left, right).log_scale());
        } else {
            paint!(left..right);
        }
        names(&beside, series, |area, look, (x, y)| {
            let line = PathElement::new([(x, y), (x + 20, y)], look.colour.stroke_width(2));
            area.draw(&line).map_err(|e| e.to_string())?;
            area.draw(&look.dot((x + 10, y))).map_err(|e| e.to_string())
        })
    })
}

/// Horizontal bars: one group a label, one bar a series, whose points are (number of the label, length).
pub(crate) fn bars(file: &Path, titles: Titles<'_>, labels: &[String], series: &[Series]) -> Result<()> {
    let longest = series.iter().flat_map(|one| &one.points).map(|(_, x)| *x);
    let longest = longest.fold(0.0, f64::max);
    if labels.is_empty() || longest <= 0.0 {
        return Ok(());
    }
    let groups = labels.len() as f64;
    let thickness = 0.8 / series.len() as f64;
    draw(file, |canvas| {
        canvas.fill(&WHITE).map_err(|e| e.to_string())?;
        let room = if series.len() > 1 { NAMES } else { 0 };
        let (drawn, beside) = canvas.split_horizontally(SIZE.0 as i32 - room);
        let mut chart = ChartBuilder::on(&drawn)
            .caption(titles.title, (FONT, 20))
            .margin(12)
            .x_label_area_size(44)
            .y_label_area_size(220)
            .build_cartesian_2d(0.0..longest * 1.12, groups..0.0)
            .map_err(|e| e.to_string())?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .disable_y_axis()
            .y_labels(0)
            .x_desc(titles.x)
            .x_label_formatter(&|x| short(*x))
            .light_line_style(BLACK.mix(0.05))
            .bold_line_style(BLACK.mix(0.15))
            .label_style((FONT, 14))
            .draw()
            .map_err(|e| e.to_string())?;
        for (number, one) in series.iter().enumerate() {
            let colour = Look::of(number).colour;
            let top = |group: f64| group + 0.1 + number as f64 * thickness;
            let bars = one.points.iter().map(|(group, length)| {
                let (top, bottom) = (top(*group), top(*group) + thickness * 0.9);
                Rectangle::new([(0.0, top), (*length, bottom)], colour.filled())
            });
            chart.draw_series(bars).map_err(|e| e.to_string())?;
            let ends = one.points.iter().map(|(group, length)| {
                let at = (*length + longest * 0.01, top(*group) + thickness * 0.2);
                Text::new(short(*length), at, (FONT, 12))
            });
            chart.draw_series(ends).map_err(|e| e.to_string())?;
        }
        // Labels stand left of the chart, where its own coordinates do not reach.
        let area = chart.plotting_area().get_pixel_range();
        let height = f64::from(area.1.end - area.1.start) / groups;
        for (group, label) in labels.iter().enumerate() {
            let y = f64::from(area.1.start) + (group as f64 + 0.5) * height - 7.0;
            canvas
                .draw(&Text::new(label.as_str(), (16, y as i32), (FONT, 14)))
                .map_err(|e| e.to_string())?;
        }
        if series.len() > 1 {
            names(&beside, series, |area, look, (x, y)| {
                let bar = Rectangle::new([(x, y - 5), (x + 20, y + 5)], look.colour.filled());
                area.draw(&bar).map_err(|e| e.to_string())
            })?;
        }
        Ok(())
    })
}

/// A number in few characters.
pub(crate) fn short(number: f64) -> String {
    let size = number.abs();
    if size >= 1e6 {
        format!("{:.1}M", number / 1e6)
    } else if size >= 10_000.0 {
        format!("{:.0}k", number / 1e3)
    } else if size >= 1000.0 {
        format!("{:.1}k", number / 1e3)
    } else if size >= 10.0 || size == 0.0 {
        format!("{number:.0}")
    } else if size > 1.0 {
        format!("{number:.1}")
    } else {
        let text = format!("{number:.3}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

#[cfg(test)]
mod tests;
