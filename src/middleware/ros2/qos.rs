//! Quality of service: from settings to profiles, and why two endpoints do not meet.
//!
//! A subscription that asks for more than a publisher offers gets nothing, silently (nav2 PR #1057):
//! [`mismatch`] says what is wrong and which parameter mends it.

use rclrs::{QoSDurabilityPolicy, QoSHistoryPolicy, QoSProfile, QoSReliabilityPolicy};

use super::contract::Qos;
use crate::node::settings::{Durability, Reliability};

/// As rclrs has it.
pub fn profile(qos: Qos) -> QoSProfile {
    let mut profile = QoSProfile::topics_default();
    profile.history = QoSHistoryPolicy::KeepLast {
        depth: u32::try_from(qos.depth).unwrap_or(u32::MAX),
    };
    profile.reliability = match qos.reliability {
        Reliability::Reliable => QoSReliabilityPolicy::Reliable,
        Reliability::BestEffort => QoSReliabilityPolicy::BestEffort,
    };
    profile.durability = match qos.durability {
        Durability::TransientLocal => QoSDurabilityPolicy::TransientLocal,
        Durability::Volatile => QoSDurabilityPolicy::Volatile,
    };
    profile
}

/// What keeps a subscription from getting what a publisher offers, and what to do about it.
pub fn mismatch(asked: &QoSProfile, offered: &QoSProfile) -> Option<&'static str> {
    let asks_reliable = matches!(asked.reliability, QoSReliabilityPolicy::Reliable);
    let offers_less = matches!(offered.reliability, QoSReliabilityPolicy::BestEffort);
    if asks_reliable && offers_less {
        return Some(
            "the publisher is best_effort, but reliable is asked for: set map_qos_reliability (or \
             sensor_qos_reliability) to best_effort",
        );
    }
    let asks_latched = matches!(asked.durability, QoSDurabilityPolicy::TransientLocal);
    let offers_volatile = matches!(offered.durability, QoSDurabilityPolicy::Volatile);
    (asks_latched && offers_volatile).then_some(
        "the publisher is volatile, but transient_local is asked for: set map_qos_durability to \
         volatile",
    )
}
