//! Endpoints of the node on the ROS graph.

use std::any::Any;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::channel::oneshot;
use rclrs::{
    Executor, IntoTimerOptions, LogSeverity, Logger, Node as RosNode, PublisherOptions, QoSProfile,
    SubscriptionOptions,
};

use super::actions::{self, Running};
use super::contract::{NAME, Plans, Qos, Respond};
use super::qos::{mismatch, profile};
use super::{Action, Message, Service, refused};
use crate::Result;
use crate::node::lock::lock;
use crate::node::{Clock, Time};

/// How often publishers are looked at that offer less than is asked for.
const LOOK_PERIOD: Duration = Duration::from_secs(2);

/// The node on the ROS graph; its endpoints live as long as this.
pub struct Graph {
    ros: RosNode,
    running: Running,
    watched: Vec<(String, QoSProfile)>,
    parts: Vec<Box<dyn Any>>,
}

/// The clock that the node's parameters ask for.
struct RosClock(rclrs::Clock);

impl Clock for RosClock {
    fn now(&self) -> Time {
        Time(self.0.now().nsec)
    }
}

/// Where messages of a topic are published.
pub struct Publisher<T: Message>(rclrs::Publisher<T>);

impl<T: Message> Publisher<T> {
    pub fn publish(&self, message: T) -> std::result::Result<(), rclrs::RclrsError> {
        self.0.publish(message)
    }

    pub fn has_reader(&self) -> bool {
        let count = self.0.get_subscription_count();
        count.is_ok_and(|count| count > 0)
    }
}

impl Graph {
    /// # Errors
    /// A node that ROS does not take.
    pub fn new(executor: &Executor) -> Result<Self> {
        let ros = executor.create_node(NAME);
        Ok(Self {
            ros: ros.map_err(refused("creating the node"))?,
            running: Running::default(),
            watched: Vec::new(),
            parts: Vec::new(),
        })
    }

    pub fn ros(&self) -> &RosNode {
        &self.ros
    }

    /// Goals that have not ended.
    pub fn running(&self) -> &Running {
        &self.running
    }

    pub fn name(&self) -> String {
        self.ros.name()
    }

    /// The name with the namespace.
    pub fn full_name(&self) -> String {
        self.ros.fully_qualified_name()
    }

    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(RosClock(self.ros.get_clock()))
    }

    pub fn keep(&mut self, parts: impl IntoIterator<Item = Box<dyn Any>>) {
        self.parts.extend(parts);
    }

    pub fn publisher<T: Message>(&mut self, topic: &str, qos: Qos) -> Result<Publisher<T>> {
        let mut options = PublisherOptions::new(topic);
        options.qos = profile(qos);
        let publisher = self.ros.create_publisher(options);
        Ok(Publisher(publisher.map_err(refused(topic))?))
    }

    pub fn subscribe<T: Message>(
        &mut self,
        topic: &str,
        qos: Qos,
        take: impl Fn(T) + Send + Sync + 'static,
    ) -> Result<()> {
        self.subscribed(topic, qos, take).map(drop)
    }

    /// As [`Self::subscribe`], where the quality of service is a setting: publishers that offer less
    /// than is asked for are logged.
    pub fn subscribe_watched<T: Message>(
        &mut self,
        topic: &str,
        qos: Qos,
        take: impl Fn(T) + Send + Sync + 'static,
    ) -> Result<()> {
        let name = self.subscribed(topic, qos, take)?;
        self.watched.push((name, profile(qos)));
        Ok(())
    }

    /// Subscribes; what the topic is called in full.
    fn subscribed<T: Message>(
        &mut self,
        topic: &str,
        qos: Qos,
        take: impl Fn(T) + Send + Sync + 'static,
    ) -> Result<String> {
        let mut options = SubscriptionOptions::new(topic);
        options.qos = profile(qos);
        let subscription = self.ros.create_subscription(options, take);
        let subscription = subscription.map_err(refused(topic))?;
        let name = subscription.topic_name();
        self.parts.push(Box::new(subscription));
        Ok(name)
    }

    /// A service that answers at once.
    pub fn serve<S: Service>(
        &mut self,
        name: &str,
        answer: impl Fn(S::Request) -> S::Response + Send + Sync + 'static,
    ) -> Result<()> {
        let service = self.ros.create_service::<S, _>(name, answer);
        self.parts.push(Box::new(service.map_err(refused(name))?));
        Ok(())
    }

    /// A service whose answers take time.
    pub fn serve_later<S: Service>(
        &mut self,
        name: &str,
        begin: impl Fn(S::Request, Respond<S::Response>) + Send + Sync + 'static,
    ) -> Result<()> {
        let service = self
            .ros
            .create_async_service::<S, _>(name, move |ask: S::Request| {
                let (tell, told) = oneshot::channel();
                let respond = move |response| {
                    let _ = tell.send(response); // fails if the process is ending
                };
                begin(ask, Box::new(respond));
                async move { told.await.unwrap_or_default() }
            });
        self.parts.push(Box::new(service.map_err(refused(name))?));
        Ok(())
    }

    /// An action whose goals the node plans for.
    pub fn act<A: Action>(&mut self, name: &str, plans: Plans<A>) -> Result<()> {
        let server = actions::serve(&self.ros, name, plans, &self.running)?;
        self.parts.push(server);
        Ok(())
    }

    pub fn repeat(&mut self, period: Duration, step: impl FnMut() + Send + 'static) -> Result<()> {
        let timer = self
            .ros
            .create_timer_repeating(period.steady_time(), step)
            .map_err(refused("a timer"))?;
        self.parts.push(Box::new(timer));
        Ok(())
    }

    /// Looks now and then for publishers whose messages the watched subscriptions do not get, and logs
    /// each once, with what to do.
    ///
    /// # Errors
    /// A timer that ROS does not take.
    pub fn look_for_mismatches(&mut self) -> Result<()> {
        // DDS does not say how many messages a publisher keeps; rclrs logs that as an error each time.
        let quiet = Logger::new("QoSProfile.conversion");
        let quiet = quiet.and_then(|logger| logger.set_level(LogSeverity::Fatal));
        quiet.map_err(refused("a logger's level"))?;
        let watched = std::mem::take(&mut self.watched);
        let told = Mutex::new(BTreeSet::new());
        let ros = self.ros.clone();
        self.repeat(LOOK_PERIOD, move || {
            let mut told = lock(&told);
            for (topic, asked) in &watched {
                let publishers = ros.get_publishers_info_by_topic(topic);
                for publisher in publishers.unwrap_or_default() {
                    let who = format!("{}/{}", publisher.node_namespace, publisher.node_name);
                    let who = who.replace("//", "/");
                    if let Some(reason) = mismatch(asked, &publisher.qos_profile)
                        && told.insert((topic.clone(), who.clone()))
                    {
                        tracing::error!("nothing comes from {who} on {topic}: {reason}");
                    }
                }
            }
        })
    }
}
