//! Start and goal, each with its heading.

use super::{
    Picture,
    palette::{self, CASING, Rgb},
};
use crate::grid::Pose2;

impl Picture {
    /// Marks the start: a green disc with a tick towards its heading.
    pub fn start(&mut self, pose: Pose2) -> &mut Self {
        if pose.is_finite() {
            let centre = self.projection.world_to_pixel(pose.x, pose.y);
            let radius = self.marker_radius();
            self.arrow(pose, radius, palette::START);
            self.canvas.disc(centre, radius, palette::START);
            let (right, down) = self.projection.heading(pose.yaw);
            let tip = (centre.0 + radius * right, centre.1 + radius * down);
            self.canvas.line(centre, tip, 0.32 * radius, CASING);
        }
        self
    }

    /// Marks the goal: an orange target with an arrowhead towards its heading.
    pub fn goal(&mut self, pose: Pose2) -> &mut Self {
        if pose.is_finite() {
            let centre = self.projection.world_to_pixel(pose.x, pose.y);
            let radius = self.marker_radius();
            self.arrow(pose, radius, palette::GOAL);
            self.target(centre, radius);
        }
        self
    }

    /// Marks a goal without a heading, at a world point in metres: an orange target.
    pub fn goal_point(&mut self, x: f64, y: f64) -> &mut Self {
        if x.is_finite() && y.is_finite() {
            let centre = self.projection.world_to_pixel(x, y);
            let radius = self.marker_radius();
            self.canvas.disc(centre, radius + casing(radius), CASING);
            self.target(centre, radius);
        }
        self
    }

    /// Marks a start without a heading, at a world point in metres: a green disc.
    pub fn start_point(&mut self, x: f64, y: f64) -> &mut Self {
        if x.is_finite() && y.is_finite() {
            let centre = self.projection.world_to_pixel(x, y);
            let radius = self.marker_radius();
            self.canvas.disc(centre, radius + casing(radius), CASING);
            self.canvas.disc(centre, radius, palette::START);
        }
        self
    }

    /// The rings of a goal.
    fn target(&mut self, centre: (f64, f64), radius: f64) {
        self.canvas.disc(centre, radius, palette::GOAL);
        self.canvas.disc(centre, 0.66 * radius, CASING);
        self.canvas.disc(centre, 0.36 * radius, palette::GOAL);
    }

    /// The arrowhead of a marker, and the white casing of marker and arrowhead.
    fn arrow(&mut self, pose: Pose2, radius: f64, colour: Rgb) {
        let centre = self.projection.world_to_pixel(pose.x, pose.y);
        let (right, down) = self.projection.heading(pose.yaw);
        let place = |ahead: f64, aside: f64| {
            (
                centre.0 + radius * (ahead * right - aside * down),
                centre.1 + radius * (ahead * down + aside * right),
            )
        };
        let head = [place(1.75, 0.0), place(0.75, 0.62), place(0.75, -0.62)];
        let casing = casing(radius);
        self.canvas.triangle(head, casing, CASING);
        self.canvas.disc(centre, radius + casing, CASING);
        self.canvas.triangle(head, 0.0, colour);
    }

    /// Radius of the start and goal markers, pixels.
    fn marker_radius(&self) -> f64 {
        let longer = self.projection.width().max(self.projection.height()) as f64;
        (longer / 82.0)
            .clamp(3.0, 13.0)
            .max((0.28 * self.projection.scale()).min(18.0))
    }
}

/// Width of the white casing of a marker of this radius, pixels.
fn casing(radius: f64) -> f64 {
    (0.22 * radius).max(1.5)
}
