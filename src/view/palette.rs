//! The colours of pictures: one meaning each, told apart in greys and by colour-blind readers.

use crate::grid::Cost;

/// A colour as 8-bit sRGB: red, green, blue.
pub type Rgb = [u8; 3];

/// Cells of cost 0.
pub const FREE: Rgb = [252, 252, 250];
/// Cells of cost 252, the end of the tint that inflated cells get.
const INFLATED: Rgb = [248, 224, 206];
/// Cells of cost 253.
pub const INSCRIBED: Rgb = [240, 192, 164];
/// Cells of cost 254.
pub const LETHAL: Rgb = [32, 36, 44];
/// Cells of cost 255.
pub const UNKNOWN: Rgb = [176, 182, 191];

/// Plans that arrive.
pub(super) const PLAN: Rgb = [18, 97, 222];
/// Plans that do not arrive.
pub(super) const PARTIAL: Rgb = [218, 30, 55];
/// Plans to compare with.
pub(super) const REFERENCE: Rgb = [24, 26, 32];
/// Plans of earlier segments.
pub(super) const EARLIER: Rgb = [98, 112, 140];
/// The start marker.
pub(super) const START: Rgb = [22, 150, 72];
/// The goal marker.
pub(super) const GOAL: Rgb = [240, 90, 20];
/// Casings of lines and markers, and whatever lies on a marker.
pub(super) const CASING: Rgb = [255, 255, 255];
/// Background of the caption strip.
pub(super) const PAPER: Rgb = [244, 245, 247];
/// Text and scale bar.
pub(super) const INK: Rgb = [38, 43, 54];

/// Viridis (van der Walt and Smith, 2015, CC0) at ten equal steps, without its darkest tenth,
/// which would look like an obstacle; far to near.
const FIELD: [Rgb; 9] = [
    [72, 40, 120],
    [62, 73, 137],
    [49, 104, 142],
    [38, 130, 142],
    [31, 158, 137],
    [53, 183, 121],
    [110, 206, 88],
    [181, 222, 43],
    [253, 231, 37],
];

/// Pale yellow to dark red, lightness falling all the way.
const HEAT: [Rgb; 5] = [
    [255, 237, 160],
    [254, 178, 76],
    [252, 98, 52],
    [208, 20, 40],
    [112, 0, 46],
];

/// The colour of a cell of a map.
pub(super) fn cost_colour(cost: Cost) -> Rgb {
    match cost {
        Cost::UNKNOWN => UNKNOWN,
        Cost::LETHAL => LETHAL,
        Cost::INSCRIBED => INSCRIBED,
        Cost(graded) => mix(
            FREE,
            INFLATED,
            f32::from(graded) / f32::from(Cost::MAX_TRAVERSABLE.0),
        ),
    }
}

/// The colour of a field's value, where `share` is the value over the largest one: bright at the
/// goal (0), dark far away (1). Clamped; lightness falls evenly.
pub fn field_colour(share: f32) -> Rgb {
    along(&FIELD, 1.0 - share)
}

/// The colour of a heat value, 0 to 1, clamped.
pub(super) fn heat_colour(share: f32) -> Rgb {
    along(&HEAT, share)
}

/// `over` laid on `under` with an opacity of 0 to 1.
pub(super) fn mix(under: Rgb, over: Rgb, opacity: f32) -> Rgb {
    std::array::from_fn(|channel| {
        let (from, to) = (f32::from(under[channel]), f32::from(over[channel]));
        (from + (to - from) * opacity).round() as u8
    })
}

/// A colour map at 0 to 1, linear between its stops. NaN counts as 0.
fn along(stops: &[Rgb], share: f32) -> Rgb {
    let last = stops.len() - 1;
    let place = share.clamp(0.0, 1.0) * last as f32;
    let below = (place as usize).min(last);
    let above = (below + 1).min(last);
    mix(stops[below], stops[above], place - below as f32)
}
