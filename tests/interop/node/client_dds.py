"""The back end of ROS 2's own middleware: the node on rclrs, an rclpy client on the other side."""
import os

import rclpy
from nav2_msgs.action import ComputePathToPose
from rclpy.action import ActionClient
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile

from client import ACTION_NAMES, Client
from process import ros_arguments


class Dds:
    """A new DDS participant for every test, which knows nothing of the nodes of earlier tests."""

    name = 'dds'
    program = os.environ.get('HRM_NODE', '')
    address = ''

    @classmethod
    def missing(cls):
        """Why it cannot be tested; empty where it can."""
        return '' if cls.program else 'HRM_NODE names no hrm_planner_node'

    def __init__(self, address=''):
        rclpy.init()

    def close(self):
        rclpy.try_shutdown()

    def command(self, file=None, parameters=None, remap=()):
        """The command line of a node."""
        file = ['--params-file', str(file)] if file else []
        return [self.program, '--ros-args', *file, *ros_arguments(parameters, remap)]

    def client(self, namespace='', use_sim_time=False):
        return DdsClient(namespace, use_sim_time)


class DdsClient(Client):
    """An rclpy node with blocking calls."""

    def __init__(self, namespace='', use_sim_time=False):
        overrides = [Parameter('use_sim_time', value=True)] if use_sim_time else []
        self.node = rclpy.create_node('client', namespace=namespace, parameter_overrides=overrides)
        self.clients = {}
        self.actions = {}
        self.publishers = {}

    def close(self):
        self.node.destroy_node()

    # --- waiting ---

    def now(self):
        return self.node.get_clock().now()

    def turn(self):
        rclpy.spin_once(self.node, timeout_sec=0.02)

    def wait(self, future, timeout=10):
        rclpy.spin_until_future_complete(self.node, future, timeout_sec=timeout)
        assert future.done(), 'no answer'
        return future.result()

    # --- the graph ---

    def node_names(self):
        return self.node.get_node_names()

    def topics(self):
        return [name for name, _ in self.node.get_topic_names_and_types()]

    def readers(self, topic):
        return self.node.count_subscribers(topic)

    # --- services ---

    def _service(self, type_, name):
        if name not in self.clients:
            self.clients[name] = self.node.create_client(type_, name)
        return self.clients[name]

    def has_service(self, type_, name, timeout=10):
        return self._service(type_, name).wait_for_service(timeout)

    def call(self, type_, name, timeout=5, **fields):
        assert self.has_service(type_, name), f'no service {name}'
        for _ in range(2):
            # DDS loses a first request now and then (ros2/rmw_fastrtps 842): asked again once.
            future = self._service(type_, name).call_async(type_.Request(**fields))
            rclpy.spin_until_future_complete(self.node, future, timeout_sec=timeout)
            if future.done():
                return future.result()
        raise AssertionError(f'{name} does not answer')

    # --- topics ---

    def listen(self, type_, name, qos=10):
        got = []
        self.node.create_subscription(type_, name, got.append, qos)
        return got

    def publisher(self, type_, name, qos=10):
        key = (name, repr(qos))
        if key not in self.publishers:
            self.publishers[key] = self.node.create_publisher(type_, name, qos)
        return self.publishers[key]

    # --- actions ---

    def action(self, type_=ComputePathToPose):
        name = ACTION_NAMES[type_]
        if name not in self.actions:
            # The default keeps 10 answers, fewer than a burst of goals has.
            many = QoSProfile(depth=1000)
            self.actions[name] = ActionClient(self.node, type_, name, goal_service_qos_profile=many,
                                              result_service_qos_profile=many)
        assert self.actions[name].wait_for_server(10), f'no action {name}'
        return self.actions[name]
