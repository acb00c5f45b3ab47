//! The lifecycle and the bond, without middleware.

use crate::common::robot::{Robot, to_pose};
use hrm_planner::node::bond::{Bond, BondStatus};
use hrm_planner::node::lifecycle::{State, Transition, graph};
use hrm_planner::node::message::Ending;

#[test]
fn transitions_lead_where_rcl_leads_them_and_tell_both_steps() {
    let robot = Robot::new("");
    let go = |id, to| {
        assert!(robot.node.change_state(id, ""), "{id}");
        assert_eq!(robot.node.state(), to);
    };
    go(1, State::Inactive);
    go(3, State::Active);
    go(4, State::Inactive);
    go(2, State::Unconfigured);
    go(5, State::Finalized);
    let edges = robot.sent.edges.lock().unwrap();
    let ids: Vec<u8> = edges.iter().map(|edge| edge.id).collect();
    assert_eq!(ids, [1, 10, 3, 30, 4, 40, 2, 20, 5, 50]);
}

#[test]
fn what_does_not_begin_here_is_refused() {
    let robot = Robot::new("");
    for id in [0, 2, 3, 4, 6, 7, 8, 200] {
        assert!(!robot.node.change_state(id, ""), "{id}");
    }
    assert!(
        !robot.node.change_state(1, "activate"),
        "the label goes before the number"
    );
    assert!(robot.node.change_state(0, "configure"));
    assert!(robot.node.change_state(0, "shutdown"));
    assert_eq!(robot.node.state(), State::Finalized);
    assert!(robot.node.available_transitions().is_empty());
}

#[test]
fn the_graph_has_the_edges_of_rcl() {
    let edges = graph();
    assert_eq!(edges.len(), 7 + 5 * 3 + 3);
    let of = |id: u8| edges.iter().find(|edge| edge.id == id).unwrap();
    assert_eq!(
        (of(11).from, of(11).to),
        (State::Configuring, State::Unconfigured)
    );
    assert_eq!(
        (of(51).from, of(51).to),
        (State::ShuttingDown, State::Finalized)
    );
    assert_eq!(
        (of(60).from, of(60).to),
        (State::ErrorProcessing, State::Unconfigured)
    );
    assert_eq!(
        (of(62).from, of(62).to),
        (State::ErrorProcessing, State::Finalized)
    );
}

#[test]
fn a_transition_that_fails_leaves_the_node_as_it_was() {
    let robot = Robot::new("model: /no/such/file.safetensors");
    assert!(
        !robot
            .node
            .change_state(Transition::Configure.id_at(State::Unconfigured), "")
    );
    assert_eq!(robot.node.state(), State::Unconfigured);
    let edges = robot.sent.edges.lock().unwrap();
    let ids: Vec<u8> = edges.iter().map(|edge| edge.id).collect();
    assert_eq!(ids, [1, 11]);
}

#[test]
fn an_inactive_node_answers_nothing_and_publishes_nothing() {
    let robot = Robot::active("source: search", "....\n....");
    let ask = || to_pose(Some((0.5, 0.5)), (3.5, 0.5));
    assert_eq!(robot.answer(ask()).ending, Ending::Succeeded);
    robot.node.change_state(4, "");
    let plans = robot.sent.plans.lock().unwrap().len();
    assert!(robot.ask(ask()).0.is_none());
    assert_eq!(robot.sent.plans.lock().unwrap().len(), plans);
    robot.node.change_state(3, "");
    assert_eq!(robot.answer(ask()).ending, Ending::Succeeded);
}

#[test]
fn a_node_can_be_shut_down_from_every_state() {
    for transitions in [&[][..], &[1], &[1, 3], &[1, 3, 4], &[1, 3, 4, 2]] {
        let robot = Robot::new("");
        for &id in transitions {
            assert!(robot.node.change_state(id, ""));
        }
        robot.node.shut_down();
        assert_eq!(robot.node.state(), State::Finalized);
    }
}

fn said(active: bool) -> BondStatus {
    BondStatus {
        id: "planner".to_owned(),
        instance_id: "the other side".to_owned(),
        active,
    }
}

#[test]
fn a_bond_beats_while_it_holds() {
    let mut bond = Bond::new("planner", 1);
    assert_eq!(bond.beat(), None);
    let first = bond.form();
    assert!(first.active && first.id == "planner");
    for _ in 0..100 {
        assert_eq!(bond.beat(), Some(first.clone()));
        assert_eq!(bond.hear(&said(true)), None);
        assert_eq!(bond.hear(&first), None, "its own voice");
    }
}

#[test]
fn a_bond_that_the_other_side_ends_answers_once_and_is_silent() {
    let mut bond = Bond::new("planner", 1);
    bond.form();
    assert_eq!(
        bond.hear(&said(false)),
        None,
        "nobody that it has heard alive"
    );
    assert!(bond.beat().unwrap().active);
    bond.hear(&said(true));
    let third = BondStatus {
        instance_id: "a third party".to_owned(),
        ..said(false)
    };
    assert_eq!(bond.hear(&third), None);
    assert!(!bond.hear(&said(false)).unwrap().active);
    assert_eq!(bond.beat(), None);
    assert_eq!(bond.hear(&said(false)), None);
    assert!(bond.form().active, "it can be formed anew");
}

#[test]
fn a_bond_that_this_side_ends_says_so_until_it_is_heard_or_two_seconds_long() {
    let mut bond = Bond::new("planner", 1);
    assert_eq!(bond.end(), None);
    bond.form();
    bond.hear(&said(true));
    assert!(!bond.end().unwrap().active);
    assert!(!bond.beat().unwrap().active);
    bond.hear(&said(false));
    assert_eq!(bond.beat(), None);
    bond.form();
    bond.end();
    let words = std::iter::from_fn(|| bond.beat()).count();
    assert_eq!(words, 20);
}
