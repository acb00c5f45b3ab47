"""The planner node as a process, and an rclpy client on the other side of a real ROS 2."""
import math
import os
import signal
import subprocess
import threading
import time

import pytest
import rclpy
from action_msgs.msg import GoalStatus
from geometry_msgs.msg import PoseStamped, TransformStamped
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from nav2_msgs.action import ComputePathThroughPoses, ComputePathToPose
from nav_msgs.msg import OccupancyGrid
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from rclpy.action import ActionClient
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from tf2_msgs.msg import TFMessage

NODE = os.environ['HRM_NODE']
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
STATIC = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
BEST_EFFORT = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)

SUCCEEDED, CANCELED, ABORTED = (GoalStatus.STATUS_SUCCEEDED, GoalStatus.STATUS_CANCELED,
                                GoalStatus.STATUS_ABORTED)


class Process:
    """The node as a process; its log is read as it comes."""

    def __init__(self, *arguments, parameters=None, remap=()):
        command = [NODE, '--ros-args', *arguments]
        for name, value in (parameters or {}).items():
            command += ['-p', f'{name}:={value}']
        for rule in remap:
            command += ['-r', rule]
        self.child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                      text=True)
        self.lines = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.child.stdout:
            self.lines.append(line.rstrip())

    @property
    def log(self):
        return '\n'.join(self.lines)

    def wait_for(self, text, timeout=15):
        end = time.monotonic() + timeout
        while text not in self.log:
            assert time.monotonic() < end, f'{text!r} was not logged:\n{self.log}'
            assert self.child.poll() is None or text in self.log, f'the node ended:\n{self.log}'
            time.sleep(0.01)
        return self

    def stop(self, how=signal.SIGINT, within=5):
        """The exit status."""
        if self.child.poll() is None:
            self.child.send_signal(how)
        try:
            self.child.wait(timeout=within)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            raise
        self.reader.join(timeout=2)
        return self.child.returncode


class Client:
    """An rclpy node with blocking calls."""

    def __init__(self, namespace='', name='hrm_planner', parameters=()):
        self.node = rclpy.create_node('client', namespace=namespace,
                                      parameter_overrides=list(parameters))
        self.planner = name
        self.clients = {}
        self.actions = {}
        self.latched = {}

    # --- waiting ---

    def wait(self, future, timeout=10):
        rclpy.spin_until_future_complete(self.node, future, timeout_sec=timeout)
        assert future.done(), 'no answer'
        return future.result()

    def until(self, condition, timeout=10):
        end = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < end, 'did not happen'
            rclpy.spin_once(self.node, timeout_sec=0.02)

    def spin(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            rclpy.spin_once(self.node, timeout_sec=0.02)

    # --- services ---

    def call(self, type_, name, timeout=5, **fields):
        if name not in self.clients:
            self.clients[name] = self.node.create_client(type_, name)
        client = self.clients[name]
        assert client.wait_for_service(10), f'no service {name}'
        for _ in range(2):
            # DDS loses a first request now and then (ros2/rmw_fastrtps 842): asked again once.
            future = client.call_async(type_.Request(**fields))
            rclpy.spin_until_future_complete(self.node, future, timeout_sec=timeout)
            if future.done():
                return future.result()
        raise AssertionError(f'{name} does not answer')

    def change(self, transition):
        request = Transition(id=transition)
        return self.call(ChangeState, f'{self.planner}/change_state', transition=request).success

    def state(self):
        return self.call(GetState, f'{self.planner}/get_state').current_state.label

    def activate(self):
        # The state decides: where an answer was lost, the second asking finds it done.
        for transition, state in [(Transition.TRANSITION_CONFIGURE, 'inactive'),
                                  (Transition.TRANSITION_ACTIVATE, 'active')]:
            assert self.change(transition) or self.state() == state
        return self

    def set(self, **parameters):
        """Why the parameters were refused, one by one; empty where they were not."""
        def value(v):
            if isinstance(v, bool):
                return ParameterValue(type=ParameterType.PARAMETER_BOOL, bool_value=v)
            if isinstance(v, int):
                return ParameterValue(type=ParameterType.PARAMETER_INTEGER, integer_value=v)
            if isinstance(v, float):
                return ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=v)
            return ParameterValue(type=ParameterType.PARAMETER_STRING, string_value=v)
        wanted = [Parameter(name=n.replace('__', '.'), value=value(v)) for n, v in parameters.items()]
        answer = self.call(SetParameters, f'{self.planner}/set_parameters', parameters=wanted)
        return [r.reason if not r.successful else '' for r in answer.results]

    # --- topics ---

    def listen(self, type_, name, qos=10):
        got = []
        self.node.create_subscription(type_, name, got.append, qos)
        return got

    def publisher(self, type_, name, qos=10):
        key = (name, repr(qos))
        if key not in self.latched:
            self.latched[key] = self.node.create_publisher(type_, name, qos)
        return self.latched[key]

    def publish_map(self, grid, qos=LATCHED, topic='map'):
        self.publisher(OccupancyGrid, topic, qos).publish(grid)

    def publish_tf(self, parent, child, x=0.0, y=0.0, yaw=0.0, stamp=None, static=False):
        message = TransformStamped(child_frame_id=child)
        message.header.frame_id = parent
        message.header.stamp = stamp or self.node.get_clock().now().to_msg()
        message.transform.translation.x, message.transform.translation.y = x, y
        message.transform.rotation.z, message.transform.rotation.w = (math.sin(yaw / 2),
                                                                      math.cos(yaw / 2))
        topic, qos = ('/tf_static', STATIC) if static else ('/tf', 100)
        self.publisher(TFMessage, topic, qos).publish(TFMessage(transforms=[message]))

    def wait_for_readers(self, topic, count=1):
        self.until(lambda: self.node.count_subscribers(topic) >= count)

    # --- actions ---

    def action(self, type_=ComputePathToPose):
        name = {ComputePathToPose: 'compute_path_to_pose',
                ComputePathThroughPoses: 'compute_path_through_poses'}[type_]
        if name not in self.actions:
            # The default keeps 10 answers, fewer than a burst of goals has.
            many = QoSProfile(depth=1000)
            self.actions[name] = ActionClient(self.node, type_, name, goal_service_qos_profile=many,
                                              result_service_qos_profile=many)
        assert self.actions[name].wait_for_server(10), f'no action {name}'
        return self.actions[name]

    def send(self, goal, type_=ComputePathToPose, timeout=10):
        """The goal's handle."""
        return self.wait(self.action(type_).send_goal_async(goal), timeout)

    def plan(self, goal, type_=ComputePathToPose, timeout=10):
        """(status, result)"""
        handle = self.send(goal, type_, timeout)
        assert handle.accepted
        answer = self.wait(handle.get_result_async(), timeout)
        return answer.status, answer.result


def pose(x, y, yaw=0.0, frame='map', stamp=None):
    message = PoseStamped()
    message.header.frame_id = frame
    if stamp is not None:
        message.header.stamp = stamp
    message.pose.position.x, message.pose.position.y = float(x), float(y)
    message.pose.orientation.z, message.pose.orientation.w = math.sin(yaw / 2), math.cos(yaw / 2)
    return message


def to_pose(goal, start=None, planner_id=''):
    message = ComputePathToPose.Goal(goal=goal, planner_id=planner_id, use_start=start is not None)
    if start is not None:
        message.start = start
    return message


def empty_map(width=100, height=80, resolution=0.1, origin=(0.0, 0.0)):
    grid = OccupancyGrid()
    grid.header.frame_id = 'map'
    grid.info.width, grid.info.height, grid.info.resolution = width, height, resolution
    grid.info.origin.position.x, grid.info.origin.position.y = origin
    grid.info.origin.orientation.w = 1.0
    grid.data = [0] * (width * height)
    return grid


def fill(grid, x0, y0, x1, y1, value=100):
    """Fills the cells whose centres lie in a rectangle, metres."""
    res = grid.info.resolution
    ox, oy = grid.info.origin.position.x, grid.info.origin.position.y
    for row in range(grid.info.height):
        for col in range(grid.info.width):
            x, y = ox + (col + 0.5) * res, oy + (row + 0.5) * res
            if x0 <= x <= x1 and y0 <= y <= y1:
                grid.data[row * grid.info.width + col] = value
    return grid


def two_rooms(door=True):
    """10 x 8 m, a wall at x = 5 with a door of 2 m at the top."""
    grid = fill(empty_map(), 4.9, 0, 5.1, 8)
    return fill(grid, 4.9, 5.5, 5.1, 7.5, 0) if door else grid


def points(path):
    return [(p.pose.position.x, p.pose.position.y) for p in path.poses]


def yaw(stamped):
    q = stamped.pose.orientation
    return 2 * math.atan2(q.z, q.w)


@pytest.fixture(autouse=True)
def ros():
    """A new DDS participant for every test, which knows nothing of the nodes of earlier tests."""
    rclpy.init()
    yield
    rclpy.try_shutdown()


@pytest.fixture
def client(ros):
    client = Client()
    yield client
    client.node.destroy_node()


@pytest.fixture
def start(ros):
    """Starts nodes; every one of them has to end cleanly."""
    started = []

    def start(*arguments, **more):
        started.append(Process(*arguments, **more))
        return started[-1].wait_for('ready')
    yield start
    for process in started:
        status = process.stop()
        assert status == 0, process.log


@pytest.fixture
def planner(start, client):
    """An active node with a map of two rooms."""
    process = start()
    client.activate()
    client.publish_map(two_rooms())
    process.client = client
    return process
