//! The states of a managed node and the ways between them, as `rcl_lifecycle` has them
//! (`design.ros2.org/articles/node_lifecycle.html`; numbers from `lifecycle_msgs`).
//!
//! This is the bookkeeping alone: what a transition does is in [`super::Node::change_state`], and
//! the five services and the topic of it are the back ends'.

/// `lifecycle_msgs/State`: a primary state, or one that a transition passes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum State {
    /// No state.
    Unknown = 0,
    /// Nothing is loaded.
    Unconfigured = 1,
    /// Ready, but answers nothing and publishes nothing.
    Inactive = 2,
    /// At work.
    Active = 3,
    /// At its end.
    Finalized = 4,
    /// Between unconfigured and inactive.
    Configuring = 10,
    /// Between inactive and unconfigured.
    CleaningUp = 11,
    /// On the way to finalized.
    ShuttingDown = 12,
    /// Between inactive and active.
    Activating = 13,
    /// Between active and inactive.
    Deactivating = 14,
    /// After an error in a transition.
    ErrorProcessing = 15,
}

impl State {
    /// All of them, by number.
    pub const ALL: [State; 11] = [
        State::Unknown,
        State::Unconfigured,
        State::Inactive,
        State::Active,
        State::Finalized,
        State::Configuring,
        State::CleaningUp,
        State::ShuttingDown,
        State::Activating,
        State::Deactivating,
        State::ErrorProcessing,
    ];

    /// The number in `lifecycle_msgs/State`.
    pub const fn id(self) -> u8 {
        self as u8
    }

    /// The label in `lifecycle_msgs/State`.
    pub const fn label(self) -> &'static str {
        match self {
            State::Unknown => "unknown",
            State::Unconfigured => "unconfigured",
            State::Inactive => "inactive",
            State::Active => "active",
            State::Finalized => "finalized",
            State::Configuring => "configuring",
            State::CleaningUp => "cleaningup",
            State::ShuttingDown => "shuttingdown",
            State::Activating => "activating",
            State::Deactivating => "deactivating",
            State::ErrorProcessing => "errorprocessing",
        }
    }
}

/// What can be asked of a managed node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transition {
    /// From unconfigured to inactive.
    Configure,
    /// From inactive to unconfigured.
    CleanUp,
    /// From inactive to active.
    Activate,
    /// From active to inactive.
    Deactivate,
    /// From any of these to finalized.
    ShutDown,
}

/// How the work of a transition came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// It is done.
    Success,
    /// It could not be done; the node is as it was.
    Failure,
}

/// An edge of the state machine (`lifecycle_msgs/TransitionDescription`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// The number in `lifecycle_msgs/Transition`.
    pub id: u8,
    /// Its label.
    pub label: &'static str,
    /// Where it begins.
    pub from: State,
    /// Where it ends.
    pub to: State,
}

/// What is asked, with its number and label: from where, through what, to where.
const ASKED: [(Transition, u8, &str, State, State, State); 7] = {
    use State::{
        Activating, Active, CleaningUp, Configuring, Deactivating, Finalized, Inactive,
        ShuttingDown, Unconfigured,
    };
    use Transition::{Activate, CleanUp, Configure, Deactivate, ShutDown};
    [
        (
            Configure,
            1,
            "configure",
            Unconfigured,
            Configuring,
            Inactive,
        ),
        (CleanUp, 2, "cleanup", Inactive, CleaningUp, Unconfigured),
        (Activate, 3, "activate", Inactive, Activating, Active),
        (Deactivate, 4, "deactivate", Active, Deactivating, Inactive),
        (
            ShutDown,
            5,
            "shutdown",
            Unconfigured,
            ShuttingDown,
            Finalized,
        ),
        (ShutDown, 6, "shutdown", Inactive, ShuttingDown, Finalized),
        (ShutDown, 7, "shutdown", Active, ShuttingDown, Finalized),
    ]
};

/// The number of a state's inner edge for success; failure and error follow it.
const fn first_inner(through: State) -> u8 {
    match through {
        State::Configuring => 10,
        State::CleaningUp => 20,
        State::Activating => 30,
        State::Deactivating => 40,
        State::ShuttingDown => 50,
        _ => 60,
    }
}

/// The three edges that lead out of a state in between.
fn inner(through: State, from: State, to: State) -> [Edge; 3] {
    let id = first_inner(through);
    let failed = if through == State::ShuttingDown {
        to
    } else {
        from
    };
    let edge = |id, label, to| Edge {
        id,
        label,
        from: through,
        to,
    };
    [
        edge(id, "transition_success", to),
        edge(id + 1, "transition_failure", failed),
        edge(id + 2, "transition_error", State::ErrorProcessing),
    ]
}

/// Every edge of the state machine: those that can be asked for, then the inner ones.
pub fn graph() -> Vec<Edge> {
    let outer = ASKED.iter().map(|&(_, id, label, from, to, _)| Edge {
        id,
        label,
        from,
        to,
    });
    let mut edges: Vec<Edge> = outer.collect();
    // The three ways to shut down share one state in between.
    for &(_, _, _, from, through, to) in &ASKED[..5] {
        edges.extend(inner(through, from, to));
    }
    let [success, failure, error] = inner(
        State::ErrorProcessing,
        State::Finalized,
        State::Unconfigured,
    );
    let error = Edge {
        to: State::Finalized,
        ..error
    };
    edges.extend([success, failure, error]);
    edges
}

/// The state of a managed node.
#[derive(Debug)]
pub struct Lifecycle {
    state: State,
}

impl Default for Lifecycle {
    fn default() -> Self {
        Self {
            state: State::Unconfigured,
        }
    }
}

/// A transition that has begun.
#[derive(Debug, Clone, Copy)]
pub struct Begun {
    /// What was asked.
    pub transition: Transition,
    /// The edge into the state in between.
    pub edge: Edge,
    to: State,
}

impl Lifecycle {
    /// The state.
    pub fn state(&self) -> State {
        self.state
    }

    /// Begins what is asked by number or, going before it, by label (`lifecycle_msgs/Transition`);
    /// `None` if it does not begin at the present state.
    pub fn begin(&mut self, id: u8, label: &str) -> Option<Begun> {
        let &(transition, id, label, from, through, to) = ASKED.iter().find(|asked| {
            let is_meant = if label.is_empty() {
                asked.1 == id
            } else {
                asked.2 == label
            };
            is_meant && asked.3 == self.state
        })?;
        self.state = through;
        let edge = Edge {
            id,
            label,
            from,
            to: through,
        };
        Some(Begun {
            transition,
            edge,
            to,
        })
    }

    /// Ends what has begun; the edge out of the state in between.
    pub fn end(&mut self, begun: &Begun, came: Came) -> Edge {
        let [success, failure, _] = inner(begun.edge.to, begun.edge.from, begun.to);
        let edge = match came {
            Came::Success => success,
            Came::Failure => failure,
        };
        self.state = edge.to;
        edge
    }

    /// The edges that begin at the present state.
    pub fn available(&self) -> Vec<Edge> {
        let open = graph().into_iter().filter(|edge| edge.from == self.state);
        open.collect()
    }
}

impl Transition {
    /// The number to ask for it with at a state; 0, which no transition has, where it does not begin.
    pub fn id_at(self, state: State) -> u8 {
        let asked = ASKED
            .iter()
            .find(|asked| asked.0 == self && asked.3 == state);
        asked.map_or(0, |asked| asked.1)
    }
}
