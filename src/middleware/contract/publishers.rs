//! What the node publishes.

use std::sync::Arc;

use super::convert::{frame_msg, header_msg, map_info, path_msg, report_msg};
use super::wire::bond::msg::Status;
use super::wire::diagnostic_msgs::msg::{DiagnosticArray, DiagnosticStatus, KeyValue};
use super::wire::hrm_planner_msgs::msg::{PlanReport as ReportMsg, ReasoningFrame as FrameMsg};
use super::wire::lifecycle_msgs::msg::{
    State as StateMsg, Transition as TransitionMsg, TransitionEvent,
};
use super::wire::map_msgs::msg::OccupancyGridUpdate;
use super::wire::nav_msgs::msg::{OccupancyGrid, Path as PathMsg};
use super::{Graph, Publisher, Qos};
use crate::Result;
use crate::node::bond::{Bond, BondStatus};
use crate::node::lifecycle::{Edge, State};
use crate::node::message::{CostmapMessage, Header, Path};
use crate::node::report::{PlanReport, ReasoningFrame};
use crate::node::settings::Settings;
use crate::node::{Clock, Node, Outbox};

/// The node's publishers.
pub struct Publishers {
    plan: Publisher<PathMsg>,
    report: Publisher<ReportMsg>,
    reasoning: Publisher<FrameMsg>,
    reasoning_plan: Publisher<PathMsg>,
    value_field: Publisher<OccupancyGrid>,
    costmap: Publisher<OccupancyGrid>,
    costmap_updates: Publisher<OccupancyGridUpdate>,
    bond: Publisher<Status>,
    transitions: Publisher<TransitionEvent>,
    diagnostics: Publisher<DiagnosticArray>,
    clock: Arc<dyn Clock>,
}

impl Publishers {
    /// # Errors
    /// A topic that the graph does not take.
    pub fn new(graph: &mut Graph, settings: &Settings) -> Result<Self> {
        let costmap = format!("{}/costmap", settings.node.costmap_name);
        let updates = format!("{costmap}_updates");
        Ok(Self {
            plan: graph.publisher("plan", Qos::reliable(1))?,
            report: graph.publisher("~/report", Qos::DEFAULT)?,
            reasoning: graph.publisher("~/reasoning", Qos::DEFAULT)?,
            reasoning_plan: graph.publisher("~/reasoning_plan", Qos::DEFAULT)?,
            value_field: graph.publisher("~/value_field", Qos::DEFAULT)?,
            costmap: graph.publisher(&costmap, Qos::LATCHED)?,
            costmap_updates: graph.publisher(&updates, Qos::DEFAULT)?,
            bond: graph.publisher("bond", Qos::reliable(5))?,
            transitions: graph.publisher("~/transition_event", Qos::DEFAULT)?,
            diagnostics: graph.publisher("/diagnostics", Qos::DEFAULT)?,
            clock: graph.clock(),
        })
    }

    /// Publishes how the node is.
    pub fn diagnosis(&self, node: &Node) {
        let diagnosis = node.diagnose();
        let values = diagnosis.values.into_iter();
        let status = DiagnosticStatus {
            level: diagnosis.level as u8,
            name: format!("{}: planner", node.name()),
            message: diagnosis.message,
            hardware_id: String::new(),
            values: values.map(|(key, value)| KeyValue { key, value }).collect(),
        };
        let header = Header {
            stamp: node.now(),
            frame: String::new(),
        };
        let message = DiagnosticArray {
            header: header_msg(&header),
            status: vec![status],
        };
        sent("diagnostics", self.diagnostics.publish(message));
    }
}

/// Logs what could not be published.
fn sent<E: std::fmt::Display>(what: &str, result: std::result::Result<(), E>) {
    if let Err(error) = result {
        tracing::error!(%error, "{what} could not be published");
    }
}

impl Outbox for Publishers {
    fn plan(&self, plan: &Path) {
        sent("a plan", self.plan.publish(path_msg(plan)));
    }

    fn report(&self, report: &PlanReport) {
        sent("a report", self.report.publish(report_msg(report)));
    }

    fn is_watched(&self) -> bool {
        self.reasoning.has_reader()
            || self.reasoning_plan.has_reader()
            || self.value_field.has_reader()
    }

    fn reasoning(&self, frame: &ReasoningFrame) {
        sent("reasoning", self.reasoning.publish(frame_msg(frame)));
        let plan = Path {
            header: frame.header.clone(),
            poses: frame.poses.clone(),
        };
        sent("reasoning", self.reasoning_plan.publish(path_msg(&plan)));
        let field = OccupancyGrid {
            header: header_msg(&frame.header),
            info: map_info(&frame.geometry, frame.header.stamp),
            data: frame.value_image(),
        };
        sent("the value field", self.value_field.publish(field));
    }

    fn costmap(&self, costmap: CostmapMessage, is_whole: bool) {
        let header = header_msg(&costmap.header);
        if is_whole {
            let message = OccupancyGrid {
                header,
                info: map_info(&costmap.geometry, costmap.header.stamp),
                data: costmap.data,
            };
            sent("the costmap", self.costmap.publish(message));
        } else {
            let message = OccupancyGridUpdate {
                header,
                x: costmap.window.col as i32,
                y: costmap.window.row as i32,
                width: costmap.window.width as u32,
                height: costmap.window.height as u32,
                data: costmap.data,
            };
            sent("a costmap update", self.costmap_updates.publish(message));
        }
    }

    fn bond(&self, status: &BondStatus) {
        let header = Header {
            stamp: self.clock.now(),
            frame: String::new(),
        };
        let message = Status {
            header: header_msg(&header),
            id: status.id.clone(),
            instance_id: status.instance_id.clone(),
            active: status.active,
            heartbeat_timeout: Bond::HEARTBEAT_TIMEOUT_S,
            heartbeat_period: Bond::PERIOD.as_secs_f32(),
        };
        sent("a heartbeat", self.bond.publish(message));
    }

    fn transition(&self, edge: &Edge) {
        let message = TransitionEvent {
            timestamp: u64::try_from(self.clock.now().0).unwrap_or_default(),
            transition: TransitionMsg {
                id: edge.id,
                label: edge.label.to_owned(),
            },
            start_state: state_msg(edge.from),
            goal_state: state_msg(edge.to),
        };
        sent("a transition", self.transitions.publish(message));
    }
}

pub fn state_msg(state: State) -> StateMsg {
    StateMsg {
        id: state.id(),
        label: state.label().to_owned(),
    }
}
