//! Pictures of an answer: the plan as a PNG, the thinking as a GIF.

use std::path::{Path, PathBuf};

use hrm_planner::planner::{Segment, Source};
use hrm_planner::search::Field;
use hrm_planner::view::{Picture, PlanStyle, PublishedPlan, SegmentFrame, thinking_animation};

use super::failure::{Failure, Result};
use super::plan::Answer;
use super::plan_file::extension;
use super::plan_text;
use super::soften::soften;

/// Values kept for an animation at most, 4 bytes each: of large maps not every segment's field is
/// kept, or memory would run out.
const MAX_VALUES: usize = 1 << 27;

/// What of the model's thinking is kept. Its field over the full map takes time that counts
/// against the deadline, so what nobody will look at is not computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watch {
    /// Nothing.
    Nothing,
    /// The last segment.
    Last,
    /// Every segment.
    All,
}

/// What the model thought, watched segment by segment.
#[derive(Debug)]
pub struct Thinking {
    /// The segments that were to be kept.
    segments: Vec<SegmentFrame>,
    watch: Watch,
    /// Every how many segments the field is kept.
    field_every: usize,
    cells: usize,
}

impl Thinking {
    /// Nothing thought yet, about a map of this many cells.
    pub fn new(watch: Watch, cells: usize) -> Self {
        Self {
            segments: Vec::new(),
            watch,
            field_every: 1,
            cells,
        }
    }

    /// Takes down a segment.
    pub fn note(&mut self, segment: &Segment<'_>) {
        match self.watch {
            Watch::Nothing => return,
            Watch::Last => self.segments.clear(),
            Watch::All => {}
        }
        // Without a field the frame still shows the plan, so an error here is no reason to stop.
        let is_due = segment.index.is_multiple_of(self.field_every);
        let values = is_due.then(|| segment.values().ok()).flatten();
        self.segments.push(SegmentFrame {
            index: segment.index,
            plan: segment.poses.to_vec(),
            arrived: segment.arrived,
            values,
            caption: caption(segment),
        });
        let kept = self.segments.iter().filter(|s| s.values.is_some()).count();
        if kept * self.cells > MAX_VALUES {
            self.field_every *= 2;
            for segment in &mut self.segments {
                if !segment.index.is_multiple_of(self.field_every) {
                    segment.values = None;
                }
            }
        }
    }

    /// Softens the fields of a model that saw blocks of `block` x `block` cells of a map of this
    /// width.
    pub fn soften(&mut self, width: usize, block: usize) {
        let fields = self.segments.iter_mut().filter_map(|s| s.values.as_mut());
        fields.for_each(|values| soften(values, width, block));
    }

    /// The model's cost-to-go of every cell after the last segment.
    fn last_values(&self) -> Option<&Vec<f32>> {
        self.segments.last().and_then(|last| last.values.as_ref())
    }
}

fn caption(segment: &Segment<'_>) -> String {
    let verdict = match (segment.arrived, segment.verified) {
        (_, true) => "verified: it may be driven",
        (true, false) => "the verifier objects",
        (false, _) => "it stops on the way",
    };
    format!(
        "{verdict}. q_halt {:+.1}, q_continue {:+.1}",
        segment.q_halt, segment.q_continue
    )
}

/// A file to draw to.
#[derive(Debug)]
pub struct PictureFile {
    path: PathBuf,
    is_gif: bool,
}

impl PictureFile {
    /// The file at `path`, whose extension says what is drawn.
    pub fn new(path: &Path) -> Result<Self> {
        let is_gif = match extension(path).as_str() {
            "png" => false,
            "gif" => true,
            _ => {
                return Err(Failure::Input(format!(
                    "{}: pictures are .png (the plan) or .gif (the thinking); choose one",
                    path.display()
                )));
            }
        };
        Ok(Self {
            path: path.to_owned(),
            is_gif,
        })
    }

    /// What of the thinking is drawn.
    pub fn watch(&self) -> Watch {
        if self.is_gif { Watch::All } else { Watch::Last }
    }

    /// Draws an answer.
    pub fn write(&self, answer: &Answer<'_>) -> Result<()> {
        if self.is_gif {
            let published = answer.outcome.plan.as_ref().map(|plan| {
                let [title, caption] = plan_text::caption(answer);
                PublishedPlan {
                    plan: plan.poses.clone(),
                    title,
                    caption,
                }
            });
            thinking_animation(
                answer.snapshot.inflated(),
                answer.request.start,
                answer.request.goal,
                &answer.thinking.segments,
                published.as_ref(),
            )?
            .save_gif(&self.path)?;
        } else {
            draw(answer)?.save_png(&self.path)?;
        }
        Ok(())
    }
}

/// The map, the field that the plan follows, the plan, and a caption.
fn draw(answer: &Answer<'_>) -> Result<Picture> {
    let mut picture = Picture::new(answer.snapshot.inflated());
    let by_model = matches!(
        answer.outcome.report.source,
        Some(Source::Model | Source::Repaired)
    );
    let colours = match answer.thinking.last_values().filter(|_| by_model) {
        Some(values) => {
            picture.field(values)?;
            "colours: travel cost to the goal, as the model sees it"
        }
        None => match exact_field(answer)? {
            Some(values) => {
                picture.field(&values)?;
                "colours: travel cost to the goal in metres"
            }
            None => "",
        },
    };
    if let Some(plan) = &answer.outcome.plan {
        picture.plan(&plan.poses, PlanStyle::ARRIVED);
    }
    picture
        .start(answer.request.start)
        .goal(answer.request.goal);
    let [title, line] = plan_text::caption(answer);
    let mut lines = vec![title.as_str(), line.as_str(), colours];
    lines.retain(|line| !line.is_empty());
    picture.caption(&lines);
    Ok(picture)
}

/// The exact cost-to-go of every cell, metres; `None` if the request has no answer.
fn exact_field(answer: &Answer<'_>) -> Result<Option<Vec<f64>>> {
    let Some(problem) = answer.problem() else {
        return Ok(None);
    };
    let field = Field::compute(problem.map(), problem.goal_cell, answer.snapshot.rules())?;
    let resolution = answer.snapshot.geometry().resolution();
    let values = field.values().iter().map(|cells| cells * resolution);
    Ok(Some(values.collect()))
}
