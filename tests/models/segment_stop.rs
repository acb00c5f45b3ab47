//! A segment leaves off in the middle once it is time to stop, and nobody gets what it left.

// Clippy's allowance for tests does not reach helpers outside of them.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::common::random_model::random_tensors;
use hrm_planner::Error;
use hrm_planner::grid::{Cell, Cost, Costmap, Geometry};
use hrm_planner::model::{Formulation, GridHrm, GridHrmConfig, GridProblems, Reasoner};
use hrm_planner::search::{Rules, Stop, Termination};

fn model(formulation: Formulation) -> GridHrm {
    let config = GridHrmConfig::default();
    let tensors = random_tensors(&config, 3);
    GridHrm::new(config, &tensors, formulation).unwrap()
}

fn problem(side: usize, model: &GridHrm) -> GridProblems {
    let map = Costmap::filled(Geometry::unit(side, side).unwrap(), Cost::FREE);
    let at = Cell::new(0, 0);
    GridProblems::one(&map, &Rules::shortest(), at, at, model.config().patches()).unwrap()
}

#[test]
fn a_stopped_segment_is_an_error_that_says_why() {
    for formulation in [Formulation::Fused, Formulation::Plain] {
        let cancel = Arc::new(AtomicBool::new(true));
        let stopped = Termination::never().with_cancel(Arc::clone(&cancel));
        let model = model(formulation).until(&stopped);
        let encoded = model.encode(&problem(9, &model)).unwrap();
        let carry = model.initial_carry(&encoded).unwrap();
        let error = model.segment(&carry, &encoded).unwrap_err();
        let why = matches!(
            error,
            Error::SegmentStopped {
                stop: Stop::Cancelled
            }
        );
        assert!(why, "{error}");
        assert!(error.to_string().contains("cancelled"), "{error}");
        // The same model goes on when nothing stops it.
        cancel.store(false, Ordering::Relaxed);
        assert!(model.segment(&carry, &encoded).is_ok());
    }
}

#[test]
fn a_segment_that_is_under_way_leaves_off() {
    // A second of work and more, of which the flag leaves a fraction.
    let cancel = Arc::new(AtomicBool::new(false));
    let stopped = Termination::never().with_cancel(Arc::clone(&cancel));
    let model = model(Formulation::Fused).until(&stopped);
    let encoded = model.encode(&problem(400, &model)).unwrap();
    let carry = model.initial_carry(&encoded).unwrap();
    let error = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(30));
            cancel.store(true, Ordering::Relaxed);
        });
        model.segment(&carry, &encoded).unwrap_err()
    });
    assert!(matches!(error, Error::SegmentStopped { .. }), "{error}");
}
