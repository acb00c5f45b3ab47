//! The model's thinking, made visible: how the plan changes from segment to segment.

use super::{Animation, Picture, PlanStyle};
use crate::Result;
use crate::grid::{Costmap, Pose2};
use std::time::Duration;

/// How many earlier plans stay in view, each paler than the next.
const EARLIER_PLANS: usize = 3;
/// How much paler each earlier plan is than the one after it.
const FADING: f32 = 0.55;
/// The thinking of any number of segments takes about this long, within the limits below.
const WHOLE: Duration = Duration::from_secs(8);
const SHORTEST: Duration = Duration::from_millis(150);
const LONGEST: Duration = Duration::from_millis(900);
/// Share of the last values that lie below the top of their scale: single wild values of a model
/// must not flatten all others.
const TOP_QUANTILE: f64 = 0.98;

/// What one segment of thinking came to.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentFrame {
    /// The segment's number, from 1.
    pub index: usize,
    /// The plan read out after it, in world coordinates; it may stop anywhere or be empty.
    pub plan: Vec<Pose2>,
    /// Whether the plan reaches the goal.
    pub arrived: bool,
    /// The model's cost-to-go per cell of the map, row-major, NaN where it has none.
    pub values: Option<Vec<f32>>,
    /// A line for the reader, such as the halting value.
    pub caption: String,
}

/// The plan that came of the thinking, or of the search behind it.
#[derive(Debug, Clone, PartialEq)]
pub struct PublishedPlan {
    /// In world coordinates.
    pub plan: Vec<Pose2>,
    /// A title for the reader.
    pub title: String,
    /// A line for the reader.
    pub caption: String,
}

/// An animation of the thinking: first the question (map, start, goal), then one frame per
/// segment, at last the published plan, if there is one. The current plan is bright, red with a
/// cross at its end while it does not arrive and blue once it does; the plans before it fade. All
/// values are drawn on one scale.
///
/// # Errors
/// [`crate::Error::DataLength`], if a segment's values are not one per cell of the map.
pub fn thinking_animation(
    map: &Costmap,
    start: Pose2,
    goal: Pose2,
    segments: &[SegmentFrame],
    published: Option<&PublishedPlan>,
) -> Result<Animation> {
    let plain = Picture::new(map);
    let top = scale_top(segments);
    let count = segments.last().map_or(0, |segment| segment.index);
    let mut pictures = vec![plain.clone()];
    let mut captions = vec![["Before the first segment".to_owned(), String::new()]];
    for (place, segment) in segments.iter().enumerate() {
        let mut picture = plain.clone();
        if let (Some(values), Some(top)) = (&segment.values, top) {
            picture.field_up_to(values, top)?;
        }
        for earlier in (1..=EARLIER_PLANS.min(place)).rev() {
            let opacity = PlanStyle::EARLIER.opacity * FADING.powi(earlier as i32 - 1);
            let style = PlanStyle {
                opacity,
                ..PlanStyle::EARLIER
            };
            picture.plan(&segments[place - earlier].plan, style);
        }
        let (style, state) = if segment.arrived {
            (PlanStyle::ARRIVED, "the plan arrives")
        } else {
            (PlanStyle::PARTIAL, "not there yet")
        };
        picture.plan(&segment.plan, style);
        pictures.push(picture);
        captions.push([
            format!("Segment {} of {count}: {state}", segment.index),
            segment.caption.clone(),
        ]);
    }

    if let Some(published) = published {
        let mut picture = plain.clone();
        let values = segments.last().and_then(|last| last.values.as_ref());
        if let (Some(values), Some(top)) = (values, top) {
            picture.field_up_to(values, top)?;
        }
        if let Some(last) = segments.last() {
            picture.plan(&last.plan, PlanStyle::EARLIER);
        }
        picture.plan(&published.plan, PlanStyle::ARRIVED);
        pictures.push(picture);
        captions.push([published.title.clone(), published.caption.clone()]);
    }

    let height = pictures
        .iter()
        .zip(&captions)
        .map(|(picture, [title, line])| picture.caption_height(&[title, line]))
        .max()
        .unwrap_or(0);
    for (picture, [title, line]) in pictures.iter_mut().zip(&captions) {
        picture.start(start).goal(goal);
        picture.caption_in(&[title, line], height);
    }

    let delay = (WHOLE / segments.len().max(1) as u32).clamp(SHORTEST, LONGEST);
    let mut animation = Animation::new(&pictures[0], delay);
    for picture in &pictures[1..] {
        animation.push(picture, delay)?;
    }
    Ok(animation)
}

/// The value that gets the darkest colour in all frames, from the last segment with values, whose
/// field is the most settled.
fn scale_top(segments: &[SegmentFrame]) -> Option<f64> {
    let values = segments
        .iter()
        .rev()
        .find_map(|segment| segment.values.as_ref())?;
    let mut finite: Vec<f32> = values.iter().copied().filter(|v| v.is_finite()).collect();
    finite.sort_unstable_by(f32::total_cmp);
    let place = (finite.len() as f64 * TOP_QUANTILE) as usize;
    let top = finite.get(place.min(finite.len().saturating_sub(1)));
    Some(top.map_or(1.0, |&value| f64::from(value)))
}
