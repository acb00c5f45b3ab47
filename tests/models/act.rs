//! Adaptive computation: problems halt each by itself, leave the batch, and lose nothing by it.

// Clippy's allowance for tests does not reach helpers outside of them.
#![allow(clippy::unwrap_used)]

use crate::random_sequence::{alone, members, random_problems, random_weights};
use candle_core::{DType, Device, Tensor};
use hrm_planner::Result;
use hrm_planner::model::{
    Act, Answer, Carry, HaltSignal, Halting, Reasoner, SequenceConfig, SequenceHrm,
    SequenceProblems, SequenceReadout, think,
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::cell::RefCell;

/// A model whose problems say after how many segments they want to halt. Its state counts them.
#[derive(Default)]
struct Counter {
    /// Problems in the batch, segment by segment.
    batches: RefCell<Vec<usize>>,
}

impl Reasoner for Counter {
    type Problems = [usize];
    type Encoded = Vec<usize>;
    /// Of each problem: its own number and the segments it has thought.
    type Readout = Vec<(f32, f32)>;

    fn encode(&self, problems: &[usize]) -> Result<Vec<usize>> {
        Ok(problems.to_vec())
    }

    fn count(&self, encoded: &Vec<usize>) -> usize {
        encoded.len()
    }

    fn initial_carry(&self, encoded: &Vec<usize>) -> Result<Carry> {
        let wishes: Vec<f32> = encoded.iter().map(|&n| n as f32).collect();
        Ok(Carry {
            z_h: Tensor::zeros(encoded.len(), DType::F32, &Device::Cpu)?,
            z_l: Tensor::new(wishes, &Device::Cpu)?,
        })
    }

    fn segment(&self, carry: &Carry, encoded: &Vec<usize>) -> Result<Carry> {
        self.batches.borrow_mut().push(encoded.len());
        Ok(Carry {
            z_h: (&carry.z_h + 1.0)?,
            z_l: carry.z_l.clone(),
        })
    }

    fn read_out(&self, carry: &Carry, _problems: &Vec<usize>) -> Result<Vec<(f32, f32)>> {
        let wishes = carry.z_l.to_vec1()?.into_iter();
        Ok(wishes.zip(carry.z_h.to_vec1()?).collect())
    }

    fn wants_to_halt(&self, readout: &Vec<(f32, f32)>, _: &Vec<usize>) -> Result<Vec<bool>> {
        Ok(readout
            .iter()
            .map(|(wish, thought)| thought >= wish)
            .collect())
    }

    fn keep(
        &self,
        encoded: &Vec<usize>,
        carry: &Carry,
        kept: &[usize],
    ) -> Result<(Vec<usize>, Carry)> {
        let rows: Vec<u32> = kept.iter().map(|&k| k as u32).collect();
        let rows = Tensor::new(rows, &Device::Cpu)?;
        let carry = Carry {
            z_h: carry.z_h.index_select(&rows, 0)?,
            z_l: carry.z_l.index_select(&rows, 0)?,
        };
        Ok((kept.iter().map(|&k| encoded[k]).collect(), carry))
    }
}

fn segments<R>(answers: &[Answer<R>]) -> Vec<usize> {
    answers.iter().map(|answer| answer.segments).collect()
}

fn act(max_segments: usize, halting: bool) -> Act {
    Act {
        max_segments,
        halting,
    }
}

#[test]
fn each_problem_halts_by_itself_and_answers_come_in_the_problems_order() {
    let model = Counter::default();
    let answers = think(&model, &[3, 1, 9, 2, 1], &act(5, true)).unwrap();
    assert_eq!(segments(&answers), [3, 1, 5, 2, 1]);
    let readouts: Vec<_> = answers.into_iter().map(|a| a.readout).collect();
    let expected = [(3.0, 3.0), (1.0, 1.0), (9.0, 5.0), (2.0, 2.0), (1.0, 1.0)];
    assert_eq!(readouts, expected.map(|own| vec![own]));
}

#[test]
fn halted_problems_cost_nothing_any_more() {
    let model = Counter::default();
    think(&model, &[3, 1, 9, 2, 1], &act(5, true)).unwrap();
    assert_eq!(*model.batches.borrow(), [5, 3, 2, 1, 1]);
}

#[test]
fn thinking_ends_when_all_have_halted() {
    let model = Counter::default();
    think(&model, &[2, 1], &act(100, true)).unwrap();
    assert_eq!(*model.batches.borrow(), [2, 1]);
}

#[test]
fn without_halting_all_think_to_the_bound() {
    let model = Counter::default();
    let answers = think(&model, &[3, 1, 9], &act(4, false)).unwrap();
    assert_eq!(segments(&answers), [4, 4, 4]);
    assert_eq!(*model.batches.borrow(), [3, 3, 3, 3]);
}

#[test]
fn no_problems_have_no_answers_and_no_segments_are_an_error() {
    let model = Counter::default();
    assert!(think(&model, &[], &act(4, true)).unwrap().is_empty());
    assert!(model.batches.borrow().is_empty());
    let error = think(&model, &[1], &act(0, true)).err().unwrap();
    assert!(error.to_string().contains("`max_segments` is 0"), "{error}");
}

/// Few segments: with random weights the MLP over tokens amplifies a difference twentyfold in each.
const BOUND: usize = 4;

/// A model in f64, in which rounding cannot be mistaken for a difference.
fn exact(config: &SequenceConfig, seed: u64) -> SequenceHrm {
    let weights = random_weights(config, seed).into_iter();
    let exact = weights.map(|(name, t)| (name, t.to_dtype(DType::F64).unwrap()));
    SequenceHrm::new(config.clone(), &exact.collect()).unwrap()
}

fn flat(tensor: &Tensor) -> Vec<f64> {
    let tensor = tensor.to_dtype(DType::F64).unwrap();
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn assert_alike(ours: &SequenceReadout, other: &SequenceReadout, what: &str) {
    for (a, b) in [
        (&ours.logits, &other.logits),
        (&ours.q_halt, &other.q_halt),
        (&ours.q_continue, &other.q_continue),
    ] {
        assert_eq!(a.dims(), b.dims(), "{what}");
        for (a, b) in flat(a).into_iter().zip(flat(b)) {
            assert!((a - b).abs() <= 1e-8, "{what}: {a}, {b}");
        }
    }
}

/// Who else is in the batch, and who leaves it when, changes no answer.
#[test]
fn a_sequence_model_answers_in_company_as_alone() {
    for (name, config) in members() {
        let problems = random_problems(&config, 8, 12);
        // It would prove little if all halted at once: take the first model where they do not.
        let (model, answers) = (0..100)
            .map(|seed| exact(&config, seed))
            .find_map(|model| {
                let answers = think(&model, &problems, &act(BOUND, true)).unwrap();
                let first = answers[0].segments;
                let differ = answers.iter().any(|a| a.segments != first);
                differ.then_some((model, answers))
            })
            .unwrap();
        println!("{name}: {:?} segments", segments(&answers));
        for (index, answer) in answers.iter().enumerate() {
            let what = format!("{name}, problem {index}");
            let problem = alone(&problems, index);
            let other = think(&model, &problem, &act(BOUND, true)).unwrap();
            assert_eq!(segments(&other), [answer.segments], "{what}");
            assert_alike(&answer.readout, &other[0].readout, &what);
            // And as if all thought on, looked at after the segment in which it halted.
            let all = think(&model, &problems, &act(answer.segments, false)).unwrap();
            assert_alike(&answer.readout, &all[index].readout, &what);
        }
    }
}

#[test]
fn a_sequence_model_asked_nothing_answers_nothing() {
    for (name, config) in members() {
        let answers = think(
            &exact(&config, 0),
            &SequenceProblems::default(),
            &act(BOUND, true),
        );
        assert!(answers.unwrap().is_empty(), "{name}");
    }
}

fn halting(signal: HaltSignal, exploration: f64) -> Halting {
    Halting {
        signal,
        max_segments: 4,
        exploration,
    }
}

#[test]
fn each_paper_has_its_own_rule_and_the_last_segment_always_halts() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for (signal, q_halt, q_continue, expected) in [
        (HaltSignal::OverContinue, -1.0, -2.0, true),
        (HaltSignal::OverContinue, 1.0, 1.0, false),
        (HaltSignal::OverContinue, 1.0, 2.0, false),
        (HaltSignal::OverZero, 0.1, 2.0, true),
        (HaltSignal::OverZero, 0.0, -1.0, false),
        (HaltSignal::OverZero, -1.0, -2.0, false),
    ] {
        let rule = halting(signal, 0.0);
        assert_eq!(
            rule.halts(1, q_halt, q_continue, &mut rng),
            expected,
            "{signal:?}"
        );
        assert!(rule.halts(4, q_halt, q_continue, &mut rng), "{signal:?}");
    }
}

/// With probability 1 to explore, a problem that wants to halt at segment n may do so if the
/// number drawn from 2, 3, 4 is at most n: never, one, two and three times in three.
#[test]
fn exploration_draws_the_least_number_of_segments_evenly() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let share = |rule: Halting, segments: usize, rng: &mut ChaCha8Rng| {
        let halts = (0..6000).filter(|_| rule.halts(segments, 1.0, 0.0, rng));
        halts.count() as f64 / 6000.0
    };
    let always = halting(HaltSignal::OverContinue, 1.0);
    for (segments, expected) in [(1, 0.0), (2, 1.0 / 3.0), (3, 2.0 / 3.0), (4, 1.0)] {
        let share = share(always, segments, &mut rng);
        assert!((share - expected).abs() < 0.03, "{segments}: {share}");
    }
    let seldom = share(halting(HaltSignal::OverContinue, 0.1), 1, &mut rng);
    assert!((seldom - 0.9).abs() < 0.02, "{seldom}");
}

#[test]
fn q_continue_learns_the_better_score_of_the_next_segment_or_halting_if_it_is_the_last() {
    let rule = halting(HaltSignal::OverContinue, 0.0);
    let q = |values: [f32; 3]| Tensor::new(&values, &Device::Cpu).unwrap();
    let (q_halt, q_continue) = (q([0.0, -1.0, -1.0]), q([-1.0, 2.0, 2.0]));
    let target = rule.target(&[1, 3, 4], &q_halt, &q_continue).unwrap();
    let sigmoid = |x: f32| 1.0 / (1.0 + (-x).exp());
    let expected = [0.5, sigmoid(2.0), sigmoid(-1.0)];
    for (ours, expected) in flat(&target).into_iter().zip(expected) {
        assert!(
            (ours - f64::from(expected)).abs() < 1e-6,
            "{ours} for {expected}"
        );
    }
}
