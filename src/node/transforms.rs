//! Where frames are to each other, and were: what a planner needs of tf2.
//!
//! In go transforms from child to parent frames, stamped; out comes the transform between any two
//! frames of one tree, at a time or as late as it is known for the whole way between them.
//! Rotations are interpolated along the shortest arc, translations along a line (as in tf2,
//! `geometry2/tf2/src/buffer_core.cpp`). The only one that waits is [`Transforms::lookup_within`].

use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use nalgebra::Isometry3;

use super::lock::{lock, wait_for};
use super::message::{TransformStamped, planar};
use super::{Pose, PoseStamped, Time};
use crate::grid::Pose2;
use crate::{Error, Result};

/// How long moving transforms are kept, seconds: tf2's default.
const KEPT_S: f64 = 10.0;
/// The most samples of one transform: 10 s at 1 kHz.
const MOST_SAMPLES: usize = 10_000;
/// The most frames, so that names made up by a broken publisher cannot use up the memory.
const MOST_FRAMES: usize = 10_000;

/// When a transform shall hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// As late as it is known.
    Latest,
    /// At this time.
    At(Time),
}

/// A transform that was looked up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// Takes points of the source frame to the target frame.
    pub transform: Isometry3<f64>,
    /// When it held; `None`: it never changes.
    pub stamp: Option<Time>,
}

/// A frame's way to its parent.
#[derive(Debug)]
struct Link {
    parent: String,
    is_static: bool,
    /// By stamp.
    samples: VecDeque<(Time, Isometry3<f64>)>,
}

impl Link {
    fn newest(&self) -> Time {
        self.samples.back().map_or(Time::ZERO, |sample| sample.0)
    }

    fn oldest(&self) -> Time {
        self.samples.front().map_or(Time::ZERO, |sample| sample.0)
    }

    fn insert(&mut self, stamp: Time, transform: Isometry3<f64>) {
        if self.newest().since(stamp) > KEPT_S {
            // So late is no message: the clock has jumped back, or a stamp before was wrong.
            self.samples.clear();
        }
        let place = self.samples.partition_point(|sample| sample.0 < stamp);
        match self.samples.get_mut(place) {
            Some(sample) if sample.0 == stamp => sample.1 = transform,
            _ => self.samples.insert(place, (stamp, transform)),
        }
        let newest = self.newest();
        while self.samples.len() > MOST_SAMPLES || newest.since(self.oldest()) > KEPT_S {
            self.samples.pop_front();
        }
    }

    /// The transform at a time within the samples.
    fn at(&self, time: Time) -> Option<Isometry3<f64>> {
        let place = self.samples.partition_point(|sample| sample.0 < time);
        let after = self.samples.get(place)?;
        if after.0 == time {
            return Some(after.1);
        }
        let before = self.samples.get(place.checked_sub(1)?)?;
        let share = time.since(before.0) / after.0.since(before.0);
        let translation = before
            .1
            .translation
            .vector
            .lerp(&after.1.translation.vector, share);
        // Fails for exactly opposite rotations only, between which there is no shortest arc.
        let rotation = before
            .1
            .rotation
            .try_slerp(&after.1.rotation, share, 1e-12)
            .unwrap_or(before.1.rotation);
        Some(Isometry3::from_parts(translation.into(), rotation))
    }
}

/// The tree of frames.
#[derive(Debug, Default)]
pub struct TransformBuffer {
    links: HashMap<String, Link>,
}

/// tf2 strips the slash that ROS 1 put before names.
fn plain(frame: &str) -> &str {
    frame.strip_prefix('/').unwrap_or(frame)
}

impl TransformBuffer {
    /// Takes a transform in; a static one holds at all times.
    ///
    /// # Errors
    /// A transform that is not finite, not a unit quaternion or of a frame to itself or without a
    /// name, or one frame too many. The buffer is then unchanged.
    pub fn insert(&mut self, message: &TransformStamped, is_static: bool) -> Result<()> {
        let (parent, child) = (plain(&message.header.frame), plain(&message.child));
        if parent == child || parent.is_empty() || child.is_empty() {
            return Err(Error::TransformFrames {
                parent: parent.to_owned(),
                child: child.to_owned(),
            });
        }
        let transform = message.transform.isometry()?;
        if !self.links.contains_key(child) && self.links.len() >= MOST_FRAMES {
            return Err(Error::TooManyFrames {
                frames: MOST_FRAMES,
            });
        }
        let link = self.links.entry(child.to_owned()).or_insert_with(|| Link {
            parent: parent.to_owned(),
            is_static,
            samples: VecDeque::new(),
        });
        if link.parent != parent || is_static || link.is_static {
            // What was known of the frame was about another parent, or is replaced as a whole.
            parent.clone_into(&mut link.parent);
            link.is_static = is_static;
            link.samples.clear();
        }
        link.insert(message.header.stamp, transform);
        Ok(())
    }

    /// Forgets what moves: time has jumped back.
    pub fn forget_moving(&mut self) {
        self.links.retain(|_, link| link.is_static);
    }

    /// The transform that takes points of `source` to `target`.
    ///
    /// # Errors
    /// [`Error::UnknownFrame`], [`Error::UnconnectedFrames`], [`Error::TransformTime`].
    pub fn lookup(&self, target: &str, source: &str, when: When) -> Result<Found> {
        let (target, source) = (plain(target), plain(source));
        for frame in [source, target] {
            let is_parent = || self.links.values().any(|link| link.parent == frame);
            let is_known = self.links.contains_key(frame) || target == source || is_parent();
            if !is_known {
                return Err(self.unknown(frame));
            }
        }
        let (up, down) = (self.chain(source), self.chain(target));
        let common = up
            .iter()
            .enumerate()
            .find_map(|(i, frame)| Some((i, down.iter().position(|other| other == frame)?)));
        let Some((from_source, from_target)) = common else {
            return Err(Error::UnconnectedFrames {
                target: target.to_owned(),
                source_frame: source.to_owned(),
            });
        };
        let way = || up[..from_source].iter().chain(&down[..from_target]);
        let moving = || {
            way()
                .map(|frame| &self.links[*frame])
                .filter(|link| !link.is_static)
        };
        let newest = moving().map(Link::newest).min();
        let time = match when {
            When::Latest => newest.unwrap_or_default(),
            When::At(time) => time,
        };
        let product = |chain: &[&str]| {
            chain
                .iter()
                .try_fold(Isometry3::identity(), |so_far, frame| {
                    let link = &self.links[*frame];
                    let time = if link.is_static { link.newest() } else { time };
                    let step = link.at(time).ok_or_else(|| Error::TransformTime {
                        target: target.to_owned(),
                        source_frame: source.to_owned(),
                        asked_s: time.seconds(),
                        oldest_s: moving()
                            .map(Link::oldest)
                            .max()
                            .unwrap_or_default()
                            .seconds(),
                        newest_s: newest.unwrap_or_default().seconds(),
                    })?;
                    Ok::<_, Error>(step * so_far)
                })
        };
        let to_common = product(&up[..from_source])?;
        let from_common = product(&down[..from_target])?.inverse();
        Ok(Found {
            transform: from_common * to_common,
            stamp: newest.map(|_| time),
        })
    }

    /// A frame and its ancestors; as far as a loop goes, if there is one.
    fn chain<'a>(&'a self, frame: &'a str) -> Vec<&'a str> {
        let mut chain = vec![frame];
        let mut here = frame;
        while let Some(link) = self.links.get(here) {
            here = &link.parent;
            if chain.len() > self.links.len() {
                break;
            }
            chain.push(here);
        }
        chain
    }

    fn unknown(&self, frame: &str) -> Error {
        let mut known: Vec<String> = self
            .links
            .iter()
            .flat_map(|(child, link)| [child.clone(), link.parent.clone()])
            .collect();
        known.sort_unstable();
        known.dedup();
        Error::UnknownFrame {
            frame: frame.to_owned(),
            known: if known.is_empty() {
                "none".to_owned()
            } else {
                known.join(", ")
            },
        }
    }
}

/// The buffer, shared between those who fill it and those who wait for what is missing in it.
#[derive(Debug, Default)]
pub struct Transforms {
    buffer: Mutex<TransformBuffer>,
    changed: Condvar,
}

impl Transforms {
    /// Takes transforms in; those that make no sense are logged and left out.
    pub fn insert(&self, messages: &[TransformStamped], is_static: bool) {
        let mut buffer = lock(&self.buffer);
        for message in messages {
            if let Err(error) = buffer.insert(message, is_static) {
                tracing::warn!(%error, parent = message.header.frame, child = message.child, "a transform is ignored");
            }
        }
        drop(buffer);
        self.changed.notify_all();
    }

    /// Forgets what moves: time has jumped back.
    pub fn forget_moving(&self) {
        lock(&self.buffer).forget_moving();
    }

    /// What `look` finds in the buffer as it is.
    pub(super) fn with<T>(&self, look: impl FnOnce(&TransformBuffer) -> T) -> T {
        look(&lock(&self.buffer))
    }

    /// As [`TransformBuffer::lookup`].
    ///
    /// # Errors
    /// As [`TransformBuffer::lookup`].
    pub fn lookup(&self, target: &str, source: &str, when: When) -> Result<Found> {
        lock(&self.buffer).lookup(target, source, when)
    }

    /// Where the robot is in a frame, as late as it is known; `None` if it is not.
    pub(super) fn whereabouts(&self, robot: &str, frame: &str) -> Option<Pose2> {
        let found = self.lookup(frame, robot, When::Latest).ok()?;
        Some(planar(&found.transform))
    }

    /// What `look` finds in the buffer, as soon as it finds it, but not later than after `patience`
    /// or when `is_over` says so.
    ///
    /// # Errors
    /// The last error of `look`.
    pub fn lookup_within<T>(
        &self,
        patience: Duration,
        is_over: impl Fn() -> bool,
        look: impl Fn(&TransformBuffer) -> Result<T>,
    ) -> Result<T> {
        wait_for((&self.buffer, &self.changed), patience, is_over, look)
    }
}

/// A pose of another frame in `target`, as Nav2 users expect it: in the frame itself no transform is
/// asked for; else that of the pose's stamp, and where that is too old for the buffer or a little too
/// new, the latest one. A stamp of zero asks for the latest.
///
/// # Errors
/// As [`TransformBuffer::lookup`], and numbers that make no pose.
pub(super) fn pose_in(
    buffer: &TransformBuffer,
    target: &str,
    pose: &PoseStamped,
    tolerance_s: f64,
) -> Result<Isometry3<f64>> {
    let here = pose.pose.isometry()?;
    if plain(&pose.header.frame) == plain(target) {
        return Ok(here);
    }
    let source = &pose.header.frame;
    let latest = || buffer.lookup(target, source, When::Latest);
    let stamp = pose.header.stamp;
    let found = if stamp.is_zero() {
        latest()?
    } else {
        match buffer.lookup(target, source, When::At(stamp)) {
            Err(Error::TransformTime { newest_s, .. })
                if stamp.seconds() - newest_s <= tolerance_s =>
            {
                latest()?
            }
            other => other?,
        }
    };
    Ok(found.transform * here)
}

impl Default for Pose {
    fn default() -> Self {
        Self::planar(Pose2::default())
    }
}
