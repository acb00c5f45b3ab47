//! Samples are what their ticket says, their labels what the oracle says, and a batch counts the
//! labels that can be known.

use crate::common::tiny_text;
use hrm_planner::grid::{Cell, Cost, Move};
use hrm_planner::model::GridHrmConfig;
use hrm_planner::search::{Outcome, Search, Termination};
use hrm_training::{Batch, Recipe, Sample, Source};

fn source(recipe: &Recipe) -> Source {
    Source::open(recipe.planning().expect("maps"), recipe.seed).expect("nothing to read")
}

fn recipe() -> Recipe {
    Recipe::from_text(&tiny_text(10)).expect("a good recipe")
}

fn samples(count: u64) -> Vec<Sample> {
    let source = source(&recipe());
    (0..count).map(|seed| source.draw(seed, 1.0)).collect()
}

/// The travel cost from a cell when the first optimal move is taken everywhere.
fn cost_of_following(sample: &Sample, start: Cell) -> f64 {
    let geometry = *sample.map.geometry();
    let (mut cell, mut cost) = (start, 0.0);
    for _ in 0..geometry.cells() {
        if cell == sample.goal {
            return cost;
        }
        let set = sample.optimal[geometry.index(cell)];
        let mv = Move::from_index(set.trailing_zeros() as usize);
        let next = sample
            .map
            .legal_move(cell, mv, sample.rules.allow_unknown());
        cell = next.expect("an optimal move is legal");
        let multiplier = sample.rules.multiplier(sample.map.cost(cell));
        cost += mv.length() * multiplier.expect("traversable");
    }
    panic!("the labels lead in a circle");
}

#[test]
fn following_the_labels_costs_what_they_and_the_search_say() {
    let mut search = Search::default();
    for sample in samples(30) {
        let geometry = *sample.map.geometry();
        for index in 0..geometry.cells() {
            let cell = geometry.cell(index);
            if sample.optimal[index] == 0 {
                continue;
            }
            let followed = cost_of_following(&sample, cell);
            let label = f64::from(sample.cost_to_go[index]);
            assert!(
                (followed - label).abs() < 1e-3 * label,
                "{followed} is not {label}"
            );
            if index % 7 == 0 {
                let (map, rules) = (&sample.map, &sample.rules);
                let found = search.path(map, cell, sample.goal, rules, &Termination::default());
                let Ok(Outcome::Found(path)) = found else {
                    panic!("a labelled cell has a path");
                };
                assert!((path.travel_cost - label).abs() < 1e-3 * label);
            }
        }
    }
}

#[test]
fn labels_are_where_there_is_a_path_and_optimal_moves_are_legal() {
    for sample in samples(30) {
        for (index, &set) in sample.optimal.iter().enumerate() {
            let cell = sample.map.geometry().cell(index);
            let reaches = sample.cost_to_go[index].is_finite();
            assert_eq!(set != 0, reaches && cell != sample.goal);
            assert_eq!(
                set & !sample.legal[index],
                0,
                "an illegal move is called optimal"
            );
        }
        let goal = sample.map.geometry().index(sample.goal);
        assert!(sample.cost_to_go[goal].abs() < f32::EPSILON);
    }
}

#[test]
fn the_same_ticket_gives_the_same_sample() {
    let source = source(&recipe());
    for seed in 0..20 {
        let [one, two] = [(); 2].map(|()| source.draw(seed, 0.4));
        assert_eq!(one.map.costs(), two.map.costs());
        assert_eq!(
            (one.goal, one.kind, one.rules),
            (two.goal, two.kind, two.rules)
        );
        assert_eq!(one.optimal, two.optimal);
        let input = |sample: &Sample| {
            let patches = GridHrmConfig::default().patches();
            let problem = sample.problem(patches, &candle_core::Device::Cpu).unwrap();
            problem
                .input
                .flatten_all()
                .unwrap()
                .to_vec1::<f32>()
                .unwrap()
        };
        assert_eq!(input(&one), input(&two));
    }
}

#[test]
fn sizes_grow_with_progress() {
    let recipe = recipe();
    let source = source(&recipe);
    let largest = |progress: f64| {
        let sides = (0..40).flat_map(|seed| {
            let (rows, cols) = source.draw(seed, progress).size();
            [rows, cols]
        });
        sides.max().unwrap()
    };
    assert_eq!(largest(0.0), recipe.planning().unwrap().data.first_max_side);
    assert_eq!(largest(1.0), recipe.planning().unwrap().data.max_side);
}

#[test]
fn costs_and_unknown_space_come_as_often_as_asked() {
    let samples = samples(200);
    let share = |holds: fn(&Sample) -> bool| {
        samples.iter().filter(|sample| holds(sample)).count() as f64 / samples.len() as f64
    };
    let unknown = share(|sample| sample.map.costs().contains(&Cost::UNKNOWN));
    let weighted = share(|sample| sample.rules.cost_weight() > 0.0);
    assert!((unknown - 0.3).abs() < 0.12, "{unknown}");
    assert!((weighted - 0.3).abs() < 0.12, "{weighted}");
}

#[test]
fn a_batch_counts_the_labels_that_word_of_the_goal_can_have_come_to() {
    let samples = samples(4);
    let all: Vec<&Sample> = samples.iter().collect();
    let (segments, reach) = ([1, 2, 3, 50], 4);
    let batch = Batch::new(&all, &segments, reach, &candle_core::Device::Cpu).unwrap();
    let weights = batch.weight.to_vec1::<f32>().unwrap();
    let sum: f32 = weights.iter().sum();
    assert!(
        (sum - 1.0).abs() < 1e-4,
        "weights are shares, but add up to {sum}"
    );
    for (index, (sample, segments)) in samples.iter().zip(segments).enumerate() {
        let horizon = (segments * reach) as f32;
        let weights = &weights[batch.maps.range(index)];
        let mut beyond = 0;
        for (cell, &weight) in weights.iter().enumerate() {
            let within = sample.cost_to_go[cell] <= horizon;
            assert_eq!(weight > 0.0, sample.optimal[cell] != 0 && within);
            beyond += usize::from(!within && sample.cost_to_go[cell].is_finite());
        }
        assert!(
            index != 0 || beyond > 0,
            "the first sample must have cells beyond its horizon"
        );
    }
}
