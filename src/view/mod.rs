//! Pictures for people: maps, fields and plans, and animations that show the model thinking.
//!
//! In go a [`Costmap`](crate::grid::Costmap) and what was computed on it: values per cell,
//! plans and poses in world coordinates. Out come PNG files ([`Picture`], many of them on a
//! [`Sheet`]) and GIF files ([`Animation`], [`thinking_animation`]); numbers that change over time
//! become a [`Chart`]. A picture shows the grid's own axes, +x to the right
//! and +y up, whatever the yaw of its origin. Nothing here plans or judges: a wrong plan is drawn
//! as faithfully as a right one.

mod animation;
mod canvas;
mod caption;
mod chart;
mod layers;
mod lines;
mod markers;
mod moves;
mod palette;
mod picture;
mod projection;
mod quantise;
mod sheet;
mod text;
mod thinking;

pub use animation::Animation;
pub use chart::{Axis, Chart, Panel, Series};
pub use lines::PlanStyle;
pub use palette::{FREE, INSCRIBED, LETHAL, Rgb, UNKNOWN, field_colour};
pub use picture::Picture;
pub use sheet::{Sheet, Tile};
pub use thinking::{PublishedPlan, SegmentFrame, thinking_animation};
