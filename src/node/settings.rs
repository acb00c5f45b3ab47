//! Every setting of the node, and its default. How they are called from outside, read from a file,
//! checked and changed is in [`super::parameters`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::grid::CostRule;
use crate::planner::PlannerConfig;

/// All settings of a node.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settings {
    /// The planner's.
    pub planner: PlannerConfig,
    /// The node's own.
    pub node: NodeSettings,
}

/// The node's own settings; `configs/planner.yaml` says what each is for.
// One field per parameter, as ROS has them.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NodeSettings {
    /// The model file; empty: the shipped one.
    pub model: String,
    /// The names that requests may call the planner by.
    pub planner_plugins: Vec<String>,
    /// The frame to plan in where the map's message names none.
    pub global_frame: String,
    /// The robot's frame.
    pub robot_base_frame: String,
    /// How old the robot's transform may be, and how long a missing one is waited for, seconds.
    pub transform_tolerance: f64,
    /// How long a request waits for a current map, seconds.
    pub costmap_update_timeout: f64,
    /// Slower plans are logged, 1/s; 0: never.
    pub expected_planner_frequency: f64,
    /// Whether the last pose has the direction of the path rather than that of the goal.
    pub use_final_approach_orientation: bool,
    /// Whether a plan may end at the reachable cell nearest to a goal that cannot be reached.
    pub partial_plan_allowed: bool,
    /// Whether the node configures and activates itself.
    pub autostart_node: bool,
    /// Seconds between heartbeats; 0: no bond.
    pub bond_heartbeat_period: f64,
    /// Seconds between diagnostics; 0: none.
    pub diagnostics_period: f64,
    /// Whether poses on `goal_pose` are planned to.
    pub subscribe_goal_pose: bool,
    /// Whether time is that of `/clock`.
    pub use_sim_time: bool,
    /// The map's topic.
    pub map_topic: String,
    /// Asked of the map's publisher.
    pub map_qos_reliability: Reliability,
    /// Asked of the map's publisher.
    pub map_qos_durability: Durability,
    /// Messages kept.
    pub map_qos_depth: usize,
    /// As `map_qos_reliability`, for sensors.
    pub sensor_qos_reliability: Reliability,
    /// The costmap's name, which its topics and services have in theirs.
    pub costmap_name: String,
    /// Updates of the costmap by sensors, at most, 1/s.
    pub update_frequency: f64,
    /// Publications of the costmap, at most, 1/s; 0: none.
    pub publish_frequency: f64,
    /// Whether the whole costmap is published each time.
    pub always_send_full_costmap: bool,
    /// How the map is read.
    pub static_layer: StaticLayer,
    /// How sensors mark and clear.
    pub obstacle_layer: ObstacleLayer,
}

/// Whether lost messages matter (DDS quality of service).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reliability {
    /// Lost messages are sent again.
    Reliable,
    /// Lost messages are lost.
    BestEffort,
}

/// Whether late joiners matter (DDS quality of service).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Durability {
    /// Those who join late get what was sent before.
    TransientLocal,
    /// They do not.
    Volatile,
}

/// How the map is read (Nav2's static layer).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StaticLayer {
    /// Whether the map counts.
    pub enabled: bool,
    /// Whether cells below the threshold are free rather than of a cost.
    pub trinary_costmap: bool,
    /// From which occupancy on a cell is lethal.
    pub lethal_cost_threshold: i64,
    /// Whether the map is a costmap that Nav2 published.
    pub is_costmap: bool,
}

/// How sensors mark and clear (Nav2's obstacle layer).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ObstacleLayer {
    /// Whether it counts.
    pub enabled: bool,
    /// 0: what a sensor saw overwrites the map; 1: the higher cost counts; 2: likewise, but unknown
    /// cells stay so.
    pub combination_method: i64,
    /// Whether the cells under the robot are cleared.
    pub footprint_clearing_enabled: bool,
    /// The names of the sensors.
    pub observation_sources: Vec<String>,
    /// Each sensor's settings, by its name.
    #[serde(flatten)]
    pub sources: BTreeMap<String, ObservationSource>,
}

/// What a sensor publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DataType {
    /// `sensor_msgs/LaserScan`.
    LaserScan,
    /// `sensor_msgs/PointCloud2`.
    PointCloud2,
}

/// A sensor that marks and clears.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ObservationSource {
    /// Its topic.
    pub topic: String,
    /// What it publishes.
    pub data_type: DataType,
    /// The frame its rays start in; empty: that of its messages.
    pub sensor_frame: String,
    /// Points below this do not count, metres in the planning frame.
    pub min_obstacle_height: f64,
    /// Points above this do not count, metres in the planning frame.
    pub max_obstacle_height: f64,
    /// Nearer points are not marked, metres.
    pub obstacle_min_range: f64,
    /// Farther points are not marked, metres.
    pub obstacle_max_range: f64,
    /// Nearer cells are not cleared, metres.
    pub raytrace_min_range: f64,
    /// Farther cells are not cleared, metres.
    pub raytrace_max_range: f64,
    /// How long a measurement goes on marking, seconds; 0: until the next.
    pub observation_persistence: f64,
    /// Seconds within which the next measurement is expected; 0: no matter when.
    pub expected_update_rate: f64,
    /// Whether points mark.
    pub marking: bool,
    /// Whether rays clear.
    pub clearing: bool,
    /// Whether a ray that met nothing (infinity) clears as far as the sensor sees.
    pub inf_is_valid: bool,
}

impl Default for NodeSettings {
    fn default() -> Self {
        Self {
            model: String::new(),
            planner_plugins: vec!["GridBased".to_owned()],
            global_frame: "map".to_owned(),
            robot_base_frame: "base_link".to_owned(),
            transform_tolerance: 0.3,
            costmap_update_timeout: 1.0,
            expected_planner_frequency: 1.0,
            use_final_approach_orientation: false,
            partial_plan_allowed: false,
            autostart_node: false,
            bond_heartbeat_period: 0.1,
            diagnostics_period: 1.0,
            subscribe_goal_pose: false,
            use_sim_time: false,
            map_topic: "map".to_owned(),
            map_qos_reliability: Reliability::Reliable,
            map_qos_durability: Durability::TransientLocal,
            map_qos_depth: 1,
            sensor_qos_reliability: Reliability::BestEffort,
            costmap_name: "global_costmap".to_owned(),
            update_frequency: 5.0,
            publish_frequency: 1.0,
            always_send_full_costmap: true,
            static_layer: StaticLayer::default(),
            obstacle_layer: ObstacleLayer::default(),
        }
    }
}

impl Default for StaticLayer {
    fn default() -> Self {
        Self {
            enabled: true,
            trinary_costmap: true,
            lethal_cost_threshold: 100,
            is_costmap: false,
        }
    }
}

impl StaticLayer {
    /// What an occupancy of the map means.
    pub fn rule(&self) -> CostRule {
        let lethal_threshold = self.lethal_cost_threshold.clamp(0, 100) as i8;
        match (self.is_costmap, self.trinary_costmap) {
            (true, _) => CostRule::PublishedCostmap,
            (false, true) => CostRule::Trinary { lethal_threshold },
            (false, false) => CostRule::Scale { lethal_threshold },
        }
    }
}

impl Default for ObstacleLayer {
    fn default() -> Self {
        Self {
            enabled: true,
            combination_method: 1,
            footprint_clearing_enabled: true,
            observation_sources: vec!["scan".to_owned()],
            sources: BTreeMap::from([("scan".to_owned(), ObservationSource::default())]),
        }
    }
}

impl ObstacleLayer {
    /// The settings of a sensor by its name.
    pub fn source(&self, name: &str) -> ObservationSource {
        self.sources.get(name).cloned().unwrap_or_default()
    }

    /// The sensors' names; ROS files write an empty list as one empty name.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let names = self.observation_sources.iter().map(String::as_str);
        names.filter(|name| !name.is_empty())
    }
}

impl Default for ObservationSource {
    /// What suits a laser at `scan`: as in the parameter file that Nav2 ships. (Without one, Nav2's
    /// sensors do not clear, and count no point above 0 m.)
    fn default() -> Self {
        Self {
            topic: "scan".to_owned(),
            data_type: DataType::LaserScan,
            sensor_frame: String::new(),
            min_obstacle_height: 0.0,
            max_obstacle_height: 2.0,
            obstacle_min_range: 0.0,
            obstacle_max_range: 2.5,
            raytrace_min_range: 0.0,
            raytrace_max_range: 3.0,
            observation_persistence: 0.0,
            expected_update_rate: 0.0,
            marking: true,
            clearing: true,
            inf_is_valid: false,
        }
    }
}
