//! The kinds of generated maps, and their names.

use std::fmt;
use std::str::FromStr;

use crate::Error;

/// A kind of generated map.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Corridors one to three cells wide between walls: trees, and mazes with loops.
    Maze,
    /// Isolated blocked cells and small clumps.
    Random,
    /// Rooms with doors, along corridors or side by side, some furnished.
    Rooms,
    /// Rows of shelves with aisles and cross aisles.
    Warehouse,
    /// Winding natural hollows.
    Cave,
    /// Large boxes, thin walls and corners in the open.
    Boxes,
    /// Corridors that branch off each other, rooms of many sizes on both sides, furniture.
    Office,
    /// A horizontal cut through a scene of trees, poles and buildings, as a drone meets it.
    Slices,
}

impl Kind {
    /// The kinds that models are judged on, in the order in which reports list them. Published
    /// numbers are means over these six, so that kinds added later are not among them.
    pub const ALL: [Kind; 6] = [
        Kind::Maze,
        Kind::Random,
        Kind::Rooms,
        Kind::Warehouse,
        Kind::Cave,
        Kind::Boxes,
    ];

    /// Every kind there is: those of [`Kind::ALL`], then those that models are trained on besides.
    pub const EVERY: [Kind; 8] = [
        Kind::Maze,
        Kind::Random,
        Kind::Rooms,
        Kind::Warehouse,
        Kind::Cave,
        Kind::Boxes,
        Kind::Office,
        Kind::Slices,
    ];

    /// The lower-case name, as in recipes and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Maze => "maze",
            Kind::Random => "random",
            Kind::Rooms => "rooms",
            Kind::Warehouse => "warehouse",
            Kind::Cave => "cave",
            Kind::Boxes => "boxes",
            Kind::Office => "office",
            Kind::Slices => "slices",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Kind {
    type Err = Error;

    /// The kind of this lower-case name.
    fn from_str(name: &str) -> Result<Self, Error> {
        Kind::EVERY
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| Error::UnknownMapKind {
                name: name.to_owned(),
            })
    }
}
