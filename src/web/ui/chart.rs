//! Charts, drawn on the server: shapes in SVG, words beside them in HTML, and the same figures as a table.
//!
//! The drawing is stretched to the width of the page and has no words in it, so that words keep their size. Colours are
//! classes: a policy that forbids inline style holds for SVG as well.

use askama::Template;

use super::words;

/// Width and height of the drawing, in its own units.
pub(super) const WIDTH: f64 = 600.0;
const HEIGHT: f64 = 100.0;

/// A chart over time.
#[derive(Template)]
#[template(path = "chart.html")]
pub(super) struct Chart {
    pub(super) id: &'static str,
    pub(super) title: String,
    pub(super) unit: &'static str,
    pub(super) series: Vec<Series>,
    pub(super) bins: Vec<Bin>,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// On top of each other.
    Stacked,
    /// One line each, broken where nothing is known.
    Lines,
}

/// One kind of figure.
pub(super) struct Series {
    pub(super) name: String,
    pub(super) class: &'static str,
}

/// The figures of one span of time; `None` where there are none.
pub(super) struct Bin {
    /// RFC 3339.
    pub(super) time: String,
    /// To show without scripts.
    pub(super) label: String,
    pub(super) values: Vec<Option<u64>>,
}

struct Rect {
    x: String,
    y: String,
    width: String,
    height: String,
    class: &'static str,
}

impl Chart {
    /// The top of the scale: the next round number.
    fn top(&self) -> u64 {
        let highest = self.bins.iter().map(|bin| match self.kind {
            Kind::Stacked => bin.values.iter().flatten().sum(),
            Kind::Lines => bin.values.iter().flatten().copied().max().unwrap_or_default(),
        });
        round_up(highest.max().unwrap_or_default())
    }

    fn scale(&self) -> [String; 3] {
        let top = self.top();
        let show = |value: u64| match self.unit {
            "ms" if value > 0 => words::span(value),
            _ => words::count(value),
        };
        [show(top), show(top / 2), "0".to_owned()]
    }

    fn step(&self) -> f64 {
        WIDTH / self.bins.len().max(1) as f64
    }

    fn rects(&self) -> Vec<Rect> {
        let (top, step) = (self.top() as f64, self.step());
        let gap = (step * 0.18).min(2.0);
        let mut rects = Vec::new();
        for (at, bin) in self.bins.iter().enumerate().filter(|_| self.kind == Kind::Stacked) {
            let mut floor = HEIGHT;
            for (value, series) in bin.values.iter().zip(&self.series) {
                let height = value.unwrap_or_default() as f64 / top * HEIGHT;
                if height > 0.0 {
                    floor -= height;
                    rects.push(Rect {
                        x: short(at as f64 * step + gap / 2.0),
                        y: short(floor),
                        width: short(step - gap),
                        height: short(height),
                        class: series.class,
                    });
                }
            }
        }
        rects
    }

    /// Lines as paths: a new one begins behind every gap. A point without neighbours is drawn apart from them, larger.
    fn paths(&self) -> Vec<(String, &'static str, bool)> {
        let (top, step) = (self.top() as f64, self.step());
        let mut paths = Vec::new();
        for (of, series) in self.series.iter().enumerate().filter(|_| self.kind == Kind::Lines) {
            let value = |at: usize| self.bins.get(at).and_then(|bin| bin.values.get(of).copied().flatten());
            let (mut line, mut dots) = (String::new(), String::new());
            for at in 0..self.bins.len() {
                let Some(height) = value(at) else { continue };
                let (x, y) = ((at as f64 + 0.5) * step, HEIGHT - height as f64 / top * HEIGHT);
                let (before, after) = (at.checked_sub(1).and_then(value), value(at + 1));
                match (before, after) {
                    (None, None) => dots += &format!("M{} {}h.01", short(x), short(y)),
                    (None, Some(_)) => line += &format!("M{} {}", short(x), short(y)),
                    (Some(_), _) => line += &format!("L{} {}", short(x), short(y)),
                }
            }
            let drawn = [(line, series.class, false), (dots, series.class, true)];
            paths.extend(drawn.into_iter().filter(|(path, ..)| !path.is_empty()));
        }
        paths
    }

    /// Where to point to see the figures: the width of each span, from top to bottom.
    fn zones(&self) -> Vec<(String, String, String)> {
        let step = self.step();
        let with_figures =
            self.bins.iter().enumerate().filter(|(_, bin)| bin.values.iter().flatten().any(|value| *value > 0));
        with_figures
            .map(|(at, bin)| {
                let figures = bin.values.iter().zip(&self.series).filter_map(|(value, series)| {
                    value.map(|value| format!("{} {}", self.show(&Some(value)), series.name))
                });
                let figures: Vec<String> = figures.collect();
                (short(at as f64 * step), short(step), format!("{}: {}", bin.label, figures.join(", ")))
            })
            .collect()
    }

    fn show(&self, value: &Option<u64>) -> String {
        match (self.unit, value) {
            ("ms", value) => words::known_span(*value),
            (_, value) => words::known(*value),
        }
    }

    /// Three times below the drawing.
    fn ticks(&self) -> Vec<&Bin> {
        let last = self.bins.len().saturating_sub(1);
        [0, last / 2, last].iter().filter_map(|at| self.bins.get(*at)).collect()
    }

    /// Spans with something to tell, for the table.
    fn filled(&self) -> Vec<&Bin> {
        self.bins.iter().filter(|bin| bin.values.iter().flatten().any(|value| *value > 0)).collect()
    }
}

/// A small line of bars beside the name of something.
pub(super) fn spark(values: &[u64]) -> Vec<(String, String, String, String)> {
    let top = values.iter().copied().max().unwrap_or_default().max(1) as f64;
    let step = WIDTH / 6.0 / values.len().max(1) as f64;
    let bars = values.iter().enumerate().filter(|(_, value)| **value > 0).map(|(at, value)| {
        let height = (*value as f64 / top * 20.0).max(1.0);
        (short(at as f64 * step), short(20.0 - height), short((step * 0.8).max(0.5)), short(height))
    });
    bars.collect()
}

fn short(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// 1, 2, 4, 10, 20, 40, ...: halves of them are round as well.
fn round_up(value: u64) -> u64 {
    let mut step = 1_u64;
    loop {
        for factor in [2, 4, 6, 10] {
            let round = step.saturating_mul(factor);
            if round >= value || round == u64::MAX {
                return round;
            }
        }
        step = step.saturating_mul(10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(kind: Kind, values: &[[Option<u64>; 2]]) -> Chart {
        let series = ["one", "two"].map(|name| Series { name: name.to_owned(), class: "a" });
        let bins = values.iter().enumerate().map(|(at, values)| Bin {
            time: format!("t{at}"),
            label: format!("{at}<b>"),
            values: values.to_vec(),
        });
        let title = "T".to_owned();
        Chart { id: "c", title, unit: "", series: series.into(), bins: bins.collect(), kind }
    }

    #[test]
    fn a_scale_ends_at_a_round_number() {
        for (value, top) in [(0, 2), (2, 2), (3, 4), (5, 6), (7, 10), (11, 20), (61, 100), (101, 200)] {
            assert_eq!(round_up(value), top);
        }
        assert_eq!(round_up(u64::MAX), u64::MAX);
    }

    #[test]
    fn bars_stand_on_each_other() {
        let chart = chart(Kind::Stacked, &[[Some(1), Some(1)], [None, Some(2)]]);
        let rects: Vec<(String, String)> = chart.rects().into_iter().map(|rect| (rect.y, rect.height)).collect();
        let rect = |y: &str, height: &str| (y.to_owned(), height.to_owned());
        assert_eq!(rects, [rect("50", "50"), rect("0", "50"), rect("0", "100")]);
    }

    #[test]
    fn a_line_breaks_where_nothing_is_known() {
        let chart = chart(Kind::Lines, &[[Some(2), None], [None, None], [Some(1), None], [Some(2), None]]);
        assert_eq!(chart.paths(), [("M375 50L525 0".to_owned(), "a", false), ("M75 0h.01".to_owned(), "a", true)]);
    }

    #[test]
    fn words_in_a_chart_are_escaped() {
        let html = chart(Kind::Stacked, &[[Some(1), None]]).render().unwrap();
        assert!(!html.contains("<b>") && html.contains("&#60;b&#62;"), "{html}");
    }
}
