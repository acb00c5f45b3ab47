//! Judges many cases on all cores, in an order that does not depend on them.

use std::panic::resume_unwind;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::answer::Bench;
use super::case::{Answer, Case, OwnPlan, Verdict};
use super::{Row, memory};
use crate::Result;
use crate::grid::{Costmap, Moves};
use crate::planner::{NamedModel, Planner, PlannerConfig, Snapshot};
use crate::search::Search;

/// Seconds that a request may take here, the longest the planner allows: scores must not depend on
/// how fast a machine is.
const NO_DEADLINE: f64 = 3600.0;

/// How far a judgement has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The kind of problem at work.
    pub kind: &'a str,
    /// Problems of this kind that are done.
    pub done: usize,
    /// Problems of this kind.
    pub of: usize,
}

/// Judges a model under the planner's settings; see the methods for the sets.
///
/// ```no_run
/// use hrm_planner::grid::generate::Kind;
/// use hrm_planner::judge::{Generated, Judge};
/// use hrm_planner::planner::PlannerConfig;
/// # fn main() -> hrm_planner::Result<()> {
/// let judge = Judge::new(&PlannerConfig::default(), None, 1)?;
/// let set = Generated { kinds: vec![Kind::Maze], sides: vec![32], n: 20 };
/// for row in judge.generated(&set)? {
///     println!("{}: {:?}", row.kind, row.final_reached);
/// }
/// # Ok(()) }
/// ```
pub struct Judge<'a> {
    pub(super) config: PlannerConfig,
    pub(super) model: Option<NamedModel>,
    seed: u64,
    watch: Option<&'a (dyn Fn(Progress<'_>) + Sync)>,
    show: Option<&'a (dyn Fn(&Answer<'_>) + Sync)>,
}

impl<'a> Judge<'a> {
    /// A judge; without a model the search makes all plans.
    ///
    /// Random problems are drawn from `seed` and their own name (set, kind, number), each from the
    /// `ChaCha8` stream that the name's hash numbers. Training draws from stream 0 of its seeds, so
    /// it never sees a problem of this judge, whatever the seed.
    ///
    /// # Errors
    /// [`crate::Error::PlannerSetting`] for a setting outside its range.
    pub fn new(config: &PlannerConfig, model: Option<NamedModel>, seed: u64) -> Result<Self> {
        let config = PlannerConfig {
            max_planning_time: NO_DEADLINE,
            ..config.clone()
        };
        config.validate()?;
        Ok(Self {
            config,
            model,
            seed,
            watch: None,
            show: None,
        })
    }

    /// The judge that tells `watch` after every problem how far it is; from any thread.
    #[must_use]
    pub fn watched_by(mut self, watch: &'a (dyn Fn(Progress<'_>) + Sync)) -> Self {
        self.watch = Some(watch);
        self
    }

    /// The judge that shows `show` the model's own answer to every problem that it was asked; from
    /// any thread, in any order.
    #[must_use]
    pub fn shown_to(mut self, show: &'a (dyn Fn(&Answer<'_>) + Sync)) -> Self {
        self.show = Some(show);
        self
    }

    /// Tells whoever watches.
    pub(super) fn progress(&self, progress: Progress<'_>) {
        if let Some(watch) = self.watch {
            watch(progress);
        }
    }

    /// Shows an answer of the model, if it was asked, to whoever wants to see it.
    fn show(&self, kind: &str, number: usize, case: &Case, verdict: &Verdict, own: &OwnPlan) {
        let asked = &verdict.asked;
        if let Some(show) = self.show.filter(|_| asked.has_model) {
            show(&Answer {
                kind,
                number,
                case,
                oracle_cost: verdict.oracle_cost,
                cells: &own.cells,
                returns_to: own.returns_to,
                reached: asked.own.reached,
                valid: asked.own.valid,
                ratio: asked.own.ratio,
                segments: asked.segments,
            });
        }
    }

    /// The generator of the random problem of this name.
    pub(super) fn dice(&self, name: &str) -> ChaCha8Rng {
        let mut dice = ChaCha8Rng::seed_from_u64(self.seed);
        dice.set_stream(fnv1a(name));
        dice
    }

    /// A snapshot of a benchmark's grid: the robot is a point, only length counts, unknown cells are
    /// blocked.
    ///
    /// # Errors
    /// [`crate::Error::TooManyCells`] for more cells than `max_cells`.
    pub fn grid_snapshot(&self, map: Costmap, moves: Moves) -> Result<Snapshot> {
        Snapshot::new(
            map,
            &PlannerConfig {
                robot_radius: 0.0,
                inflation_radius: 0.0,
                cost_weight: 0.0,
                moves,
                allow_unknown: false,
                ..self.config.clone()
            },
        )
    }

    /// The row of `count` cases of anybody's making, each made when a thread is free for it. `set`
    /// and `kind` only name them.
    ///
    /// # Errors
    /// The first error that making a case returns.
    pub fn row(
        &self,
        set: &str,
        kind: &str,
        count: usize,
        case: impl Fn(usize) -> Result<Case> + Sync,
    ) -> Result<Row> {
        memory::reset_peak();
        let verdicts = self.verdicts(kind, count, case)?;
        Ok(Row::of(set, kind, &verdicts, memory::peak_mib()))
    }

    /// The verdicts on `count` cases, in their order.
    ///
    /// Threads of our own, each with a pool of one for the model's kernels: on a shared pool a
    /// thread that waits for a kernel would begin another problem, and the times would mean
    /// nothing.
    fn verdicts(
        &self,
        kind: &str,
        count: usize,
        case: impl Fn(usize) -> Result<Case> + Sync,
    ) -> Result<Vec<Verdict>> {
        let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let verdicts = Mutex::new(Vec::with_capacity(count));
        let work = || -> Result<()> {
            let mut bench = Bench {
                planner: Planner::new(self.config.clone(), self.model.clone())?,
                oracle: Search::new(),
                is_shown: self.show.is_some(),
            };
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return Ok(());
                }
                let verdict = case(number).and_then(|case| {
                    let (verdict, own) = bench.judge(&case)?;
                    self.show(kind, number, &case, &verdict, &own);
                    Ok(verdict)
                });
                if verdict.is_err() {
                    next.store(count, Ordering::Relaxed);
                }
                let verdict = verdict?;
                if let Ok(mut verdicts) = verdicts.lock() {
                    verdicts.push((number, verdict));
                }
                let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                self.progress(Progress {
                    kind,
                    done,
                    of: count,
                });
            }
        };
        let alone = || match rayon::ThreadPoolBuilder::new().num_threads(1).build() {
            Ok(pool) => pool.install(work),
            Err(_) => work(), // kernels share the global pool: only times suffer
        };
        std::thread::scope(|scope| {
            let threads = rayon::current_num_threads().clamp(1, count.max(1));
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(alone)).collect();
            threads
                .into_iter()
                .try_for_each(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
        })?;
        let mut verdicts = verdicts.into_inner().unwrap_or_default();
        verdicts.sort_unstable_by_key(|(number, _)| *number);
        Ok(verdicts.into_iter().map(|(_, verdict)| verdict).collect())
    }
}

impl std::fmt::Debug for Judge<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Judge")
            .field("config", &self.config)
            .field("model", &self.model.as_ref().map(|model| &model.name))
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

/// The 64 bit FNV-1a hash: the same on every machine and in every release.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
