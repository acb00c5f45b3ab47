//! This node's half of a bond with Nav2's lifecycle manager (`bond_core`, `bondcpp`).
//!
//! Both sides say every [`Bond::PERIOD`] that they live; a manager that hears nothing within its
//! `bond_timeout` shuts the whole system down, and refuses to bring up a node without a bond
//! (nav2 #3080). Time comes in as calls of [`Bond::beat`], messages go out as return values.

use std::time::Duration;

/// `bond/Status`, as far as it matters.
#[derive(Debug, Clone, PartialEq)]
pub struct BondStatus {
    /// What is bonded: the node's name.
    pub id: String,
    /// Which of the two sides speaks.
    pub instance_id: String,
    /// Whether the bond holds.
    pub active: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Idle,
    Alive,
    /// Told the other side that the bond is over; so many more times unless it answers.
    Ending(u32),
}

/// One side of a bond.
#[derive(Debug)]
pub struct Bond {
    id: String,
    instance_id: String,
    state: State,
    /// The other side's instance: the first one that was heard alive.
    partner: Option<String>,
}

impl Bond {
    /// How long the other side may hear nothing, seconds.
    pub const HEARTBEAT_TIMEOUT_S: f32 = 4.0;
    /// How often [`Bond::beat`] is to be called.
    pub const PERIOD: Duration = Duration::from_millis(100);
    /// For how long the end is announced to a side that does not answer: 2 s, as `bondcpp`.
    const LAST_WORDS: u32 = 20;

    /// A bond by this name; `instance` tells this side from the other one and from other runs.
    pub fn new(id: &str, instance: u128) -> Self {
        Self {
            id: id.to_owned(),
            instance_id: format!("{instance:032x}"),
            state: State::Idle,
            partner: None,
        }
    }

    /// Begins to beat.
    pub fn form(&mut self) -> BondStatus {
        self.state = State::Alive;
        self.partner = None;
        self.say(true)
    }

    /// Ends the bond from this side; `None` if there is none.
    pub fn end(&mut self) -> Option<BondStatus> {
        if self.state != State::Alive {
            return None;
        }
        self.state = State::Ending(Self::LAST_WORDS);
        Some(self.say(false))
    }

    /// What is to be said now.
    pub fn beat(&mut self) -> Option<BondStatus> {
        match self.state {
            State::Idle => None,
            State::Alive => Some(self.say(true)),
            State::Ending(left) => {
                self.state = match left.checked_sub(1) {
                    Some(left) if left > 0 => State::Ending(left),
                    _ => State::Idle,
                };
                Some(self.say(false))
            }
        }
    }

    /// Hears what was said on the topic, by anyone; the answer, if one is due.
    pub fn hear(&mut self, status: &BondStatus) -> Option<BondStatus> {
        let is_other_side = status.id == self.id && status.instance_id != self.instance_id;
        if self.state == State::Idle || !is_other_side {
            return None;
        }
        if status.active {
            self.partner
                .get_or_insert_with(|| status.instance_id.clone());
            return None;
        }
        // Late words of an older bond, or of a third party, do not end this one.
        if self.partner.as_ref() != Some(&status.instance_id) {
            return None;
        }
        // The other side has ended it, or has heard that this one has: said once, then silence.
        self.state = State::Idle;
        Some(self.say(false))
    }

    fn say(&self, active: bool) -> BondStatus {
        BondStatus {
            id: self.id.clone(),
            instance_id: self.instance_id.clone(),
            active,
        }
    }
}
