//! Many starts, one goal: the model thinks once, and every start follows the same read-out.
//!
//! A segment says of every cell which move leads on, so what was thought for one start holds for
//! all others of the same region. The first to be thought for is the one farthest from the goal;
//! by the time that its plan holds, nearer ones mostly do too. Each start is then decoded and verified by
//! itself, on as many threads as there are. Repairs share one exact search, of the cells near all that was
//! thought of, the searches behind them one of all cells, and shortcuts are looked for once where plans
//! run together.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use rayon::prelude::*;

use super::budget::Budget;
use super::corridor::BestPlans;
use super::frame::Point;
use super::image::Toward;
use super::repair::{self, Draft};
use super::report::{milliseconds, timed};
use super::scales::Thought;
use super::sight::Sight;
use super::smooth::Shortener;
use super::think::decode;
use super::{
    Asked, Means, Outcome, Planner, Policy, Problem, Refusal, Report, Request, Segment, Snapshot,
    check, stopped,
};
use crate::grid::{Cell, Pose2};
use crate::search::{Field, Search, Termination};

impl Planner {
    /// Answers many requests with one goal on a snapshot, as [`Planner::plan`] answers one; the
    /// outcomes are in the order of the starts. `max_planning_time` is for all of them together.
    /// The time of thinking is in the report of the start that it was done for.
    pub fn plan_batch(
        &mut self,
        snapshot: &Snapshot,
        (starts, goal): (&[Pose2], Pose2),
        tolerance: Option<f64>,
        termination: &Termination,
        observer: &mut dyn FnMut(&Segment<'_>),
    ) -> Vec<Outcome> {
        let budget = Budget::new(termination, self.config().max_planning_time);
        let tolerance_m = tolerance.unwrap_or(self.config().tolerance);
        let request = |start: &Pose2| Request {
            tolerance,
            ..Request::new(*start, goal)
        };
        let checked: Vec<Result<Problem<'_>, Refusal>> = starts
            .par_iter()
            .map(|start| match budget.whole.reason() {
                Some(stop) => Err(stopped(stop)),
                None => check(snapshot, &request(start), tolerance_m),
            })
            .collect();
        let away = |problem: &Problem<'_>| problem.start_cell.octile_distance(problem.goal_cell);
        let lead = (0..starts.len())
            .filter_map(|index| Some((index, away(checked[index].as_ref().ok()?))))
            .filter(|(_, distance)| *distance > 0.0)
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(index, _)| index);
        // What the lead thought, with its own outcome.
        let led = lead.map(|lead| {
            let begin = Instant::now();
            let mut report = Report::new(snapshot, self.model());
            let problem = checked[lead].as_ref().map_err(Clone::clone)?;
            let thought = self.think(problem, None, &budget, observer, &mut report)?;
            report.time_ms.total = milliseconds(begin.elapsed());
            Ok((thought, report))
        });
        let (thought, thinking) = match led {
            Some(Ok((thought, report))) => (Some(thought), Some(report)),
            Some(Err(refusal)) => {
                let refused = |start| {
                    let report = Report::new(snapshot, self.model());
                    Outcome::new(&request(start), Err(Refusal::clone(&refusal)), None, report)
                };
                return starts.iter().map(refused).collect();
            }
            None => (None, None),
        };
        let follower = Follower {
            planner: self,
            budget: &budget,
            thought: thought.as_ref(),
            thinking: thinking.as_ref(),
        };
        let mut followed: Vec<_> = checked
            .into_par_iter()
            .enumerate()
            .map(|(index, problem)| Ok(follower.follow(snapshot, problem?, lead == Some(index))))
            .collect();
        let shared = follower.shared(snapshot, &mut followed);
        starts
            .par_iter()
            .zip(followed)
            .map_init(Search::new, |search, (start, followed)| match followed {
                Ok(followed) => follower.answer(&shared, &request(start), followed, search),
                Err(refusal) => {
                    let report = follower.report(snapshot, false);
                    Outcome::new(&request(start), Err(refusal), None, report)
                }
            })
            .collect()
    }
}

/// Whoever follows the thought of a batch.
struct Follower<'a> {
    planner: &'a Planner,
    budget: &'a Budget,
    thought: Option<&'a Thought>,
    thinking: Option<&'a Report>,
}

/// A start of a batch that has followed the thought.
struct Followed<'a> {
    problem: Problem<'a>,
    /// `None` for those that come later: around a start that was relaxed the map is not the snapshot's but
    /// a copy, of which there must not be one for every start at once.
    thought: Option<Thought>,
    /// Where a repair would look.
    idea: Option<Vec<Cell>>,
    report: Report,
}

impl Follower<'_> {
    /// A start's report before it is followed; that of the lead has the times of thinking.
    fn report(&self, snapshot: &Snapshot, is_lead: bool) -> Report {
        let mut report = Report::new(snapshot, self.planner.model());
        if let Some(thinking) = self.thinking {
            if is_lead {
                return thinking.clone();
            }
            report.segments = thinking.segments;
            report.halt_reason = thinking.halt_reason;
            report.reduction_factor = thinking.reduction_factor;
        }
        report
    }

    fn asked<'p>(&'p self, problem: &'p Problem<'p>) -> Asked<'p> {
        Asked {
            config: self.planner.config(),
            problem,
            budget: self.budget,
        }
    }

    /// One start: decode and verify.
    fn follow<'p>(&self, snapshot: &Snapshot, problem: Problem<'p>, is_lead: bool) -> Followed<'p> {
        let begin = Instant::now();
        let mut report = self.report(snapshot, is_lead);
        let thought = match self.thought {
            Some(thought) if is_lead => Some(thought.clone()),
            _ if problem.is_relaxed() => None,
            _ => Some(self.thought_of(&problem, &mut report)),
        };
        let idea = timed(&mut report.time_ms.repair, || {
            let thought = thought.as_ref().filter(|_| !problem.is_relaxed())?;
            if !self.asked(&problem).is_repaired(thought) {
                return None;
            }
            let likely = |draft| repair::most_likely(&problem, draft, &self.budget.repair);
            let held = thought.cells().cloned();
            held.or_else(|| thought.draft.as_ref().and_then(likely))
        });
        report.time_ms.total += milliseconds(begin.elapsed());
        Followed {
            problem,
            thought,
            idea,
            report,
        }
    }

    fn thought_of(&self, problem: &Problem<'_>, report: &mut Report) -> Thought {
        let draft = self.thought.and_then(|thought| thought.draft.as_ref());
        let thought = draft.and_then(|draft| follow(problem, draft, report));
        thought.unwrap_or_else(Thought::none)
    }

    /// What the starts share, of which the repairs are made now. Their time is in the report of the first
    /// start that has use for them.
    fn shared(
        &self,
        snapshot: &Snapshot,
        followed: &mut [Result<Followed<'_>, Refusal>],
    ) -> Shared {
        let begin = Instant::now();
        let those = followed
            .iter()
            .filter_map(|followed| followed.as_ref().ok());
        let with_ideas = those.filter(|one| one.idea.is_some());
        // Where the goal of each is blocked, they may end at different cells near it.
        let goal = with_ideas.clone().map(|one| one.problem.goal_cell).next();
        let ideas: Vec<&[Cell]> = with_ideas
            .filter(|one| Some(one.problem.goal_cell) == goal)
            .filter_map(|one| one.idea.as_deref())
            .collect();
        let draft = self.thought.and_then(|thought| thought.draft.as_ref());
        let repairs = goal.zip(draft).and_then(|(goal, draft)| {
            let corridor = repair::corridor(snapshot, &ideas, draft.reduction.factor())?;
            let (map, rules) = (snapshot.inflated(), snapshot.rules());
            let until = &self.budget.repair;
            corridor.best_plans(map, goal, rules, &mut Search::new(), until)
        });
        let mut ready = followed
            .iter_mut()
            .filter_map(|followed| followed.as_mut().ok());
        if let Some(first) = ready.find(|one| one.idea.is_some()) {
            first.report.time_ms.repair += milliseconds(begin.elapsed());
            first.report.time_ms.total += milliseconds(begin.elapsed());
        }
        Shared {
            repairs,
            field: OnceLock::new(),
            shorteners: Mutex::default(),
        }
    }

    /// One start: repair, or else search.
    fn answer(
        &self,
        shared: &Shared,
        request: &Request,
        followed: Followed<'_>,
        search: &mut Search,
    ) -> Outcome {
        let begin = Instant::now();
        let Followed {
            problem,
            thought,
            idea,
            mut report,
        } = followed;
        let thought = thought.unwrap_or_else(|| self.thought_of(&problem, &mut report));
        let means = SharedMeans {
            shared,
            has_idea: idea.is_some(),
        };
        let asked = self.asked(&problem);
        let answer = asked.conclude(&thought, &means, search, &mut report);
        report.time_ms.total += milliseconds(begin.elapsed());
        Outcome::new(request, answer, thought.cells().cloned(), report)
    }
}

/// What all starts of a batch share.
struct Shared {
    /// The best plans near all that was thought of.
    repairs: Option<BestPlans>,
    /// The field of the goal, computed when the first start needs it; `None` if it could not be in time.
    field: OnceLock<Option<Field>>,
    /// Those that know the shortcuts of plans so far, which run together towards the goal, and that no
    /// thread uses at present.
    shorteners: Mutex<Vec<Shortener>>,
}

struct SharedMeans<'a> {
    shared: &'a Shared,
    /// Whether anything was thought of that can be repaired.
    has_idea: bool,
}

impl Means for SharedMeans<'_> {
    fn repair(
        &self,
        asked: &Asked<'_>,
        thought: &Thought,
        search: &mut Search,
    ) -> Option<Vec<Cell>> {
        let problem = asked.problem;
        if problem.is_relaxed() {
            return asked.repaired(thought, search);
        }
        if !self.has_idea {
            return None;
        }
        let shared = self.shared.repairs.as_ref();
        let better = shared
            .filter(|plans| plans.goal() == problem.goal_cell)
            .and_then(|plans| plans.from(problem.start_cell, problem.snapshot().rules()));
        let Some(better) = better else {
            return asked.repaired(thought, search);
        };
        let gain = asked.config.repair_gain;
        let is_better = thought
            .cells()
            .is_none_or(|cells| repair::saves(problem, (cells, &better), gain));
        is_better.then_some(better)
    }

    fn search(
        &self,
        asked: &Asked<'_>,
        search: &mut Search,
        report: &mut Report,
    ) -> Result<Vec<Cell>, Refusal> {
        let problem = asked.problem;
        let rules = problem.snapshot().rules();
        // Around a start that was relaxed the map is not the snapshot's.
        if problem.is_relaxed() || problem.is_within_a_cell() {
            return asked.searched(search, report);
        }
        let cells = timed(&mut report.time_ms.search, || {
            let field = self.shared.field.get_or_init(|| {
                let until = &asked.budget.whole;
                search.field_in_time(problem.map(), problem.goal_cell, rules, until)
            });
            let field = field.as_ref()?;
            if field.goal() != problem.goal_cell {
                return None;
            }
            field.path_from(problem.map(), rules, problem.start_cell)
        });
        match cells {
            Some(cells) => Ok(cells),
            None => asked.searched(search, report),
        }
    }

    fn shortened(&self, asked: &Asked<'_>, sight: &Sight<'_>, points: Vec<Point>) -> Vec<Point> {
        let until = &asked.budget.whole;
        if asked.problem.is_relaxed() {
            return Shortener::default().shortened(sight, points, until);
        }
        // Each thread takes one of its own: what they find out twice costs less than waiting.
        let shorteners = || {
            let shared = &self.shared.shorteners;
            shared.lock().unwrap_or_else(PoisonError::into_inner)
        };
        let mut shortener = shorteners().pop().unwrap_or_default();
        let points = shortener.shortened(sight, points, until);
        shorteners().push(shortener);
        points
    }
}

/// What the read-out of another start says of this one; `None` if the model did not see it.
pub(super) fn follow(problem: &Problem<'_>, draft: &Draft, report: &mut Report) -> Option<Thought> {
    if problem.is_within_a_cell() {
        return None;
    }
    let reduction = draft.reduction.starting_at(problem)?;
    let policy = Policy::new(reduction.map(), &draft.logits, problem.snapshot().rules());
    let candidate = decode(problem, &reduction, &policy, Toward::Goal, report);
    Some(Thought {
        factor: reduction.factor(),
        held: candidate.held(problem),
        draft: Some(Draft {
            logits: Arc::clone(&draft.logits),
            warm: draft.warm.clone(),
            reduction,
        }),
    })
}
