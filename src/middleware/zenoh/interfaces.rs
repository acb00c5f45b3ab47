//! The messages, services and actions of the contract, as Rust structs with their names and type hashes.
//!
//! The structs are made by the build (`build/`) of the definition files in `msg/`; where a ROS 2 is
//! sourced, of those that it has installed. Names are those of ROS's own Rust bindings, so that the same
//! code translates both.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What can be on the wire.
pub trait Payload: Serialize + DeserializeOwned + Default + Send + Sync + 'static {}

impl<T: Serialize + DeserializeOwned + Default + Send + Sync + 'static> Payload for T {}

/// What a type is called on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// Such as `nav_msgs::msg::dds_::Path_`.
    pub name: &'static str,
    /// `RIHS01_` and 64 hexadecimal digits (REP 2016).
    pub hash: &'static str,
}

/// A message of topics.
pub trait Message: Payload + Clone {
    /// What it is called.
    const KIND: Kind;
}

/// A service.
pub trait Service: 'static {
    /// What is asked.
    type Request: Payload;
    /// What is answered.
    type Response: Payload;
    /// What it is called.
    const KIND: Kind;
}

/// An action: two services and a topic of its own kinds, and two of kinds that all actions share.
pub trait Action: 'static {
    /// What is asked for.
    type Goal: Payload + Clone;
    /// What comes of it.
    type Result: Payload + Clone;
    /// What is told on the way.
    type Feedback: Payload + Clone;
    /// Of the service that takes goals.
    const SEND_GOAL: Kind;
    /// Of the service that hands out results.
    const GET_RESULT: Kind;
    /// Of the feedback's topic.
    const FEEDBACK: Kind;
}

/// `X_SendGoal_Request` of an action.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SendGoalRequest<Goal> {
    /// The goal's identity, made up by the client.
    pub goal_id: unique_identifier_msgs::msg::UUID,
    /// What is asked for.
    pub goal: Goal,
}

/// `X_SendGoal_Response` of an action.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SendGoalResponse {
    /// Whether the goal was taken in.
    pub accepted: bool,
    /// When.
    pub stamp: builtin_interfaces::msg::Time,
}

/// `X_GetResult_Request` of an action.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GetResultRequest {
    /// Of which goal.
    pub goal_id: unique_identifier_msgs::msg::UUID,
}

/// `X_GetResult_Response` of an action.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GetResultResponse<R> {
    /// How the goal ended (`action_msgs/GoalStatus`).
    pub status: i8,
    /// What came of it.
    pub result: R,
}

/// Sequences of bytes go over in one piece, not value by value.
mod bytes {
    use std::fmt;
    use std::marker::PhantomData;

    use serde::de::{Error, Visitor};
    use serde::{Deserializer, Serializer};

    /// `u8` and `i8`.
    pub trait Byte: bytemuck::Pod {}
    impl Byte for u8 {}
    impl Byte for i8 {}

    pub fn serialize<T: Byte, S: Serializer>(data: &[T], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(bytemuck::cast_slice(data))
    }

    pub fn deserialize<'de, T: Byte, D: Deserializer<'de>>(from: D) -> Result<Vec<T>, D::Error> {
        from.deserialize_byte_buf(Bytes(PhantomData))
    }

    struct Bytes<T>(PhantomData<T>);

    impl<T: Byte> Visitor<'_> for Bytes<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a sequence of bytes")
        }

        fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Self::Value, E> {
            Ok(bytemuck::cast_vec(bytes))
        }

        fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Self::Value, E> {
            Ok(bytemuck::cast_slice(bytes).to_vec())
        }
    }
}

// One module per package, as ROS has them: names and fields are not ours.
mod generated {
    #![allow(missing_docs, non_camel_case_types, clippy::pedantic)]
    use super::{Action, Kind, Message, Service};
    include!(concat!(env!("OUT_DIR"), "/interfaces.rs"));
}
pub use generated::*;
