//! The strip below a picture: text, a scale bar in metres and, after a field, its colour bar.

use super::{
    Picture,
    canvas::Canvas,
    layers::nice_step,
    palette::{INK, PAPER, field_colour, mix},
    text::Face,
};

/// Space around everything in the strip, pixels.
const MARGIN: usize = 14;
/// Space between the parts of the strip, pixels.
const GAP: usize = 28;
/// A captioned picture is at least this wide, pixels, so that words fit.
const MIN_WIDTH: usize = 320;
/// The scale bar is at least this long, and less than 2.5 times it, pixels.
const SCALE_BAR: f64 = 48.0;
/// The colour bar's length, pixels.
const COLOUR_BAR: usize = 120;

impl Picture {
    /// Adds a strip below with lines of text, the first one as a title, and a scale bar in
    /// metres. Long lines wrap. If a field was drawn, a colour bar says what its colours are
    /// worth. Without lines the strip holds the bars only. A picture too narrow for words is
    /// widened to the right. Draw all other layers first: the strip is not theirs.
    pub fn caption(&mut self, lines: &[&str]) -> &mut Self {
        self.caption_in(lines, 0)
    }

    /// As [`Picture::caption`], with at least `height` pixels of room for text, so that the frames
    /// of an animation are equally high.
    pub(super) fn caption_in(&mut self, lines: &[&str], height: usize) -> &mut Self {
        let width = self.canvas.width().max(MIN_WIDTH);
        let text = self.caption_rows(lines);
        let inner = text_height(&text).max(height).max(BAR_HEIGHT);

        let top = self.canvas.height();
        self.canvas.grow(width, top + inner + 2 * MARGIN, PAPER);
        // A map narrower than its caption keeps its edge.
        self.canvas
            .rectangle(0, top, width, 1, mix(PAPER, INK, 0.25));

        let mut y = top + MARGIN;
        for (face, line) in &text {
            face.draw(&mut self.canvas, MARGIN, y, line, INK);
            y += face.line_height();
        }
        let y = top + MARGIN + inner.saturating_sub(BAR_HEIGHT) / 2;
        let mut right = width - MARGIN;
        for bar in self.bars() {
            bar.draw(&mut self.canvas, right.saturating_sub(bar.width()), y);
            right = right.saturating_sub(bar.width() + GAP);
        }
        self
    }

    /// The height of a caption's text, pixels.
    pub(super) fn caption_height(&self, lines: &[&str]) -> usize {
        text_height(&self.caption_rows(lines))
    }

    /// A caption's lines after wrapping.
    fn caption_rows(&self, lines: &[&str]) -> Vec<(Face, String)> {
        let bars: usize = self.bars().iter().map(|bar| bar.width() + GAP).sum();
        let width = self.canvas.width().max(MIN_WIDTH);
        let room = width.saturating_sub(2 * MARGIN + bars);
        lines
            .iter()
            .enumerate()
            .flat_map(|(index, line)| {
                let face = if index == 0 { Face::Title } else { Face::Body };
                face.wrap(line, room)
                    .into_iter()
                    .map(move |row| (face, row))
            })
            .collect()
    }

    /// The bars of the strip, right to left.
    fn bars(&self) -> Vec<Bar> {
        let per_metre = self.projection.pixels_per_metre();
        let metres = nice_step(SCALE_BAR / per_metre);
        let scale = Bar::Scale {
            pixels: ((metres * per_metre).round() as usize).min(MIN_WIDTH / 2),
            label: format!("{} m", short(metres)),
        };
        let field = self.field_top.map(|top| Bar::Field { top: short(top) });
        // On a narrow picture the text needs the room more than the colour bar does.
        let roomy = self.canvas.width() >= 2 * MIN_WIDTH;
        std::iter::once(scale)
            .chain(field.filter(|_| roomy))
            .collect()
    }
}

fn text_height(rows: &[(Face, String)]) -> usize {
    rows.iter().map(|(face, _)| face.line_height()).sum()
}

/// Height of a bar with its label, pixels.
const BAR_HEIGHT: usize = 32;

/// Something measured at the right of the strip.
enum Bar {
    /// A length on the map.
    Scale { pixels: usize, label: String },
    /// The colours of a field, from the goal to its largest value.
    Field { top: String },
}

impl Bar {
    fn width(&self) -> usize {
        match self {
            Bar::Scale { pixels, label } => Face::Body.width(label).max(*pixels),
            Bar::Field { .. } => COLOUR_BAR,
        }
    }

    /// Draws the label and below it the bar, the top left corner at (x, y).
    fn draw(&self, canvas: &mut Canvas, x: usize, y: usize) {
        match self {
            Bar::Scale { pixels, label } => {
                let text = x + (self.width() - Face::Body.width(label)) / 2;
                Face::Body.draw(canvas, text, y, label, INK);
                let bar = x + (self.width() - pixels) / 2;
                canvas.rectangle(bar, y + 25, *pixels, 2, INK);
                for end in [bar, (bar + pixels).saturating_sub(2)] {
                    canvas.rectangle(end, y + 20, 2, 12, INK);
                }
            }
            Bar::Field { top } => {
                Face::Body.draw(canvas, x, y, "goal", INK);
                let right = x + COLOUR_BAR.saturating_sub(Face::Body.width(top));
                Face::Body.draw(canvas, right, y, top, INK);
                for across in 0..COLOUR_BAR {
                    let share = across as f32 / (COLOUR_BAR - 1) as f32;
                    canvas.rectangle(x + across, y + 20, 1, 12, field_colour(share));
                }
            }
        }
    }
}

/// A number in few digits: whole from 100 up, two decimals down to 0.01, then as 5e-3.
pub(super) fn short(value: f64) -> String {
    let decimals = match value {
        v if v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        v if v >= 0.01 || v == 0.0 => 2,
        _ => return format!("{value:.0e}"),
    };
    let text = format!("{value:.decimals$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}
